"""The champions' scores by hour, of which only the newest are read again; curves and the board are sums of them."""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np
from psycopg import Connection

from dashboard.analytics.queries import QUERIES
from dashboard.analytics.source import Kept
from dashboard.analytics.view_state import Market, Window
from dashboard.live.columns import Columns
from evaluation.labels import Ints
from evaluation.sum_metrics import quotient
from models.forecaster import Floats
from topics.records import HORIZONS
from topics.units import interval_ms

WHOLE_S = 60.0
"""How old the sums of older hours may be: outcomes of a replay of the past are seen after so many seconds."""
HOUR = timedelta(hours=1)
LEAST_SCORED = 60
"""Over fewer forecasts no point is drawn."""


class Series(NamedTuple):
    """A champion's forecasts at one horizon [bars]."""

    model: str
    horizon: int


class Sums(NamedTuple):
    """What was summed over forecasts; of the losses, over those of which the naive model has one too, and 0 of none."""

    scored: float
    pinball: float
    naive_pinball: float
    absolute_error: float
    naive_absolute_error: float
    intervals: float
    hits: float


Hours = Mapping[tuple[Series, int], Sums]
"""The sums by series and hour [s since 1970]."""


class HourlyScores:
    """The sums behind one connection."""

    def __init__(self, connection: Connection, interval: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._connection, self._interval = connection, interval
        self._reach = (max(HORIZONS) + 1) * timedelta(milliseconds=interval_ms(interval)) + HOUR
        self._whole: Kept[tuple[str | None, Window], tuple[datetime, Hours]] = Kept(WHOLE_S, clock)

    def read(self, market: Market, newest: datetime) -> Hours:
        """Return the hours of all horizons that the window needs, up to the newest forecast that was scored."""
        whole = newest - market.window.length - market.window.rolling
        # A stamp that is never the same: the age alone decides.
        until, known = self._whole.get(
            (market.symbol, market.window), object(), lambda: (newest, self._hours(market, whole, newest))
        )
        # A forecast is scored as late as its horizon is long: the hours before are those that were read.
        since = min(until, newest) - self._reach
        first = since.timestamp()
        older = {(series, hour): sums for (series, hour), sums in known.items() if hour <= first}
        return older | self._hours(market, since, newest)

    def _hours(self, market: Market, since: datetime, end: datetime) -> dict[tuple[Series, int], Sums]:
        parameters = {"interval": self._interval, "symbol": market.symbol, "since": since, "end": end}
        rows = self._connection.execute(QUERIES["hours"], parameters)
        return {
            (Series(model, horizon), hour): Sums(*(value or 0.0 for value in sums))
            for model, horizon, hour, *sums in rows
        }


def by_series(hours: Hours) -> Iterator[tuple[Series, Ints, Floats]]:
    """Return each series with its hours [s since 1970], which ascend, and a row of its sums for each."""
    of: dict[Series, list[tuple[int, Sums]]] = {}
    for (series, hour), sums in hours.items():
        of.setdefault(series, []).append((hour, sums))
    for series in sorted(of):
        hours_of, sums_of = zip(*sorted(of[series]), strict=True)
        yield series, np.array(hours_of, dtype=np.int64), np.array(sums_of, dtype=np.float64)


def curve(hours: Ints, sums: Floats, window: Window, newest: datetime) -> Columns:
    """Return a series' skill and coverage (shares) in the window's steps, each over the `rolling` that ends with it.

    `time` is the end of the step in ms UTC, `scored` the number of forecasts.
    """
    step, rolling = round(window.step.total_seconds()), round(window.rolling.total_seconds())
    steps, place = np.unique(hours // step * step, return_inverse=True)
    begin = np.searchsorted(steps, steps - rolling + step)
    of_step = np.zeros((len(steps), len(Sums._fields)))
    np.add.at(of_step, place, sums)
    rolled = np.array([of_step[first : last + 1].sum(axis=0) for last, first in enumerate(begin)])
    scored, pinball, naive, *_, intervals, hits = rolled.T
    shown = (steps >= (newest - window.length).timestamp()) & (scored >= LEAST_SCORED)
    columns = {
        "time": np.minimum(steps + step, newest.timestamp()) * 1000,
        "scored": scored,
        "skill": 1 - quotient(pinball, naive),
        "coverage": quotient(hits, intervals),
    }
    return {name: column[shown] for name, column in columns.items()}
