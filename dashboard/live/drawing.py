"""All plots of one page, and how a snapshot is drawn on them."""

from collections.abc import Mapping
from contextlib import nullcontext
from types import MappingProxyType

import numpy as np
from bokeh.models.tools import CrosshairTool
from bokeh.plotting import figure
from bokeh.transform import linear_cmap

from dashboard.fill import fill
from dashboard.live import layers, panels
from dashboard.live.charts import feed, market
from dashboard.live.columns import Columns
from dashboard.live.fan import at, slots
from dashboard.live.look import Look
from dashboard.live.plot_tools import equip, set_zone
from dashboard.live.price_range import measured
from dashboard.live.price_sheets import offer_market
from dashboard.live.scores import Score
from dashboard.live.series_reader import Snapshot
from dashboard.live.timeframes import Window, around, newest
from dashboard.number_format import state_name
from dashboard.palette import Palette, model_dash
from dashboard.time_axis import times
from dashboard.together import together
from topics.records import HORIZONS
from topics.units import interval_ms

WIDTHS = {"resolved": 1.0, "reach": 1.0, "body": 0.7, "traded": 0.7}
"""Widths in candles."""
AHEAD = max(HORIZONS) + 4
FLAT = 0.01
"""How much of the price the axis spans where all is at one price."""
CLEAR = "rgba(0, 0, 0, 0)"
NOWHERE = (float("nan"), float("nan"))
"""A view that is none, not even this one."""
UNREAD: Mapping[str, Columns] = MappingProxyType({})
"""Drawn while the scores were not read yet: those of another choice are not left there."""


class Drawing:
    """The plots, what was drawn last, and where the view was put, to tell whether the viewer has moved it."""

    def __init__(self) -> None:
        self.market = market()
        self.cross = equip(self.market)
        self.scores = tuple(Score(panel.column, panel.reference, panel.places) for panel in panels.SCORES)
        for score in self.scores:
            score.plot.add_tools(CrosshairTool(overlay=self.cross))
        self.painted: object = None
        self.drawn: Columns | None = None
        self.frame: str | None = None
        self.zone = "UTC"
        self.offered = ""
        self.subject: object = None
        self.placed: tuple[float, float] | None = None

    def plots(self) -> tuple[figure, ...]:
        """Return the plots, each a root of the document."""
        return self.market.price, self.market.ribbon, self.market.volume, *(score.plot for score in self.scores)

    def window(self, interval: str, span: int, subject: object) -> Window:
        """Return what has to be read of a series for what the viewer looks at."""
        if self.following or subject != self.subject:
            return newest(interval, span)
        return around(interval, *self.view)

    @property
    def view(self) -> tuple[float, float]:
        """Return from when to when the viewer looks [epoch ms]."""
        start, end = self.market.x_range.start, self.market.x_range.end
        return float(start), float(end)  # type: ignore[arg-type] # of a range of times, which are numbers here

    @property
    def following(self) -> bool:
        """Return whether the view is where it was put: at the newest bars, also after a reset."""
        x_range = self.market.x_range
        return self.placed is None or self.view in (self.placed, (x_range.reset_start, x_range.reset_end))

    def look_at(self, subject: object, start: float, end: float) -> None:
        """Show a part of the past of a series and span, and stay there."""
        self.subject, self.placed = subject, NOWHERE
        self.market.x_range.start, self.market.x_range.end = start, end

    def release(self) -> None:
        """Follow the newest bar again."""
        self.placed = None

    def paint(self, look: Look) -> None:
        """Colour what a Bokeh theme cannot, because it belongs to one glyph: the fan has its model's colour."""
        painted = look.palette, dict(look.models), look.model, look.hidden, look.old
        if self.painted == painted:
            return
        self.painted = painted
        with together(self.market.price):
            self._paint(look, look.palette)

    def _paint(self, look: Look, palette: Palette) -> None:
        glyphs = self.market.glyphs
        for glyph in (*glyphs["fan"], *glyphs["fan beyond"]):
            for name in glyph.properties() & {"fill_color", "line_color"}:
                setattr(glyph, name, look.fan)
        self.market.layers[layers.MEDIAN][0].glyph.line_dash = list(model_dash(look.model or ""))
        for name, renderers in self.market.layers.items():
            for renderer in renderers:
                renderer.visible = name not in look.hidden
        for glyph in (*glyphs["wick"], *glyphs["body"]):
            glyph.line_color = palette.candle
        glyphs["body"][0].fill_color = linear_cmap("up", (palette.candle, palette.card), 0, 1)
        colours = {layers.MISSED: palette.miss_area, layers.HIT: palette.hit_area}
        areas = tuple(CLEAR if name in look.hidden else colour for name, colour in colours.items())
        # Opaque, and with a line of the same colour: no seams show between intervals that are narrow.
        glyphs["resolved"][0].fill_color = linear_cmap("hit", areas, 0, 1, nan_color=CLEAR)
        glyphs["resolved"][0].line_color = linear_cmap("hit", areas, 0, 1, nan_color=CLEAR)
        glyphs["missed"][0].fill_color = linear_cmap("hit", (palette.miss, CLEAR), 0, 1, nan_color=CLEAR)
        glyphs["traded"][0].fill_color = palette.volume
        for glyph in glyphs["beyond"]:
            glyph.fill_color = glyph.line_color = palette.candle
        for glyph in glyphs["labels"]:
            glyph.text_color = palette.ink
        for line in (self.market.last, self.cross):
            line.line_color = palette.muted
        self.market.dated.text_color = palette.muted
        for score in self.scores:
            score.paint(look.models, palette, look.hidden)

    def draw(self, snapshot: Snapshot, look: Look) -> None:
        """Draw the snapshot; of the bars only what has changed is sent."""
        step, frame = interval_ms(snapshot.key.series.interval), interval_ms(snapshot.key.window.timeframe)
        if snapshot.key.series.symbol != self.offered:
            self.offered = snapshot.key.series.symbol
            with together(self.market.price):
                offer_market(self.market, self.offered)
        self._bars(snapshot, frame - step)
        self._fan(snapshot, look)
        # A candle is drawn around the middle of its bars, each of which is drawn around its beginning.
        regimes = {
            "start": [run.start - step / 2 for run in snapshot.runs],
            "end": [run.end - step / 2 for run in snapshot.runs],
            "first": [run.start for run in snapshot.runs],
            "last": [run.end for run in snapshot.runs],
            "state": [state_name(run.state) for run in snapshot.runs],
            "colour": [look.regimes[run.state] for run in snapshot.runs],
        }
        fill(self.market.regimes, regimes)
        for name, candles in WIDTHS.items():
            self.market.glyphs[name][0].width = candles * frame
        self.market.prices.default_span = snapshot.latest.close * FLAT
        self.market.last.location = snapshot.latest.close
        self._look(snapshot, step)
        if look.clock.name != self.zone:
            self.zone = look.clock.name
            self.market.volume.xaxis.formatter = times(self.zone, dated=True)
            set_zone(self.market, self.zone)
        self._scores(UNREAD if snapshot.scores is None else snapshot.scores, look)

    def _scores(self, scores: Mapping[str, Columns], look: Look) -> None:
        """Draw the scores; the lines of new models in all plots together."""
        new = any(score.without_line(scores) for score in self.scores)
        with together(self.market.price) if new else nullcontext():
            for score in self.scores:
                score.draw(scores, look.models, look.palette, look.clock)

    def _bars(self, snapshot: Snapshot, longer: int) -> None:
        """Draw the candles; `longer` is by how much [ms] one is longer than a bar."""
        bars = snapshot.bars
        limits = measured(bars) if len(bars["time"]) else {"least": bars["time"], "most": bars["time"]}
        up = (bars["close"] >= bars["open"]).astype(np.float64)
        middle = {"start": bars["time"], "time": bars["time"] + longer / 2}
        shown = bars | middle | {"up": up, "least": limits["least"], "most": limits["most"]}
        # Candles of another length are all others, even where their times are the same.
        feed(self.market.bars, self.drawn if snapshot.key.window.timeframe == self.frame else None, shown)
        self.drawn, self.frame = shown, snapshot.key.window.timeframe
        for start in self.market.starts:
            start.visible = not len(bars["time"])
        room = (limits["floor"][-1], limits["ceiling"][-1]) if "floor" in limits else (-np.inf, np.inf)
        reach = {"least": np.clip(snapshot.fan["q05"], *room), "most": np.clip(snapshot.fan["q95"], *room)}
        fill(self.market.fan, {**snapshot.fan, **reach})

    def _fan(self, snapshot: Snapshot, look: Look) -> None:
        """Draw the chosen horizon, what can be pointed at, and the date of a fan that is old."""
        fill(self.market.chosen, at(snapshot.fan, snapshot.key.horizon))
        now = snapshot.newest.bar.timestamp() * 1000 if snapshot.newest.bar else np.inf
        ahead = snapshot.fan["time"] > now  # over the candles, it is theirs that is pointed at
        fill(self.market.points, slots({name: column[ahead] for name, column in snapshot.fan.items()}, now))
        dated = self.market.dated
        dated.visible = look.old and len(snapshot.fan["time"]) > 0
        if dated.visible:
            made = float(snapshot.fan["time"][0])
            dated.x, dated.y = made, float(snapshot.fan["q50"][0])
            dated.text = f"forecast of {look.clock.moment(made)}"

    def _look(self, snapshot: Snapshot, step: int) -> None:
        """Follow the newest bar, unless the viewer is looking elsewhere."""
        if snapshot.newest.bar is None:
            return
        last = snapshot.newest.bar.timestamp() * 1000
        start, end = last - snapshot.key.span * step, last + AHEAD * step
        x_range, subject = self.market.x_range, (snapshot.key.series, snapshot.key.span)
        if subject != self.subject or self.following:
            x_range.start, x_range.end = start, end
            self.placed = (start, end)
        x_range.reset_start, x_range.reset_end = start, end
        self.subject = subject
