"""Bars persisted as the stream persists them, in a database of their own."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql
from stacks import drop_database
from storing import store

from features.frame import BarFrame
from sources.reading.reader import open_files
from sources.reading.request import ReadRequest
from sources.replay.frames import records
from sources.tables.columns import size
from stack.sample import FILES
from storage.timescale import migrate
from topics.catalog import BARS
from topics.records import Bar

DAY = 86_400_000
FIRST = 1_746_372_780_000
"""The first bar of the sample: 2025-05-04 15:33."""
_numbers = count()


@contextmanager
def new_database(server: str) -> Iterator[str]:
    """Create a database with the schema, give its URL, and drop it."""
    name = f"pipeline_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        url = urlsplit(server)._replace(path=f"/{name}").geturl()
        migrate(url)
        try:
            yield url
        finally:
            drop_database(connection, name)


def persist(url: str, *batches: Sequence[Bar]) -> None:
    """Store bars as `stream.persist` does."""
    store(url, *({BARS: batch} for batch in batches))


def replayed(end: int | None = None, files: Sequence[Path] = FILES) -> Iterator[list[Bar]]:
    """Yield the bars of files up to a time as a replay sends them."""
    with tempfile.TemporaryDirectory() as scratch:
        reader = open_files(files, ReadRequest(end=end), Path(scratch), lambda _: None)
        for part in reader.parts(Path(scratch)):
            for number, rows in part.rows.items():
                if size(rows):
                    yield records(reader.registry.series[number], rows)


def same(one: Sequence[BarFrame], other: Sequence[BarFrame]) -> bool:
    """Return whether two histories are the same, bit for bit."""
    return [_bits(frame) for frame in one] == [_bits(frame) for frame in other]


def _bits(frame: BarFrame) -> tuple[object, ...]:
    numbers = frame.numbers.copy()
    numbers[numbers != numbers] = float("nan")  # noqa: PLR0124 - one NaN is as good as another
    return frame.symbol, frame.interval, frame.time.tobytes(), frame.gap.tobytes(), numbers.tobytes()
