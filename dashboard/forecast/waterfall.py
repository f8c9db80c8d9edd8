"""What each input added to one forecast, from the base to the total."""

from dataclasses import dataclass
from math import exp, isnan
from typing import Any

from bokeh.models.axes import LinearAxis
from bokeh.models.layouts import LayoutDOM
from bokeh.models.ranges import Range1d
from bokeh.models.sources import ColumnDataSource
from bokeh.models.tickers import BasicTicker, FixedTicker

from dashboard.forecast.detail_text import points
from dashboard.html import title
from dashboard.inspector.cards import card, clipped, plot
from dashboard.inspector.page_text import number, sentence
from dashboard.number_format import basis_points
from dashboard.palette import Palette
from dashboard.side_plot import hover
from models.explain.explanation import Explanation

TOP = 12
ROW_PX = 22
TOOLBAR_PX = 26
"""The toolbar lies within the plot, above the first bar: beside the numbers there is no room for it on a phone."""
METHOD = (
    "Trees by SHAP values, linear models by coefficient times input, networks by integrated gradients, combinations by "
    "their models."
)
LEAST_REMAINDER = 0.00005
"""A smaller remainder is not drawn."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of the waterfall: by how much it changes the sum, which is `before` until then."""

    name: str
    value: float
    before: float
    change: float
    kind: str = "input"

    @property
    def after(self) -> float:
        """Return the sum with it."""
        return self.before + self.change


def steps(explanation: Explanation) -> list[Step]:
    """Return the steps from the base to the total: bp of a mean, else the natural logarithm of the variance's ratio."""
    unit = explanation.unit * 1e4 if explanation.quantity == "mean" else 1.0
    shown, others = explanation.contributions[:TOP], explanation.contributions[TOP:]
    given = [("base", float("nan"), explanation.base, "base")] if explanation.base else []
    given += [(part.name, part.value, part.contribution, "input") for part in shown]
    if others:
        given.append((f"{len(others)} others", float("nan"), sum(part.contribution for part in others), "input"))
    if abs(explanation.remainder) * unit >= LEAST_REMAINDER:
        given.append(("rounding", float("nan"), explanation.remainder, "input"))
    made, total = list[Step](), 0.0
    for name, value, change, kind in given:
        made.append(Step(name=name, value=value, before=total, change=change * unit, kind=kind))
        total = made[-1].after
    whole = Step(name="total", value=float("nan"), before=0.0, change=explanation.total * unit, kind="total")
    return [*made, whole]


def short(value: float) -> str:
    """Return a change in a few characters.

    >>> short(12.345), short(0.1234), short(0.01234)
    ('+12.3', '+0.12', '+0.012')
    """
    size = abs(value)
    places = 1 if size >= 10 else 2 if size >= 0.1 else 3
    return f"{value:+.{places}f}".replace("-", "\u2212")


def waterfall_card(explanation: Explanation, about: str, palette: Palette) -> LayoutDOM:
    """Return the waterfall, with a text (HTML) about how it was computed; only a text if there is nothing to draw."""
    unit = "bp of the mean" if explanation.quantity == "mean" else "of the log of the variance over sigma² h"
    note = explanation.note.replace("--horizon ", "horizon ")
    note = sentence(f"{note[:1].upper()}{note[1:]}." if note else "")
    if not explanation.contributions:
        return card(title("What moved it"), note, about)
    scale = ""
    if explanation.quantity == "log variance":
        scale = sentence(
            f"The scale is sigma sqrt(h), {basis_points(explanation.unit)}, times exp(total / 2) = "
            f"{exp(explanation.total / 2):.3f}."
        )
    legend = {"up": palette.hit, "down": palette.miss}
    made = _drawn(steps(explanation), palette)
    return card(title("What moved it", unit, legend), note, made, scale + sentence(METHOD) + about)


def _drawn(given: list[Step], palette: Palette) -> Any:
    low = min(0.0, *(min(one.before, one.after) for one in given))
    high = max(0.0, *(max(one.before, one.after) for one in given))
    room = max(high - low, 1e-12)
    made = plot(
        "waterfall",
        ROW_PX * len(given) + TOOLBAR_PX + 34,
        y_range=Range1d(start=len(given) - 0.4, end=-0.6 - TOOLBAR_PX / ROW_PX),
        x_range=Range1d(start=low - 0.04 * room, end=high + 0.04 * room),
    )
    rows = range(len(given))
    colours = {"base": palette.candle, "total": palette.candle}
    fills = [colours.get(one.kind, palette.hit if one.change >= 0 else palette.miss) for one in given]
    data: dict[str, Any] = {
        "row": list(rows),
        "before": [one.before for one in given],
        "after": [one.after for one in given],
        "name": [one.name for one in given],
        "value": ["" if isnan(one.value) else number(one.value) for one in given],
        "said": [short(one.change) for one in given],
        "fill": fills,
    }
    source = ColumnDataSource(data)
    made.segment(
        x0=[one.after for one in given[:-1]],
        x1=[one.after for one in given[:-1]],
        y0=[row + 0.36 for row in rows[:-1]],
        y1=[row + 0.64 for row in rows[:-1]],
        line_color=palette.muted,
    )
    bars = made.hbar(y="row", left="before", right="after", height=0.72, source=source, color="fill")
    made.yaxis.ticker = list(rows)
    made.yaxis.major_label_overrides = {row: clipped(one.name, 24) for row, one in enumerate(given)}
    made.xaxis.ticker = BasicTicker(desired_num_ticks=3)
    made.toolbar_location, made.toolbar_inner = "above", True
    beside: Any = FixedTicker(ticks=list(rows))
    numbers = LinearAxis(ticker=beside, axis_line_color=None, major_tick_line_color=None)
    numbers.major_label_overrides = {row: short(one.change) for row, one in enumerate(given)}
    numbers.major_label_text_color = palette.ink
    made.add_layout(numbers, "right")
    made.ygrid.visible = False
    tips = {"the model's input": "@value", "contribution": "@said", "sum so far": "@after{0.000}"}
    hover(made, [bars], "@name", tips)
    return made


def comparison(explanation: Explanation, published: float | None, bars: int) -> str:
    """Return that the forecast was computed anew, and whether that is what was published, HTML."""
    anew = f"Computed anew, with the model's state from the {bars:,} bars before: mean {points(explanation.mean)}"
    if published is None:
        return sentence(f"{anew}.")
    alike = abs(explanation.mean - published) <= 0.02 * max(abs(published), 1e-6)
    if alike:
        return sentence(f"{anew}, as published.")
    why = "The state that the worker had by then is not stored; this is the nearest to it."
    return sentence(f"{anew}; published: {points(published)}. {why}", "stale")
