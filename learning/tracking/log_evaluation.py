"""Logs an evaluation to MLflow: the report, tables and plots of all models, figures and curves of each."""

from collections.abc import Sequence
from itertools import starmap
from pathlib import Path

import numpy as np

from evaluation.display_columns import COLUMNS, PERCENT, rows
from evaluation.number_format import span
from evaluation.plots import curves, forest
from evaluation.plots.picture import picture
from evaluation.results import BASELINE, REAL_VOLATILITY, Results
from evaluation.splits import DAY, Split
from learning.tracking.tracker import MlflowRun, Tracker

FOUND = (
    ("R2 percent", "r2", PERCENT),
    ("IC", "ic", 1.0),
    ("hit rate percent", "accuracy", PERCENT),
    ("CRPS", "crps", 1.0),
    ("coverage of the 90 percent interval", "coverage_90", PERCENT),
    ("edge in basis points", "edge_bp", 1.0),
)
"""A model's figures: the name in MLflow, the metric's and the factor between them."""
AGAINST = (
    ("squared error against naive percent", "squared", BASELINE),
    ("pinball loss against naive percent", "pinball", BASELINE),
    ("QLIKE against har percent", "qlike", REAL_VOLATILITY),
)
"""Losses less a reference's, in % of it: negative is better."""


def log_evaluation(run: MlflowRun, results: Results, folder: Path) -> None:
    """Log the output of `evaluation.output.write` in `folder`, the table of all models, and the plots."""
    run.params(
        {
            "symbols": ", ".join(results.symbols),
            "span": span(results.start, results.end),
            "rows": results.rows,
            "days": len(results.days),
            "models": ", ".join(results.models),
            "seed": results.seed,
        }
    )
    for path in (*sorted(folder.glob("*.parquet")), folder / "about.json", folder / "report.html"):
        run.artifact(path, "" if path.suffix == ".html" else "tables")
    run.table(_table(results), "leaderboard.json")
    coloured = curves.best(results)
    for horizon in results.horizons:
        ahead = f"{horizon:02} bars ahead"
        every: tuple[tuple[str, str, list[str]], ...] = (
            ("R2", forest.r2(results, horizon), []),
            ("skill over time", curves.skill(results, horizon, coloured), coloured),
            ("calibration", curves.calibration(results, horizon, coloured), coloured),
        )
        for name, drawn, key in every:
            run.text(picture(drawn, results.models, key), f"plots/{name} {ahead}.svg")


def log_models(tracker: Tracker, above: MlflowRun, results: Results, splits: Sequence[Split]) -> None:
    """Log each model in a run of its own, so that the page can compare them."""
    for model in results.models:
        with tracker.run(model, "evaluate", parent=above) as run:
            run.params({"model": model})
            log_model(run, results, model, splits)


def log_model(run: MlflowRun, results: Results, model: str, splits: Sequence[Split] = ()) -> None:
    """Log the figures of one model over all rows; and over those of each split, a curve whose steps are the splits."""
    values: dict[str, float | None] = {}
    for horizon in results.horizons:
        for name, metric, factor in FOUND:
            values[_key(name, horizon)] = factor * results.find(model, horizon, metric).value
        for name, loss, reference in AGAINST:
            if model != reference:
                values[_key(name, horizon)] = -PERCENT * results.skill(loss, horizon, model, reference)
    run.metrics(values)
    if model != BASELINE:
        for step, split in enumerate(splits, 1):
            run.metrics(_of_fold(results, model, split), step)


def _of_fold(results: Results, model: str, split: Split) -> dict[str, float | None]:
    """Return the losses of a split's days against the baseline's, in %."""
    days = (results.days * DAY >= split.cut) & (results.days * DAY < split.end)
    values: dict[str, float | None] = {}
    for name, loss, reference in AGAINST:
        if reference != BASELINE:
            continue
        difference = results.differences[loss][results.models.index(model)][:, days].sum(axis=1)
        baseline = results.baseline[loss][:, days].sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            change = PERCENT * difference / baseline
        values |= starmap(
            lambda horizon, value, name=name: (_key(f"by split: {name}", horizon), value),
            zip(results.horizons, change.tolist(), strict=True),
        )
    return values


def _key(name: str, horizon: int) -> str:
    """Return a metric's name; MLflow's page groups them by the text before the slash, sorted as text."""
    return f"{name}/{horizon:02} bars ahead"


def _table(results: Results) -> dict[str, list[object]]:
    """Return the leaderboard as columns."""
    lines = [(horizon, *line) for horizon in results.horizons for line in rows(results, horizon)]
    heads = ("bars ahead", "model", *(column.heading for column in COLUMNS))
    return {head: [line[place] for line in lines] for place, head in enumerate(heads)}
