"""R2 of every model with its interval, and QLIKE as bars: one panel a horizon, each model in its colour."""

from math import isfinite

from evaluation.display_columns import PERCENT, ahead, better
from evaluation.number_format import number
from evaluation.plots.colours import style
from evaluation.plots.svg import PlotArea, padded, tag, text, ticks, title
from evaluation.results import BASELINE, REAL_VOLATILITY, Results

ROW = 20
LABELS = 132
VALUES = 52
"""Room for the names at the left, and for the numbers at the right of bars."""


def r2(results: Results, horizon: int) -> str:
    """Return R2 (in %) as points on lines: filled where the squared error differs from the baseline's."""
    cells = [results.find(model, horizon, "r2") for model in results.models]
    spread = [PERCENT * value for cell in cells for value in (cell.value, cell.low, cell.high)]
    frame = _frame(len(cells), padded(spread, 0.0))
    drawn = [frame.columns([(tick, number(tick, _places(frame))) for tick in ticks(*frame.x)])]
    zero = frame.across(0.0)
    drawn.append(tag("line", x1=zero, x2=zero, y1=frame.top, y2=frame.height - frame.bottom, class_="zero"))
    for place, cell in enumerate(cells):
        y = frame.top + (place + 0.5) * ROW
        drawn.append(text(cell.model, frame.left - 10, y + 4, "model", "end"))
        if not isfinite(cell.value):
            continue
        match = better(results, cell.model, horizon)
        filled = "point" if match else "point even"
        low, high = (number(PERCENT * value, 2) for value in (cell.low, cell.high))
        words = f"{cell.model}: {number(PERCENT * cell.value, 2)} % ({low} to {high}) {match}"
        x = frame.across(PERCENT * cell.value)
        mark = title(words)
        if cell.high > cell.low:
            ends = frame.across(PERCENT * cell.low), frame.across(PERCENT * cell.high)
            mark += tag("line", x1=ends[0], x2=ends[1], y1=y, y2=y, class_="whisker")
        drawn.append(tag("g", mark + tag("circle", cx=x, cy=y, r=4.5), class_=filled, style=style(cell.model)))
    return frame.figure(f"{ahead(horizon)}: R² of volatility-scaled returns, %", *drawn)


def qlike(results: Results, horizon: int) -> str:
    """Return QLIKE as bars from zero, with a line at the volatility model that the others are compared with."""
    cells = [results.find(model, horizon, "qlike") for model in results.models]
    known = [cell.value for cell in cells if isfinite(cell.value)]
    reference = results.find(REAL_VOLATILITY, horizon, "qlike").value
    if not isfinite(reference):
        reference = results.find(BASELINE, horizon, "qlike").value
    # One model that fails would press all others to the edge: bars end where it is three times the usual.
    most = min(max(known, default=1.0), 3.0 * sorted(known)[len(known) // 2] if known else 1.0)
    frame = _frame(len(cells), (0.0, most * 1.04), VALUES)
    drawn = [frame.columns([(tick, number(tick, _places(frame))) for tick in ticks(*frame.x)])]
    for place, cell in enumerate(cells):
        y = frame.top + place * ROW
        drawn.append(text(cell.model, frame.left - 10, y + ROW / 2 + 4, "model", "end"))
        if isfinite(cell.value):
            end = frame.across(min(cell.value, most))
            words = title(f"{cell.model}: {number(cell.value, 4)}")
            size = {"width": end - frame.left, "height": ROW - 6}
            drawn.append(tag("rect", words, x=frame.left, y=y + 3, class_="bar", style=style(cell.model), **size))
            drawn.append(text(number(cell.value, 3), frame.width - 2.0, y + ROW / 2 + 4, "tick", "end"))
    if isfinite(reference):
        x = frame.across(min(reference, most))
        drawn.append(tag("line", x1=x, x2=x, y1=frame.top, y2=frame.height - frame.bottom, class_="zero"))
    return frame.figure(f"{ahead(horizon)}: QLIKE", *drawn)


def _frame(rows: int, x: tuple[float, float], right: int = 18) -> PlotArea:
    return PlotArea(width=560, height=rows * ROW + 36, left=LABELS, top=4, right=right, bottom=28, x=x, y=(0.0, 1.0))


def _places(frame: PlotArea) -> int:
    """Return the decimals that a frame's labels need."""
    width = frame.x[1] - frame.x[0]
    return 0 if width > 8 else 1 if width > 0.8 else 2 if width > 0.08 else 3
