"""The ensemble's weights by regime, as stacked bars."""

from collections.abc import Sequence
from html import escape

from evaluation.plots.svg import Frame, tag, text, title
from evaluation.results import Weight
from evaluation.shown import PERCENT, ahead
from evaluation.wording import number

ROW = 34
SHADES = 10
LETTER = 7
"""Pixels that a letter takes at most: a part holds its name where it is wide enough."""


def weights(found: Sequence[Weight], horizon: int) -> str:
    """Return one bar a regime, its parts the experts in the order in which they come."""
    own = [weight for weight in found if weight.horizon == horizon]
    regimes = list(dict.fromkeys(weight.regime for weight in own))
    experts = list(dict.fromkeys(weight.expert for weight in own))
    frame = Frame(560, len(regimes) * ROW + 8, 112, 4, 4, 4, (0.0, 1.0), (0.0, 1.0))
    drawn = []
    for place, regime in enumerate(regimes):
        y, start = frame.top + place * ROW, 0.0
        drawn.append(text(regime.replace("_", " "), frame.left - 10, y + ROW / 2 + 4, "model", "end"))
        for weight in own:
            if weight.regime != regime:
                continue
            x, end = frame.across(start), frame.across(start + weight.weight)
            shade = f"--c:var(--w{experts.index(weight.expert) % SHADES})"
            words = title(f"{weight.expert}: {number(PERCENT * weight.weight, 1)} %")
            size = {"width": max(end - x - 1.0, 0.0), "height": ROW - 8}
            part = tag("rect", words, x=x, y=y + 4, class_="part", style=shade, **size)
            if end - x > LETTER * (len(weight.expert) + 1):
                part += text(weight.expert, x + 6, y + ROW / 2 + 4, "inside")
            drawn.append(part)
            start += weight.weight
    return frame.figure(ahead(horizon), *drawn)


def legend(found: Sequence[Weight]) -> str:
    """Return the experts beside their shades."""
    experts = dict.fromkeys(weight.expert for weight in found)
    keys = [
        tag("li", tag("i", style=f"background:var(--w{place % SHADES})") + escape(expert))
        for place, expert in enumerate(experts)
    ]
    return tag("ul", "".join(keys), class_="legend")
