"""The history to train on: stored bars, or those of files."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import psycopg
from psycopg import Connection, IsolationLevel, sql

from features.frame import BAR_COLUMNS, BarFrame
from settings import Settings
from sources.reading.bars import read_bars
from storage.binary_copy import HEADER, POSTGRES_EPOCH_MS, TRAILER
from storage.errors import StorageError, place, reason
from topics.catalog import DAY_MS
from topics.units import interval_ms

Rows = npt.NDArray[Any]
"""Of the type `ROW`."""

BLOCK_ROWS = 16_384
"""The rows decoded at once, in memory in addition to the frames."""
NEWEST = "SELECT (extract(epoch FROM max(time)) * 1000)::float8 FROM bars WHERE interval = %s"
SYMBOLS = """
SELECT symbol, count(*) FROM bars WHERE interval = %s AND time >= %s AND time < %s GROUP BY symbol ORDER BY symbol
"""
# Unknown numbers are sent as NaN, which no bar contains: all rows then have one length, and are decoded as columns.
ROWS = sql.SQL(
    "COPY (SELECT time, gap, {numbers} FROM bars WHERE symbol = {symbol} AND interval = {interval} "
    "AND time >= {begin} AND time < {end} ORDER BY time) TO STDOUT (FORMAT binary)"
)
ROW = np.dtype(
    [("columns", ">i2"), ("time_size", ">i4"), ("time", ">i8"), ("gap_size", ">i4"), ("gap", ">i8")]
    + [part for name in BAR_COLUMNS for part in ((f"{name}_size", ">i4"), (name, ">f8"))]
)


def bars(settings: Settings, days: float, until: int | None = None, files: Sequence[Path] = ()) -> list[BarFrame]:
    """Return the bars of the last days of the stream, or of files: one frame a symbol, none without a bar.

    `days` are counted back from `until` (exclusive, epoch ms), or from the end of the newest bar. Raises StorageError
    if the database cannot be read, SourceError if a file cannot be used.
    """
    if files:
        frames = read_bars(files, settings.interval, until)
        end = _end(max(int(frame.time[-1]) for frame in frames), settings.interval) if until is None else until
        frames = [frame[int(np.searchsorted(frame.time, end - days * DAY_MS)) :] for frame in frames]
        return [frame for frame in frames if len(frame)]
    url = settings.database_url.get_secret_value()
    try:
        with psycopg.connect(url) as connection:
            connection.isolation_level = IsolationLevel.REPEATABLE_READ  # so that the rows are those counted
            return list(_stored(connection, settings.interval, days, until))
    except psycopg.Error as error:
        raise StorageError(f"the bars at {place(url)} cannot be read: {reason(error)}") from None


def newest_bar(connection: Connection, interval: str) -> int | None:
    """Return the time (epoch ms) of the newest bar that is stored, None if there is none."""
    row = connection.execute(NEWEST, (interval,)).fetchone()
    return None if row is None or row[0] is None else round(row[0])


def _stored(connection: Connection, interval: str, days: float, until: int | None) -> Iterator[BarFrame]:
    newest = newest_bar(connection, interval)
    if newest is None:
        return
    end = _end(newest, interval) if until is None else until
    span = _moment(end - round(days * DAY_MS)), _moment(end)
    for symbol, count in connection.execute(SYMBOLS, (interval, *span)).fetchall():
        yield _frame(connection, symbol, interval, span, count)


def _frame(connection: Connection, symbol: str, interval: str, span: tuple[datetime, datetime], count: int) -> BarFrame:
    """Return one symbol's bars, of which there are `count`; they are decoded block by block."""
    time, gap = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64)
    columns = {name: np.empty(count) for name in BAR_COLUMNS}
    numbers = sql.SQL(", ").join(
        sql.SQL("coalesce({}::float8, 'NaN')").format(sql.Identifier(name)) for name in BAR_COLUMNS
    )
    query = ROWS.format(numbers=numbers, symbol=symbol, interval=interval, begin=span[0], end=span[1])
    at = 0
    for rows in _blocks(connection, query):
        to = slice(at, at + len(rows))
        time[to], gap[to] = rows["time"] // 1_000 + POSTGRES_EPOCH_MS, rows["gap"]
        for name, values in columns.items():
            values[to] = rows[name]
        at += len(rows)
    return BarFrame.build(symbol, interval, time, gap, **columns)


def _blocks(connection: Connection, query: sql.Composed) -> Iterator[Rows]:
    """Yield the rows of a COPY, whose chunks may be cut anywhere."""
    waiting, skip = bytearray(), len(HEADER)
    with connection.cursor() as cursor, cursor.copy(query) as copy:
        for piece in copy:
            waiting += piece
            if len(waiting) - skip >= BLOCK_ROWS * ROW.itemsize:
                end = skip + (len(waiting) - skip) // ROW.itemsize * ROW.itemsize
                yield np.frombuffer(bytes(waiting[skip:end]), dtype=ROW)
                waiting, skip = waiting[end:], 0
    rest = bytes(waiting[skip : len(waiting) - len(TRAILER)])
    yield np.frombuffer(rest, dtype=ROW)


def _end(newest: int, interval: str) -> int:
    return newest + interval_ms(interval)


def _moment(time: int) -> datetime:
    return datetime.fromtimestamp(time / 1_000, UTC)
