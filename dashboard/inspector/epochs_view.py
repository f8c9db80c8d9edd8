"""A network's weights and gradients after each epoch of its training."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from bokeh.models.layouts import LayoutDOM
from bokeh.models.mappers import LinearColorMapper
from bokeh.models.ranges import Range1d
from bokeh.models.sources import ColumnDataSource
from bokeh.models.tickers import FixedTicker
from bokeh.models.widgets.inputs import Select

from dashboard.html import title
from dashboard.inspector.cards import card, clipped, plot, ramp
from dashboard.inspector.page_text import number, sentence
from dashboard.palette import Palette
from dashboard.sheets import sheet
from dashboard.side_plot import hover
from models.networks.training_epochs import QUANTILES, TrainingEpoch

NAMES = tuple(f"q{round(100 * level):02d}" for level in QUANTILES)
SHOWN = dict(zip(NAMES, (f"{round(100 * level)} % quantile" for level in QUANTILES), strict=True))
BAND_PX = 210
ROW_PX = 22
NONE = "This version was trained before weights and gradients were kept by epoch: only those above are known."


def card_of(epochs: Sequence[TrainingEpoch], problem: str, tensor: Select, chosen: str, palette: Palette) -> LayoutDOM:
    """Return the card of a chosen tensor's weights and gradients by epoch, and of all gradients side by side."""
    head = title("Weights and gradients by epoch", "gradients of an epoch's last batch, before they are clipped")
    if problem or not epochs:
        return card(head, sentence(problem or NONE))
    return card(
        head,
        tensor,
        _band("weights-by-epoch", "weight", [epoch.weights[chosen] for epoch in epochs], epochs, palette.hit),
        _band("gradients-by-epoch", "gradient", [epoch.gradients[chosen] for epoch in epochs], epochs, palette.miss),
        sentence("Dark: half of the numbers, light: 90 % of them, line: the median."),
        _heat(epochs, palette),
    )


def _band(
    name: str, what: str, quantiles: Sequence[Sequence[float]], epochs: Sequence[TrainingEpoch], colour: str
) -> LayoutDOM:
    columns: dict[str, Any] = dict(zip(NAMES, np.array(quantiles).T.tolist(), strict=True))
    source = ColumnDataSource({"epoch": [epoch.epoch for epoch in epochs], **columns})
    made = plot(name, BAND_PX)
    for low, high, alpha in ((NAMES[0], NAMES[4], 0.18), (NAMES[1], NAMES[3], 0.35)):
        made.varea("epoch", low, high, source=source, fill_color=colour, fill_alpha=alpha)
    made.line("epoch", NAMES[2], source=source, line_color=colour, line_width=2)
    points = made.scatter("epoch", NAMES[2], source=source, size=6, color=colour)
    made.xaxis.ticker = _ticks(epochs)
    made.xaxis.axis_label, made.yaxis.axis_label = "epoch", what
    hover(made, [points], "epoch @epoch", {SHOWN[column]: f"@{column}" for column in NAMES})
    sheet(made, source, {"epoch": "epoch", **SHOWN})
    return made


def _ticks(epochs: Sequence[TrainingEpoch]) -> FixedTicker:
    """Return where the axis of epochs is labelled: at each, or, of many, at some twelve."""
    return FixedTicker(ticks=[epoch.epoch for epoch in epochs[:: -(-len(epochs) // 12)]])


def _heat(epochs: Sequence[TrainingEpoch], palette: Palette) -> LayoutDOM:
    """Return how far each tensor's gradients lie apart in each epoch: a row that fades to nothing no longer learns."""
    names = list(epochs[0].gradients)
    cells = [(name, epoch.epoch, epoch.gradients[name]) for name in names for epoch in epochs]
    spread = [values[4] - values[0] for _, _, values in cells]
    with np.errstate(divide="ignore"):
        logs = np.log10(spread)
    data: dict[str, Any] = {
        "tensor": [name for name, _, _ in cells],
        "row": [len(names) - 1 - names.index(name) for name, _, _ in cells],
        "epoch": [epoch for _, epoch, _ in cells],
        "log": [value if np.isfinite(value) else None for value in logs.tolist()],
        "spread": [number(value) for value in spread],
    }
    known = logs[np.isfinite(logs)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (-1.0, 0.0)
    source = ColumnDataSource(data)
    made = plot(
        "gradients-by-tensor",
        ROW_PX * len(names) + 60,
        x_range=Range1d(start=epochs[0].epoch - 0.5, end=epochs[-1].epoch + 0.5),
        y_range=Range1d(start=-0.5, end=len(names) - 0.5),
    )
    colours = ramp(palette.card, palette.miss_area, palette.miss)
    mapper = LinearColorMapper(palette=colours, low=low, high=max(high, low + 1e-9), nan_color=palette.card)
    cells_drawn = made.rect(
        "epoch",
        "row",
        width=1,
        height=1,
        source=source,
        fill_color={"field": "log", "transform": mapper},
        line_color=palette.line,
    )
    made.grid.visible = False
    made.xaxis.axis_label = "epoch"
    made.xaxis.ticker = _ticks(epochs)
    made.yaxis.ticker = FixedTicker(ticks=list(range(len(names))))
    made.yaxis.major_label_overrides = {row: clipped(name, 26) for row, name in enumerate(names[::-1])}
    hover(made, [cells_drawn], "@tensor, epoch @epoch", {"gradients from 5 % to 95 %": "@spread wide"})
    sheet(made, source, {"tensor": "tensor", "epoch": "epoch", "log": "log10 of the width"})
    return made
