"""An evaluation as tables, one a horizon, and as one JSON document with every figure of them."""

from typing import Any

from rich.text import Text

from cli.tables import Column, paragraph, show
from cli.text import Terminal
from evaluation.display_columns import COLUMNS, ahead, of_days, rows, superiority
from evaluation.results import BASELINE, REAL_VOLATILITY, Results

STYLES = {"better": "green", "worse": "red"}
FIRST = ("R² %", "vs naive", "pinball", "IC", "cover %", "Winkler", "QLIKE", "hit % (up)")
"""The columns shown first, in this order; the report has all."""
SKILLS = (("pinball", BASELINE), ("winkler", BASELINE), ("qlike", REAL_VOLATILITY))


def show_results(results: Results, wide: bool = False, console: Terminal | None = None) -> None:
    """Print a table a horizon: a row a model, the baseline first."""
    console = console or Terminal()
    shown = of_days(results, COLUMNS)
    order = [*FIRST, *(column.heading for column in COLUMNS if column.heading not in FIRST)]
    columns = [Column(column.heading, 1 + order.index(column.heading), right=True) for column in shown]
    for horizon in results.horizons:
        console.print()
        paragraph(console, ahead(horizon))
        cells = [
            [Text(text, STYLES.get(text.split(" ")[0], "")) for text in row] for row in rows(results, horizon, shown)
        ]
        show((Column("model"), *columns), cells, wide, console)
        if message := superiority(results, horizon):
            paragraph(console, message)


def document(results: Results) -> dict[str, Any]:
    """Return every figure: metrics with their intervals, skills, and the tests of significance."""
    skills = [
        {"model": model, "horizon": horizon, "loss": loss, "reference": reference, "skill": result}
        for loss, reference in SKILLS
        for horizon in results.horizons
        for model in results.models
        if (result := results.skill(loss, horizon, model, reference)) == result  # not NaN: both are here
    ]
    tests = {name: [one._asdict() for one in getattr(results, name)] for name in ("comparisons", "memberships")}
    superior = [one._asdict() for one in results.superiority]
    return {"cells": [cell._asdict() for cell in results.cells], "skills": skills, **tests, "superiority": superior}
