"""The panels beside the market, in the order of the page: a line each. The page's template goes through both tables."""

from collections.abc import Callable
from typing import NamedTuple

from dashboard.lag import LagMonitor
from dashboard.live import forecast_list, forecast_text, header
from dashboard.live.look import Look
from dashboard.live.rate_meter import Rates
from dashboard.live.series_reader import Snapshot

NOMINAL = 0.9


class ScorePanel(NamedTuple):
    """A plot of one column of the scores over time: a line for each model, and one at the reference.

    `places` are those of the axis' percent; `title` makes HTML of the snapshot and the look.
    """

    column: str
    reference: float
    places: int
    title: Callable[[Snapshot, Look], str]

    @property
    def title_name(self) -> str:
        """The name of the title among the page's roots."""
        return f"{self.column}_title"


class TextPanel(NamedTuple):
    """A panel of text: `drawn` makes HTML of a new snapshot and the look, `now` of each tick's figures."""

    name: str
    drawn: Callable[[Snapshot, Look], str] | None = None
    now: Callable[[Rates, LagMonitor], str] | None = None


SCORES = (
    ScorePanel("coverage", NOMINAL, 0, header.coverage_title),
    ScorePanel("skill", 0.0, 1, header.skill_title),
)
TEXTS = (
    TextPanel("forecasts", drawn=forecast_text.table),
    TextPanel("last_forecasts", drawn=forecast_list.table),
    TextPanel("board", drawn=header.board),
    TextPanel("pipeline", now=lambda rates, lag: header.pipeline(rates, lag.now(), lag.conditions(), lag.problem())),
)


def names() -> list[str]:
    """Return the names of what is text in them."""
    return [score.title_name for score in SCORES] + [panel.name for panel in TEXTS]
