"""What tells of a forecast that the viewer opens: the live page knows no more of it than this."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from bokeh.document import Document
from bokeh.plotting import figure

from dashboard.live.look import Look
from dashboard.live.view_state import BarSeries
from topics.units import interval_ms


@dataclass(frozen=True, kw_only=True)
class ForecastKey:
    """A forecast: of a model at the bar at `time` [epoch ms], `horizon` bars ahead.

    With `until` [epoch ms] it is told as it was known then, in a replay.
    """

    series: BarSeries
    model: str
    horizon: int
    time: int
    until: int | None = None

    def known(self, bar: float) -> bool:
        """Return whether a bar [epoch ms] had ended by then."""
        return self.until is None or bar + interval_ms(self.series.interval) <= self.until


class Detail(ABC):
    """The place on one viewer's page where the opened forecast is told of."""

    @abstractmethod
    def attach(self, document: Document, price: figure) -> None:
        """Add its roots to the document, and what marks the forecast among the candles."""

    @abstractmethod
    def show(self, key: ForecastKey | None, look: Look) -> None:
        """Tell of that forecast, of none if it is None. Never waits: it is called at every tick."""
