"""All plots of one page, and how a snapshot is drawn on them."""

from collections.abc import Mapping

import numpy as np
from bokeh.plotting import figure

from dashboard.charts import Score, empty, feed, market, score
from dashboard.columns import Columns
from dashboard.fan import at
from dashboard.paint import named, paint_market, paint_score
from dashboard.palette import Palette
from dashboard.reading import SCORE_COLUMNS, Snapshot
from dashboard.wording import decimals, state_name
from topics.records import HORIZONS
from topics.units import interval_ms

NOMINAL = 0.9
BODY_WIDTH = 0.7
FULL_WIDTH = 1.0


class Drawing:
    """The plots, what was drawn last, and where the view was put, to tell whether the viewer has moved it."""

    def __init__(self) -> None:
        self.market = market()
        self.coverage = score("coverage", NOMINAL, "0")
        self.skill = score("skill", 0.0, "1")
        self.drawn: Columns | None = None
        self.subject: object = None
        self.placed: tuple[float, float] | None = None

    def plots(self) -> tuple[figure, ...]:
        """Return the plots, each a root of the document."""
        return self.market.price, self.market.ribbon, self.market.volume, self.coverage.plot, self.skill.plot

    def paint(self, palette: Palette, models: Mapping[str, str], model: str | None) -> None:
        """Recolour everything."""
        paint_market(self.market, palette, models.get(model or "", palette.baseline))
        for one in (self.coverage, self.skill):
            paint_score(one, palette, dict(models))

    def draw(self, snapshot: Snapshot, palette: Palette, models: Mapping[str, str], regimes: Mapping[str, str]) -> None:
        """Draw the snapshot; what has not changed is not sent again."""
        step = interval_ms(snapshot.key.series.interval)
        bars = snapshot.bars | {"up": (snapshot.bars["close"] >= snapshot.bars["open"]).astype(np.float64)}
        if self.drawn is not bars:
            feed(self.market.bars, self.drawn, bars)
            self.drawn = bars
        self.market.fan.data = dict(snapshot.fan)
        self.market.chosen.data = dict(at(snapshot.fan, snapshot.key.horizon))
        self.market.regimes.data = {
            "start": [run.start - step / 2 for run in snapshot.runs],
            "end": [run.end - step / 2 for run in snapshot.runs],
            "state": [state_name(run.state) for run in snapshot.runs],
            "colour": [regimes[run.state] for run in snapshot.runs],
        }
        self._measure(snapshot, step)
        self._look(snapshot, step)
        for one in (self.coverage, self.skill):
            self._draw_score(one, snapshot, palette, dict(models))

    def _measure(self, snapshot: Snapshot, step: int) -> None:
        """Set what depends on the size of a bar and of a price."""
        for plot, name, share in (
            (self.market.price, "resolved", FULL_WIDTH),
            (self.market.price, "reach", FULL_WIDTH),
            (self.market.price, "body", BODY_WIDTH),
            (self.market.volume, "traded", BODY_WIDTH),
        ):
            for renderer in named(plot, name):
                renderer.glyph.width = share * step
        close = float(snapshot.bars["close"][-1])
        self.market.price.yaxis.formatter.format = "0,0." + "0" * decimals(close)
        for span in self.market.price.center:
            if getattr(span, "name", None) == "last":
                span.location = close

    def _look(self, snapshot: Snapshot, step: int) -> None:
        """Follow the newest bar, unless the viewer is looking elsewhere."""
        end = float(snapshot.bars["time"][-1])
        start, end = end - snapshot.key.span * step, end + (max(HORIZONS) + 4) * step
        x_range, subject = self.market.x_range, (snapshot.key.series, snapshot.key.span)
        here = (x_range.start, x_range.end)
        if subject != self.subject or self.placed is None or here == self.placed:
            x_range.start, x_range.end = start, end
            self.placed = (start, end)
        x_range.reset_start, x_range.reset_end = start, end
        self.subject = subject

    def _draw_score(self, one: Score, snapshot: Snapshot, palette: Palette, models: dict[str, str]) -> None:
        for model in sorted(set(snapshot.scores) - set(one.sources)):
            source = empty(*SCORE_COLUMNS)
            one.sources[model] = source
            one.lines[model] = one.plot.line("time", one.column, source=source, name=model, line_width=1.8)
            paint_score(one, palette, models)
        for model, source in one.sources.items():
            source.data = snapshot.scores.get(model) or {name: np.empty(0) for name in SCORE_COLUMNS}
        values = [columns[one.column] for columns in snapshot.scores.values()]
        low, high = _extent(values, around=NOMINAL if one.column == "coverage" else 0.0)
        one.plot.y_range.start, one.plot.y_range.end = low, high


def _extent(values: list[Columns], around: float, least: float = 0.02) -> tuple[float, float]:
    """Return a range that holds all values and the reference, never so narrow that noise looks like news."""
    known = np.concatenate([np.array([around - least, around + least]), *values])
    known = known[np.isfinite(known)]
    margin = 0.08 * (known.max() - known.min())
    return float(known.min() - margin), float(known.max() + margin)
