"""Reads what was known at a moment of the past: the same snapshot as the page's own, of what was stored up to then."""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

from psycopg import Connection

from dashboard.database import connected
from dashboard.live.columns import Columns
from dashboard.live.queries import QUERIES
from dashboard.live.series_reader import BUCKET_BARS, Key, Newest, Snapshot, read_scores, read_snapshot
from dashboard.wanted_reader import WantedReader

KEPT = 64
"""For so many hours the scores are kept: they cost more to read than all else, and are the same for a whole hour."""
EPOCH = datetime.fromtimestamp(0, UTC)

serials = count(-1, -1)
"""Below zero, and so none of the page's own reader."""


class ReplaySource:
    """A connection, and the scores that were read from it."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.scores: OrderedDict[Key, dict[str, Columns]] = OrderedDict()


ReplayReader = WantedReader[ReplaySource, Key, Snapshot | None]


@contextmanager
def source(url: str) -> Iterator[ReplaySource]:
    """Open a source. Raises psycopg.Error."""
    with connected(url) as connection:
        yield ReplaySource(connection)


def read(source: ReplaySource, key: Key) -> Snapshot | None:
    """Return what was known at the key's moment, None if that was nothing: of bars those that had ended."""
    if key.until is None:
        return None
    bar = datetime.fromtimestamp(key.until / 1000, UTC) - key.step
    parameters = {"symbol": key.series.symbol, "interval": key.series.interval, "bar": bar}
    row = source.connection.execute(QUERIES["newest_until"], parameters).fetchone() or (None, None, None)
    newest_bar, prediction, regime = row
    if newest_bar is None:
        return None
    newest = Newest(bar=newest_bar, prediction=prediction, outcome=_came_true(key, bar), regime=regime)
    return read_snapshot(source.connection, key, newest, _scores(source, key, bar), next(serials))


def _scores(source: ReplaySource, key: Key, bar: datetime) -> dict[str, Columns]:
    """Return the scores of the buckets that were full by then: the last one is not shown while it fills."""
    full = bar - (bar - EPOCH) % (BUCKET_BARS * key.step)
    same = replace(key, until=round(full.timestamp() * 1000), span=0, window=key.window, model=None)
    if same not in source.scores:
        newest = Newest(bar=full, prediction=None, outcome=_came_true(key, full), regime=None)
        source.scores[same] = read_scores(source.connection, key, newest)
        while len(source.scores) > KEPT:
            source.scores.popitem(last=False)
    return source.scores[same]


def _came_true(key: Key, bar: datetime) -> datetime:
    """Return the last bar whose forecast at the key's horizon has come true with that bar."""
    horizon: timedelta = key.horizon * key.step
    return bar - horizon
