"""The champions' scores by hour, of which only the newest are read again; curves and the board are sums of them."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple

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


class Summed(NamedTuple):
    """Hours [n, s since 1970], which ascend, and a row of sums for each [n, 7]."""

    hours: Ints
    sums: Floats


@dataclass(frozen=True, eq=False)
class Hours:
    """The sums of each series; the same object until one has changed."""

    by_series: Mapping[Series, Summed]


NO_HOURS = Hours({})
NOTHING = Summed(np.empty(0, dtype=np.int64), np.empty((0, len(Sums._fields))))
Rows = list[tuple[Any, ...]]
"""Of a model, a horizon and an hour the sums, in this order; None is a sum of nothing."""


class HourlyScores:
    """The sums behind one connection."""

    def __init__(self, connection: Connection, interval: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._connection, self._interval = connection, interval
        self._reach = (max(HORIZONS) + 1) * timedelta(milliseconds=interval_ms(interval)) + HOUR
        self._whole: Kept[tuple[str | None, Window], tuple[datetime, Hours]] = Kept(WHOLE_S, clock)
        self._joined: Kept[tuple[str | None, Window], Hours] = Kept()

    def read(self, market: Market, newest: datetime) -> Hours:
        """Return the hours of all horizons that the window needs, up to the newest forecast that was scored."""
        whole, key = newest - market.window.length - market.window.rolling, (market.symbol, market.window)
        # A stamp that is never the same: the age alone decides.
        until, known = self._whole.get(key, object(), lambda: (newest, summed(self._rows(market, whole, newest))))
        # A forecast is scored as late as its horizon is long: the hours before are those that were read.
        since = min(until, newest) - self._reach
        rows = self._rows(market, since, newest)
        return self._joined.get(key, (known, since, rows), lambda: joined(known, since, summed(rows)))

    def _rows(self, market: Market, since: datetime, end: datetime) -> Rows:
        parameters = {"interval": self._interval, "symbol": market.symbol, "since": since, "end": end}
        return self._connection.execute(QUERIES["hours"], parameters).fetchall()


def summed(rows: Rows) -> Hours:
    """Return rows, which are in order, as arrays: a month of four models takes .75 MB, as tuples 5.7."""
    of = {}
    for series, group in groupby(rows, key=lambda row: Series(*row[:2])):
        hours = list(group)
        sums = [[value or 0.0 for value in row[3:]] for row in hours]
        of[series] = Summed(np.array([row[2] for row in hours], dtype=np.int64), np.array(sums, dtype=np.float64))
    return Hours(of)


def joined(older: Hours, since: datetime, newer: Hours) -> Hours:
    """Return the older hours up to `since`, and the newer after it."""
    first, of = since.timestamp(), {}
    for series in sorted(older.by_series.keys() | newer.by_series.keys()):
        before, after = (one.by_series.get(series, NOTHING) for one in (older, newer))
        kept = before.hours <= first
        hours, sums = (np.concatenate([old[kept], new]) for old, new in zip(before, after, strict=True))
        of[series] = Summed(hours, sums)
    return Hours(of)


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
