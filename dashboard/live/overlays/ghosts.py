"""The prices of the days before, behind the present ones: shifted to the same hours, scaled to the present price."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from bokeh.models.sources import ColumnDataSource

from dashboard.fill import fill
from dashboard.html import line
from dashboard.live import layers, legend
from dashboard.live.charts import Market
from dashboard.live.columns import Columns
from dashboard.live.ghost_kinds import GHOSTS
from dashboard.live.look import Look

ALPHA = 0.75
NOTHING: Columns = {"time": np.empty(0), "price": np.empty(0)}


def scaled(ghost: Columns, bars: Columns, until: float) -> Columns:
    """Return the ghost with the price of the last bar up to `until` [ms] at which both are known; empty if none is.

    >>> column = np.array([0.0, 1.0, 2.0])
    >>> bars = {"start": column[:2], "close": np.array([10.0, 20.0])}
    >>> scaled({"time": column, "close": np.array([1.0, 2.0, 3.0])}, bars, 9.0)["price"].tolist()
    [10.0, 20.0, 30.0]
    """
    _, mine, theirs = np.intersect1d(ghost["time"], bars["start"], return_indices=True)
    known = np.flatnonzero(ghost["time"][mine] <= until)
    if not len(known):
        return NOTHING
    factor = bars["close"][theirs[known[-1]]] / ghost["close"][mine[known[-1]]]
    return {"time": ghost["time"], "price": ghost["close"] * factor}


class Ghosts:
    """The lines, and the words at their ends."""

    def __init__(self, market: Market) -> None:
        self.sources: dict[str, ColumnDataSource] = {}
        self.ends = ColumnDataSource({"time": [], "price": [], "label": []})
        self.glyphs: list[Any] = []
        self.missing: frozenset[str] = frozenset()
        for ghost in GHOSTS:
            source = self.sources[ghost.name] = ColumnDataSource({"time": [], "price": []})
            drawn = market.price.line(
                "time",
                "price",
                source=source,
                line_dash=list(ghost.dash),
                line_width=1.2,
                line_alpha=ALPHA,
                level="underlay",
                name=layers.GHOST_LAYERS[ghost.name],
            )
            self.glyphs.append(drawn.glyph)
        looks: dict[str, Any] = {"text_font_size": "10px", "text_align": "right", "text_baseline": "bottom"}
        words = market.price.text("time", "price", "label", source=self.ends, **looks)
        self.words = words.glyph

    def draw(self, found: Mapping[str, Columns], bars: Columns, until: float, shift: float, look: Look) -> None:
        """Draw those that are shown, `shift` ms after the beginning of their candles; what is there is not sent."""
        for glyph in (*self.glyphs, self.words):
            for name in glyph.properties() & {"line_color", "text_color"}:
                setattr(glyph, name, look.palette.muted)
        ends: dict[str, list[Any]] = {"time": [], "price": [], "label": []}
        missing = set()
        for ghost in GHOSTS:
            shown = layers.GHOST_LAYERS[ghost.name] not in look.hidden and ghost.name in found
            columns = scaled(found[ghost.name], bars, until) if shown else NOTHING
            columns = {"time": columns["time"] + shift, "price": columns["price"]}
            fill(self.sources[ghost.name], columns)
            if len(columns["time"]):
                for name, values in columns.items():
                    ends[name].append(float(values[-1]))
                ends["label"].append(ghost.label)
            elif shown:
                missing.add(ghost.name)
        fill(self.ends, ends)
        self.missing = frozenset(missing)

    def entries(self, look: Look) -> list[str]:
        """Return the switches of the legend; what is switched on and not stored is said."""
        entries = []
        for ghost in GHOSTS:
            label = f"{ghost.label} (not stored)" if ghost.name in self.missing else ghost.label
            swatch = line(look.palette.muted, ghost.dash, label)
            entries.append(legend.switch(layers.GHOST_LAYERS[ghost.name], swatch, look))
        return entries
