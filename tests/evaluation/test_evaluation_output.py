"""What is written can be read back; the report needs nothing from outside; every table shows every model."""

import json
import re
from dataclasses import fields, replace
from html import escape
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path

import evaluation_market
import msgspec
import numpy as np
import pyarrow.parquet as pq
import pytest

from cli.evaluation_tables import document, show_results
from cli.text import Terminal
from evaluation.leaderboard import leaderboard
from evaluation.output import write
from evaluation.plots import curves, forest, heatmap
from evaluation.plots.picture import picture
from evaluation.report import report
from evaluation.result_tables import RECORDS, load, save
from evaluation.results import Results, Weight
from evaluation.scorer import score_models
from evaluation.verdict import conclusions
from models.colours import COLOURS

VOID = {"meta", "br", "img", "link", "input", "hr"}
WEIGHTS = [Weight(regime, 1, model, 0.5) for regime in ("calm", "turbulent") for model in ("skilled", "chance")]


class Page(HTMLParser):
    """Which elements a page has, and whether each is closed where it was opened."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.links: list[str] = []
        self.ids: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"href", "src", "xlink:href"}]
        self.ids |= {value or "" for name, value in attrs if name == "id"}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def parsed(text: str) -> Page:
    page = Page()
    page.feed(text)
    page.close()
    assert not page.open
    return page


def test_results_are_read_back_as_they_were_written(results: Results, tmp_path: Path):
    save(results, tmp_path)
    again = load(tmp_path)
    for field in fields(results):
        mine, other = getattr(results, field.name), getattr(again, field.name)
        if isinstance(mine, dict):
            assert mine.keys() == other.keys()
            assert all(np.array_equal(mine[name], other[name]) for name in mine)
        elif isinstance(mine, np.ndarray):
            assert np.array_equal(mine, other)
        else:
            assert repr(mine) == repr(other)  # where NaN is NaN


def test_the_long_table_has_a_row_a_value(results: Results, tmp_path: Path):
    save(results, tmp_path)
    table = pq.read_table(tmp_path / "cells.parquet")
    assert table.column_names == [
        "model", "horizon", "metric", "month", "symbol", "cell", "value", "low", "high", "detectable",
    ]  # fmt: skip
    assert table.num_rows == len(results.cells) == len({cell[:6] for cell in results.cells})


def test_a_folder_without_results_is_refused_in_one_line(tmp_path: Path):
    with pytest.raises(ValueError, match="no results"):
        load(tmp_path)


def test_the_report_is_one_file_that_needs_no_network_and_no_script(results: Results, tmp_path: Path):
    path = write(results, tmp_path / "new", "abc123", "foretick evaluate x.csv", WEIGHTS)
    text = path.read_text()
    assert "http" not in text
    assert "//" not in re.sub(r"<style>.*</style>", "", text, flags=re.DOTALL)
    assert "url(" not in text
    assert "@import" not in text
    page = parsed(text)
    assert not {"script", "link", "img", "iframe"} & set(page.seen)
    assert page.links
    assert all(link.startswith("#") and link[1:] in page.ids for link in page.links)
    assert "prefers-color-scheme: dark" in text
    for part in ("abc123", "foretick evaluate x.csv", "2020-01-01 to 2020-02-29", *results.models, *results.symbols):
        assert part in text


def test_both_themes_have_every_colour():
    style = (Path(curves.__file__).parents[1] / "report.css").read_text()
    light, dark = (
        set(re.findall(r"(--[a-z0-9]+):", block)) for block in re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    )
    assert light == dark
    assert set(re.findall(r"var\((--[a-z0-9]+)\)", style)) - {"--a", "--c"} <= light


def test_a_model_has_one_colour_in_every_chart_and_no_other_has_it(results: Results):
    ours = ("naive", "ridge", "gbm", "har")
    names = dict(zip(results.models, ours, strict=True))
    named = {
        field: [
            row._replace(**{key: names[value] for key, value in row._asdict().items() if value in names})
            for row in rows
        ]
        for field, rows in ((field, getattr(results, field)) for field in RECORDS)
    }
    weights = [Weight(regime, 1, model, 0.5) for regime in ("calm", "wild") for model in ("gbm", "ridge")]
    page = report(replace(results, models=ours, **named), "", "", weights)
    # A mark, and the title in it or the name beside it that says of which model it is.
    marked = re.compile(r'style="--c:var\(--model-([a-z_]+)\)"[^>]*>(?:<title>|</i>)([a-z_]+)')
    drawn = {"r2": set(ours), "skill": {*ours[1:]}, "calibration": {*ours[1:]}, "volatility": set(ours)}
    for place, models in (drawn | {"weights": {"gbm", "ridge"}}).items():
        section = page.split(f'<section id="{place}">')[1].split("</section>")[0]
        assert set(marked.findall(section)) == {(model, model) for model in models}, place
    assert page.count("var(--model-") == len(marked.findall(page))
    light, dark = re.findall(r":root \{(--model-[^}]*)\}", page)
    for model in ours:
        assert f"--model-{model}:{COLOURS[model].light};" in light
        assert f"--model-{model}:{COLOURS[model].dark};" in dark


def test_a_picture_has_the_colours_of_the_models_that_it_draws(results: Results):
    for drawn, key in ((curves.skill(results, 1, ["skilled"]), ["skilled"]), (forest.r2(results, 1), results.models)):
        alone = picture(drawn, results.models, key)
        assert set(re.findall(r"var\(--model-([a-z]+)\)", alone)) == set(key)
        assert set(re.findall(r"--model-([a-z]+):#", alone)) == set(results.models)


def test_names_are_text_and_never_markup(results: Results):
    result = replace(results, symbols=("<b>BTC", "ETH&USD"))
    text = report(result, "<script>", 'foretick evaluate "a&b"')
    parsed(text)
    assert "<script>" not in text
    assert "&lt;b&gt;BTC" in text


def test_a_report_of_a_few_days_opens_though_most_is_unknown(results: Results):
    unknown = [cell._replace(value=np.nan, low=np.nan, high=np.nan, detectable=np.nan) for cell in results.cells]
    parsed(report(replace(results, cells=unknown, reliability=[], superiority=[]), "", ""))


def test_the_ensemble_and_the_best_are_in_colour(results: Results):
    assert curves.best(results)[0] == "skilled"
    assert "naive" not in curves.best(results)


def test_cells_of_coverage_are_counted_by_their_distance_from_90_percent(results: Results):
    inside, known = heatmap.within(results, "har")
    assert (inside, known) == (0, 48)


def test_the_terminal_shows_a_table_a_horizon_with_the_naive_model_first(results: Results):
    out = StringIO()
    show_results(results, wide=True, console=Terminal(file=out, width=80))
    lines = [line.split() for line in out.getvalue().splitlines() if line.strip()]
    models = [words[0] for words in lines if words[0] in results.models]
    assert models == [*results.models] * len(results.horizons)
    skilled = next(words for words in lines if words[0] == "skilled")
    assert skilled[-3:] == ["better", "***", "yes"]


@pytest.fixture(scope="module")
def week() -> Results:
    rows = evaluation_market.labels(days=7)
    return score_models(rows, evaluation_market.zoo(rows), 7)


def test_of_seven_days_no_test_is_shown_as_if_it_had_been_made(week: Results):
    out = StringIO()
    show_results(week, wide=True, console=Terminal(file=out, width=200))
    page, board = report(week, "", ""), leaderboard(week, "", "")
    for text in (out.getvalue(), re.sub(r"<style>.*</style>", "", page, flags=re.DOTALL), board):
        for heading in ("MCS", "vs naive", "detect. R²", "detect. IC", "R² interval", "IC interval", "SPA test"):
            assert heading not in text
        assert "skilled" in text
        assert "cover %" in text
    assert "yes" not in out.getvalue()
    assert "These 7 days are too few for conclusions" in page
    assert "These 7 days are too few for conclusions" in board


def test_the_report_and_the_leaderboard_open_with_the_verdict(results: Results):
    messages = conclusions(results)
    page, board = report(results, "", ""), leaderboard(results, "", "")
    for line in messages:
        assert escape(line) in page
        assert line in board
    assert page.index(escape(messages[-1])) < page.index("<table")
    assert board.index(messages[-1]) < board.index("| model |")


def test_the_baseline_alone_has_a_report_too(tmp_path: Path):
    alone = evaluation_market.labels(days=3)
    results = score_models(alone, [next(evaluation_market.zoo(alone))], seed=0)
    assert "naive" in write(results, tmp_path).read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [60, 80])
def test_a_narrow_terminal_cuts_no_number(results: Results, width: int):
    out = StringIO()
    show_results(results, console=Terminal(file=out, width=width))
    assert max(map(len, out.getvalue().splitlines())) <= width
    assert "…" not in out.getvalue()
    assert "vs naive" in out.getvalue()
    assert "--wide adds: detect. R²," in out.getvalue()


def test_the_json_has_every_figure_of_the_tables_and_null_for_unknown(results: Results):
    result = json.loads(msgspec.json.encode(document(results)), parse_constant=pytest.fail)
    assert set(result) == {"cells", "skills", "comparisons", "memberships", "superiority"}
    assert {cell["metric"] for cell in result["cells"]} >= {"r2", "ic", "accuracy", "crps", "coverage_90", "edge_bp"}
    skill = next(one for one in result["skills"] if one["model"] == "skilled" and one["loss"] == "pinball")
    assert skill["skill"] == results.skill("pinball", skill["horizon"], "skilled", "naive")
    assert None in {cell["low"] for cell in result["cells"]}


def test_the_leaderboard_says_where_it_is_from_and_ranks_nothing_without_its_uncertainty(results: Results):
    text = leaderboard(results, "abc123", "foretick evaluate x.csv")
    for part in ("abc123", "`foretick evaluate x.csv`", "seed 7", "2020-01-01 to 2020-02-29", "34,560 rows"):
        assert part in text
    rows = [line for line in text.splitlines() if line.startswith("| skilled")]
    assert len(rows) == len(results.horizons)
    columns = next(line for line in text.splitlines() if line.startswith("| model")).split("|")
    assert all(len(row.split("|")) == len(columns) for row in rows)
    matches = results.find("skilled", 1, "r2")
    cells = [cell.strip() for cell in rows[0].split("|")]
    assert f"{100 * matches.value:.2f}" in cells
    assert f"{100 * matches.low:.2f} to {100 * matches.high:.2f}" in cells
    assert f"{100 * matches.detectable:.2f}" in cells
