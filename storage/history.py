"""What was stored of one bar: its features with those of the bars before, and what was forecast at it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import psycopg
from psycopg import Connection

from features.frame import FeatureFrame
from storage.errors import StorageError, place, reason

FEATURES = """
SELECT (extract(epoch FROM time) * 1000)::float8, close, fingerprint, values
FROM features
WHERE symbol = %s AND interval = %s AND time <= %s
ORDER BY time DESC
LIMIT %s
"""
PUBLISHED = """
SELECT version, mean
FROM predictions
WHERE symbol = %s AND interval = %s AND time = %s AND model = %s AND horizon = %s
ORDER BY version
"""


@dataclass(frozen=True)
class Published:
    """The mean that a version of a model published for one bar and horizon, as a log return; None: it was silent."""

    version: str
    mean: float | None


@contextmanager
def opened(url: str) -> Iterator[Connection]:
    """Open a connection to read from. Raises StorageError where the database cannot be reached or refuses."""
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            yield connection
    except psycopg.Error as error:
        raise StorageError(f"{place(url)} cannot be read: {reason(error)}") from None


def features(connection: Connection, symbol: str, interval: str, time: int, rows: int) -> FeatureFrame | None:
    """Return the features of the newest `rows` bars up to `time` (epoch ms), None where there is no bar.

    They are of one definition, the last bar's: what lies before a change of it is left out.
    """
    with connection.cursor(binary=True) as cursor:
        found = cursor.execute(FEATURES, (symbol, interval, _moment(time), rows)).fetchall()
    if not found:
        return None
    fingerprint = str(found[0][2])
    alike = next((count for count, row in enumerate(found) if row[2] != fingerprint), len(found))
    times, closes, _, values = zip(*found[:alike][::-1], strict=True)
    return FeatureFrame(
        symbol,
        interval,
        fingerprint,
        np.array(times, dtype=np.float64).round().astype(np.int64),
        np.array(closes, dtype=np.float64),
        np.array(values, dtype=np.float64),
    )


def published(
    connection: Connection, symbol: str, interval: str, time: int, model: str, horizon: int
) -> list[Published]:
    """Return what each version of a model published for one bar (epoch ms) and horizon."""
    rows = connection.execute(PUBLISHED, (symbol, interval, _moment(time), model, horizon)).fetchall()
    return [Published(version, mean) for version, mean in rows]


def _moment(time: int) -> datetime:
    return datetime.fromtimestamp(time / 1000, UTC)
