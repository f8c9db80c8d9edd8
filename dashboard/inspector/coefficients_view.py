"""A linear model's coefficients, beside another version's where one is chosen."""

from typing import Any

import numpy as np
from bokeh.models.layouts import LayoutDOM
from bokeh.models.sources import ColumnDataSource

from dashboard.html import title
from dashboard.inspector.cards import card, clipped, plot
from dashboard.inspector.page_text import number, sentence, table
from dashboard.palette import Palette
from dashboard.sheets import sheet
from dashboard.side_plot import hover
from models.structure import Coefficients

TOP = 30
ROW_PX = 17


def coefficients(
    given: Coefficients, other: Coefficients | None, row: int, names: tuple[str, str], palette: Palette
) -> LayoutDOM:
    """Return the card of one row of the table as bars, or all of it in figures where its columns are of several units.

    `other` is the table of the version to compare with, `names` are the two versions'.
    """
    if not given.alike:
        cells = [[name, *map(number, values)] for name, values in zip(given.rows, given.values, strict=True)]
        return card(title("Parameters", given.meaning), table(["", *given.columns], cells), wide=True)
    row = min(row, len(given.rows) - 1)
    values = np.array(given.values[row])
    chosen = np.argsort(-np.abs(values), kind="stable")[:TOP][::-1].tolist()
    labels = [f"{given.columns[place]}" for place in chosen]
    short = [clipped(name, 28) for name in labels]
    ticks = short if len(set(short)) == len(short) else labels
    shown = values[chosen]
    before = dict(zip(other.columns, other.values[row], strict=True)) if other and row < len(other.rows) else {}
    beside = [before.get(name, float("nan")) for name in labels]
    made = plot("coefficients", ROW_PX * len(ticks) + 48, y_range=ticks)
    data: dict[str, Any] = {"label": ticks, "name": labels, "value": shown, "other": beside}
    data["colour"] = [palette.hit if value >= 0 else palette.miss for value in shown]
    bars = made.hbar(y="label", left=0, right="value", height=0.72, source=ColumnDataSource(data), color="colour")
    legend = {"positive": palette.hit, "negative": palette.miss}
    rows = {names[0]: "@value{0.00000}"}
    if before:
        made.scatter(
            "other",
            "label",
            source=ColumnDataSource(data),
            size=9,
            marker="diamond",
            line_color=palette.ink,
            fill_color=palette.card,
        )
        legend[f"diamond: {names[1]}"] = palette.ink
        rows[names[1]] = "@other{0.00000}"
    columns = {"name": "input", "value": f"coefficient of {names[0]}"}
    sheet(made, bars.data_source, {**columns, "other": f"coefficient of {names[1]}"} if before else columns)
    made.ygrid.visible = False
    made.xaxis.axis_label = given.rows[row]
    hover(made, [bars], "@name", rows)
    rest = len(values) - len(chosen)
    more = f"The {TOP} largest of {len(values)}." if rest else ""
    if not values.any():
        more = "All are 0 at this horizon: on rows that the fit had not seen, they were of no use."
    return card(title("Coefficients", given.meaning, legend), sentence(more), made, wide=True)
