"""All plots of one page, and how a snapshot is drawn on them."""

from collections.abc import Mapping

import numpy as np
from bokeh.plotting import figure
from bokeh.transform import linear_cmap

from dashboard.live import panels
from dashboard.live.charts import feed, market
from dashboard.live.columns import Columns
from dashboard.live.fan import at
from dashboard.live.plot_tools import equip
from dashboard.live.price_range import measured
from dashboard.live.scores import Score
from dashboard.live.series_reader import Snapshot
from dashboard.number_format import state_name
from dashboard.palette import Palette
from topics.records import HORIZONS
from topics.units import interval_ms

WIDTHS = {"resolved": 1.0, "reach": 1.0, "body": 0.7, "traded": 0.7}
"""Widths in bars."""
AHEAD = max(HORIZONS) + 4
FLAT = 0.01
"""How much of the price the axis spans where all is at one price."""
CLEAR = "rgba(0, 0, 0, 0)"


class Drawing:
    """The plots, what was drawn last, and where the view was put, to tell whether the viewer has moved it."""

    def __init__(self) -> None:
        self.market = market()
        self.cross = equip(self.market)
        self.scores = tuple(Score(panel.column, panel.reference, panel.places) for panel in panels.SCORES)
        self.painted: object = None
        self.drawn: Columns | None = None
        self.subject: object = None
        self.placed: tuple[float, float] | None = None

    def plots(self) -> tuple[figure, ...]:
        """Return the plots, each a root of the document."""
        return self.market.price, self.market.ribbon, self.market.volume, *(score.plot for score in self.scores)

    def paint(self, palette: Palette, models: Mapping[str, str], model: str | None) -> None:
        """Colour what a Bokeh theme cannot, because it belongs to one glyph: the fan has its model's colour."""
        if self.painted == (palette, models, model):
            return
        self.painted = (palette, models, model)
        glyphs = self.market.glyphs
        for glyph in (*glyphs["fan"], *glyphs["fan beyond"]):
            for name in glyph.properties() & {"fill_color", "line_color"}:
                setattr(glyph, name, models.get(model or "", palette.baseline))
        for glyph in (*glyphs["wick"], *glyphs["body"]):
            glyph.line_color = palette.candle
        glyphs["body"][0].fill_color = linear_cmap("up", (palette.candle, palette.card), 0, 1)
        areas, points = (palette.miss_area, palette.hit_area), (palette.miss, CLEAR)
        # Opaque, and with a line of the same colour: no seams show between intervals that are narrow.
        glyphs["resolved"][0].fill_color = linear_cmap("hit", areas, 0, 1, nan_color=CLEAR)
        glyphs["resolved"][0].line_color = linear_cmap("hit", areas, 0, 1, nan_color=CLEAR)
        glyphs["missed"][0].fill_color = linear_cmap("hit", points, 0, 1, nan_color=CLEAR)
        glyphs["traded"][0].fill_color = palette.volume
        for glyph in glyphs["beyond"]:
            glyph.fill_color = glyph.line_color = palette.candle
        for glyph in glyphs["labels"]:
            glyph.text_color = palette.ink
        self.market.last.line_color = self.cross.line_color = palette.muted
        for score in self.scores:
            score.paint(models, palette)

    def draw(self, snapshot: Snapshot, palette: Palette, models: Mapping[str, str], regimes: Mapping[str, str]) -> None:
        """Draw the snapshot; of the bars only what has changed is sent."""
        step = interval_ms(snapshot.key.series.interval)
        limits = measured(snapshot.bars)
        up = (snapshot.bars["close"] >= snapshot.bars["open"]).astype(np.float64)
        bars = snapshot.bars | {"up": up, "least": limits["least"], "most": limits["most"]}
        feed(self.market.bars, self.drawn, bars)
        self.drawn = bars
        room = limits["floor"][-1], limits["ceiling"][-1]
        reach = {"least": np.clip(snapshot.fan["q05"], *room), "most": np.clip(snapshot.fan["q95"], *room)}
        self.market.fan.data = {**snapshot.fan, **reach}
        self.market.chosen.data = {**at(snapshot.fan, snapshot.key.horizon)}
        self.market.regimes.data = {
            "start": [run.start - step / 2 for run in snapshot.runs],
            "end": [run.end - step / 2 for run in snapshot.runs],
            "state": [state_name(run.state) for run in snapshot.runs],
            "colour": [regimes[run.state] for run in snapshot.runs],
        }
        self._measure(float(bars["close"][-1]), step)
        self._look(snapshot, step)
        for score in self.scores:
            score.draw(snapshot.scores, models, palette)

    def _measure(self, close: float, step: int) -> None:
        """Set what depends on the size of a bar and of a price."""
        for name, bars in WIDTHS.items():
            self.market.glyphs[name][0].width = bars * step
        self.market.prices.default_span = close * FLAT
        self.market.last.location = close

    def _look(self, snapshot: Snapshot, step: int) -> None:
        """Follow the newest bar, unless the viewer is looking elsewhere."""
        newest = float(snapshot.bars["time"][-1])
        start, end = newest - snapshot.key.span * step, newest + AHEAD * step
        x_range, subject = self.market.x_range, (snapshot.key.series, snapshot.key.span)
        if subject != self.subject or (x_range.start, x_range.end) == self.placed:
            x_range.start, x_range.end = start, end
            self.placed = (start, end)
        x_range.reset_start, x_range.reset_end = start, end
        self.subject = subject
