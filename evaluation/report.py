"""The report: one HTML file that needs no network and no script, light or dark as the reader's system is."""

from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path

from evaluation.display_columns import (
    COLUMNS,
    GAP_COLUMNS,
    MORE_COLUMNS,
    ReportColumn,
    ahead,
    of_days,
    rows,
    superiority,
)
from evaluation.number_format import span
from evaluation.plots import curves, forest, heatmap, weights
from evaluation.plots.colours import css
from evaluation.plots.svg import tag
from evaluation.results import BASELINE, Results, Weight
from evaluation.verdict import conclusions

STYLE = Path(__file__).with_name("report.css")
TONES = ("better", "worse")
CLEAR = 4
"""Models whose calibration curves can be told apart."""
BESIDE = 9
"""Months and symbols of which two tables find room beside each other."""


def report(results: Results, commit: str, command: str, ensemble: Sequence[Weight] = ()) -> str:
    """Return the page; `commit` and `command` are the run's, `ensemble` the weights by regime where there are any."""
    coloured = curves.best(results)
    sections = [
        ("Verdict", "verdict", _verdict(results)),
        ("Results", "results", _tables(results, COLUMNS)),
        ("R² by model", "r2", _note(R2_NOTE) + _panels(results, lambda h: forest.r2(results, h))),
        ("Skill over time", "skill", _lines(results, coloured, curves.skill)),
        ("R² by month and symbol", "groups", _groups(results)),
        ("One bar late", "late", _note(LATE_NOTE) + _tables(results, GAP_COLUMNS)),
        ("Coverage", "coverage", _coverage(results, coloured)),
        ("Calibration", "calibration", _note(CALIBRATION_NOTE) + _lines(results, coloured[:CLEAR], curves.calibration)),
        ("Volatility", "volatility", _note(QLIKE_NOTE) + _panels(results, lambda h: forest.qlike(results, h))),
        ("More metrics", "more", _tables(results, MORE_COLUMNS)),
    ]
    if ensemble:
        sections.insert(4, ("Weights by regime", "weights", _weights(results, ensemble)))
    links = "".join(tag("a", heading, href=f"#{place}") for heading, place, _ in sections)
    body = "".join(tag("section", tag("h2", heading) + content, id=place) for heading, place, content in sections)
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>Foretick evaluation</title><style>{STYLE.read_text()}{css(results.models)}</style>"
    )
    top = tag("header", tag("h1", "Evaluation") + _about(results, commit, command)) + tag("nav", links)
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{top}<main>{body}</main></body></html>\n'


R2_NOTE = (
    "Against a forecast of zero, with 95 % intervals by resampling days. Filled: the squared error differs from "
    "naive's, smaller to the right of zero, larger to the left (Diebold-Mariano on daily sums, 5 % after Holm); "
    "hollow: no difference found. A model has the same colour in all charts."
)
LATE_NOTE = (
    "Each point metric beside the same metric with the position entered one bar later. What is lost was within the "
    "spread or in stale prices."
)
CALIBRATION_NOTE = "The diagonal is calibrated; flatter is overconfident. Rows whose price did not move are left out."
QLIKE_NOTE = "Less is better. The line is the HAR model's, or naive's if there is none."
COVERAGE_NOTE = (
    "Of the 90 % interval, in %, by volatility tercile of the symbol and time of day (UTC). Outlined: more than two "
    "points from 90."
)


def _about(results: Results, commit: str, command: str) -> str:
    facts = (
        ("span", f"{span(results.start, results.end)} UTC"),
        ("symbols", ", ".join(results.symbols)),
        ("rows", f"{results.rows:,}"),
        ("days", f"{len(results.days):,}"),
        ("models", str(len(results.models))),
        ("seed", str(results.seed)),
        ("commit", commit),
        ("command", command),
    )
    return tag("dl", "".join(tag("div", tag("dt", name) + tag("dd", escape(fact))) for name, fact in facts))


def _note(words: str) -> str:
    return tag("p", escape(words))


def _verdict(results: Results) -> str:
    first, *rest = conclusions(results)
    return tag("p", escape(first), class_="lead") + "".join(map(_note, rest))


def _panels(results: Results, draw: Callable[[int], str], class_: str = "panels") -> str:
    return tag("div", "".join(draw(horizon) for horizon in results.horizons), class_=class_)


def _groups(results: Results) -> str:
    broad = len(results.months) + len(results.symbols) > BESIDE
    return _panels(results, lambda horizon: heatmap.r2(results, horizon), "panels broad" if broad else "panels")


def _lines(results: Results, coloured: list[str], draw: Callable[[Results, int, list[str]], str]) -> str:
    return curves.legend(coloured) + _panels(results, lambda horizon: draw(results, horizon, coloured))


def _tables(results: Results, columns: tuple[ReportColumn, ...]) -> str:
    columns, main = of_days(results, columns), columns is COLUMNS
    matches = [_table(results, horizon, columns, main) for horizon in results.horizons]
    meanings = "".join(tag("dt", escape(c.heading)) + tag("dd", escape(c.meaning)) for c in columns)
    explained = tag("details", tag("summary", "The columns") + tag("dl", meanings))
    return "".join(matches) + explained


def _table(results: Results, horizon: int, columns: tuple[ReportColumn, ...], main: bool) -> str:
    heads = tag("th", "model") + "".join(tag("th", escape(c.heading), title=c.meaning) for c in columns)
    lines = [tag("tr", heads)]
    for model, *texts in rows(results, horizon, columns):
        cells = [tag("td", escape(words), class_=_tone(words)) for words in texts]
        class_ = "baseline" if model == BASELINE else ""
        lines.append(tag("tr", tag("th", escape(model)) + "".join(cells), class_=class_))
    table = tag("div", tag("table", "".join(lines)), class_="wide")
    tested = tag("p", escape(superiority(results, horizon)), class_="under-table") if main else ""
    return tag("h3", ahead(horizon)) + table + tested


def _tone(words: str) -> str:
    return words.split(" ", maxsplit=1)[0] if words.startswith(TONES) else ""


def _coverage(results: Results, coloured: list[str]) -> str:
    """Return the heat map of each model, open for the first of those in colour."""
    matches = [_note(COVERAGE_NOTE)]
    shown = coloured[0] if coloured else BASELINE
    for model in (shown, *(model for model in results.models if model != shown)):
        inside, known = heatmap.within(results, model)
        words = f"{escape(model)} <small>{inside} of {known} cells within two points</small>"
        panels = _panels(results, lambda horizon, model=model: heatmap.coverage(results, model, horizon))  # type: ignore[misc] # mypy infers no type for a default that binds the loop's variable
        opened = {"open": "open"} if model == shown else {}
        matches.append(tag("details", tag("summary", words) + panels, **opened))
    return "".join(matches)


def _weights(results: Results, ensemble: Sequence[Weight]) -> str:
    return weights.legend(ensemble) + _panels(results, lambda horizon: weights.weights(ensemble, horizon))
