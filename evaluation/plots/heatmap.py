"""Tables whose cells are coloured by their value."""

from html import escape
from math import isfinite

from evaluation.display_columns import PERCENT, ahead
from evaluation.groups import HOURS, TERCILES
from evaluation.number_format import number
from evaluation.plots.svg import tag
from evaluation.results import Results

NOMINAL = 90.0
TOLERANCE = 2.0
"""Percentage points by which a cell's coverage may differ from 90 %."""
FULL = 2.0 * TOLERANCE
"""The difference that has the full colour."""
STRONGEST = 70


def cell(value: float, difference: float, full: float, places: int = 1, out: bool = False) -> str:
    """Return a cell whose colour says how far its value is from what is nominal, and to which side."""
    if not isfinite(value):
        return tag("td", number(value, places), class_="none")
    share = round(STRONGEST * min(abs(difference) / full, 1.0))
    side = "over" if difference > 0 else "under"
    return tag("td", number(value, places), class_=side + (" out" if out else ""), style=f"--a:{share}%")


def within(results: Results, model: str) -> tuple[int, int]:
    """Return how many of a model's cells cover 90 % within the tolerance, and how many are known."""
    cells = [
        c for c in results.cells if c.model == model and c.metric == "coverage_90" and c.cell and isfinite(c.value)
    ]
    return sum(abs(PERCENT * c.value - NOMINAL) <= TOLERANCE for c in cells), len(cells)


def coverage(results: Results, model: str, horizon: int) -> str:
    """Return the coverage of the 90 % interval by symbol and volatility tercile (down) and time of day (across)."""
    rows = [tag("tr", tag("th") + tag("th") + "".join(tag("th", hours) for hours in HOURS))]
    for symbol in results.symbols:
        for place, tercile in enumerate(TERCILES):
            name = tag("th", escape(symbol), rowspan=len(TERCILES), class_="symbol") if place == 0 else ""
            matches = [
                PERCENT * results.find(model, horizon, "coverage_90", "", symbol, f"{tercile} {h}").value for h in HOURS
            ]
            cells = [cell(v, v - NOMINAL, FULL, out=abs(v - NOMINAL) > TOLERANCE) for v in matches]
            rows.append(tag("tr", name + tag("th", tercile) + "".join(cells)))
    return tag("figure", tag("figcaption", ahead(horizon)) + tag("table", "".join(rows), class_="heat"))


def r2(results: Results, horizon: int) -> str:
    """Return R2 (in %) of each model by month and by symbol."""
    groups = [(month, "") for month in results.months] + [("", symbol) for symbol in results.symbols]
    heads = "".join(tag("th", escape(month or symbol)) for month, symbol in groups)
    values = {
        model: [PERCENT * results.find(model, horizon, "r2", *group).value for group in groups]
        for model in results.models
    }
    full = max((abs(v) for row in values.values() for v in row if isfinite(v)), default=1.0) or 1.0
    rows = [tag("tr", tag("th") + heads)]
    for model, row in values.items():
        rows.append(tag("tr", tag("th", escape(model)) + "".join(cell(v, v, full, 2) for v in row)))
    return tag("figure", tag("figcaption", f"{ahead(horizon)}: R², %") + tag("table", "".join(rows), class_="heat"))
