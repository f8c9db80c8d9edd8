"""The plots of one version's run in MLflow, as SVG files by the report's own drawing."""

from collections.abc import Mapping, Sequence

from evaluation.display_columns import PERCENT, ahead
from evaluation.plots.colours import style
from evaluation.plots.picture import picture
from evaluation.plots.svg import PlotArea, tag, text, ticks
from models.importance import Importance

ROW, LABELS, MOST = 20, 220, 20
"""Pixels of a bar and of the names beside them, and how many bars are drawn."""


def importance(model: str, result: Importance) -> str:
    """Return the inputs with the largest shares as bars, and how many others there are."""
    first = list(result.shares.items())[:MOST]
    frame = PlotArea(
        width=640,
        height=ROW * len(first) + 30,
        left=LABELS,
        top=4,
        right=50,
        bottom=26,
        x=(0.0, first[0][1]),
        y=(0.0, 1.0),
    )
    drawn = [frame.columns([(tick, f"{tick:g}") for tick in ticks(*frame.x)])]
    for place, (name, share) in enumerate(first):
        y, end = frame.top + place * ROW, frame.across(share)
        drawn.append(text(name, frame.left - 10, y + 14, "model", "end"))
        box = {"x": frame.left, "y": y + 3, "width": end - frame.left, "height": ROW - 6}
        drawn.append(tag("rect", **box, class_="bar", style=style(model)))  # type: ignore[arg-type] # each name of the box is an attribute of the tag
        drawn.append(text(f"{share:.1f}", end + 5, y + 14, "tick"))
    others = len(result.shares) - len(first)
    heading = f"share of {result.whole}, %{f'; {others} other inputs have less' if others else ''}"
    return picture(frame.figure(heading, *drawn), [model])


def calibration(levels: Sequence[float], below: Mapping[int, Sequence[float]]) -> str:
    """Return, by horizon, the share of returns that came below each quantile; the diagonal is calibrated."""
    frame = PlotArea(width=560, height=340, left=48, top=8, right=14, bottom=28, x=(0.0, 100.0), y=(0.0, 100.0))
    marks = [(float(tick), f"{tick}") for tick in range(0, 101, 20)]
    drawn = [frame.lines(marks), frame.columns(marks), frame.path([(0.0, 0.0), (100.0, 100.0)], "zero")]
    for horizon, shares in below.items():
        points = [(PERCENT * level, PERCENT * share) for level, share in zip(levels, shares, strict=True)]
        colour = style(ahead(horizon))
        drawn.append(frame.path(points, "line", colour))
        drawn += [
            tag("circle", cx=frame.across(x), cy=frame.up(y), r=3, class_="dot line", style=colour) for x, y in points
        ]
    heading = "share of returns below a forecast's quantile against its level, %"
    horizons = [ahead(horizon) for horizon in below]
    return picture(frame.figure(heading, *drawn), horizons, horizons)
