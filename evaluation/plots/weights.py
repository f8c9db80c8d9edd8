"""The ensemble's weights by regime, as stacked bars."""

from collections.abc import Sequence
from html import escape

from evaluation.display_columns import PERCENT, ahead
from evaluation.number_format import number
from evaluation.plots.colours import style
from evaluation.plots.svg import PlotArea, tag, text, title
from evaluation.results import Weight

ROW = 34
LETTER = 7
"""Pixels that a letter takes at most: a part holds its name where it is wide enough."""


def weights(results: Sequence[Weight], horizon: int) -> str:
    """Return one bar a regime, its parts the experts in the order in which they come."""
    own = [weight for weight in results if weight.horizon == horizon]
    regimes = list(dict.fromkeys(weight.regime for weight in own))
    frame = PlotArea(
        width=560, height=len(regimes) * ROW + 8, left=112, top=4, right=4, bottom=4, x=(0.0, 1.0), y=(0.0, 1.0)
    )
    drawn = []
    for place, regime in enumerate(regimes):
        y, start = frame.top + place * ROW, 0.0
        drawn.append(text(regime.replace("_", " "), frame.left - 10, y + ROW / 2 + 4, "model", "end"))
        for weight in own:
            if weight.regime != regime:
                continue
            x, end = frame.across(start), frame.across(start + weight.weight)
            words = title(f"{weight.expert}: {number(PERCENT * weight.weight, 1)} %")
            size = {"width": max(end - x - 1.0, 0.0), "height": ROW - 8}
            part = tag("rect", words, x=x, y=y + 4, class_="part", style=style(weight.expert), **size)
            if end - x > LETTER * (len(weight.expert) + 1):
                part += text(weight.expert, x + 6, y + ROW / 2 + 4, "inside")
            drawn.append(part)
            start += weight.weight
    return frame.figure(ahead(horizon), *drawn)


def legend(results: Sequence[Weight]) -> str:
    """Return the experts beside their colours."""
    experts = dict.fromkeys(weight.expert for weight in results)
    keys = [tag("li", tag("i", style=style(expert), class_="pale") + escape(expert)) for expert in experts]
    return tag("ul", "".join(keys), class_="legend")
