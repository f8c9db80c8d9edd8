"""Reads the stored features of a bar and those before it, and its forecasts."""

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
    """Open a connection to read from. Raises StorageError if the database cannot be reached or refuses."""
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            yield connection
    except psycopg.Error as error:
        raise StorageError(f"{place(url)} cannot be read: {reason(error)}") from None


def features(connection: Connection, symbol: str, interval: str, time: int, rows: int) -> FeatureFrame | None:
    """Return the features of the newest `rows` bars up to `time` (epoch ms), None if there is no bar.

    They are of one definition, the last bar's: rows before a change of it are left out.
    """
    with connection.cursor(binary=True) as cursor:
        result = cursor.execute(FEATURES, (symbol, interval, _moment(time), rows)).fetchall()
    if not result:
        return None
    fingerprint = str(result[0][2])
    alike = next((count for count, row in enumerate(result) if row[2] != fingerprint), len(result))
    times, closes, _, values = zip(*result[:alike][::-1], strict=True)
    return FeatureFrame(
        symbol=symbol,
        interval=interval,
        fingerprint=fingerprint,
        time=np.array(times, dtype=np.float64).round().astype(np.int64),
        close=np.array(closes, dtype=np.float64),
        values=np.array(values, dtype=np.float64),
    )


def published(
    connection: Connection, symbol: str, interval: str, time: int, model: str, horizon: int
) -> list[Published]:
    """Return each version's published forecast of a model for one bar (epoch ms) and horizon."""
    rows = connection.execute(PUBLISHED, (symbol, interval, _moment(time), model, horizon)).fetchall()
    return [Published(version, mean) for version, mean in rows]


def _moment(time: int) -> datetime:
    return datetime.fromtimestamp(time / 1000, UTC)
