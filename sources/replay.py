"""Files onto the topics: what `foretick replay` does."""

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from aiokafka.errors import KafkaError
from msgspec.structs import asdict

from settings import Settings
from sources.answering import Answering
from sources.columns import size, take
from sources.counts import Counts
from sources.errors import KafkaAwayError, SourceError
from sources.frames import cut, records
from sources.kafka import Sender, catch_up, cluster_at, sender
from sources.pace import Pace, Rows, speed_of
from sources.progress import identity, load, only_one, save
from sources.reader import Part, Reader, open_files
from sources.times import DateOrder
from sources.wish import Wish
from topics.bounds import BOUNDS
from topics.catalog import BARS, DEAD_LETTERS, TICKS
from topics.records import DeadLetter

OnProgress = Callable[[Counts, int | None], None]
"""Is told the counts so far, and how many rows there are in all: None while the files are looked through."""
GOES_ON = "the same command goes on where this one stopped"
DEAD = "dead-letter"
"""The series of the rows that are impossible."""


def replay(
    files: Sequence[Path],
    settings: Settings,
    *,
    speed: str = "max",
    start: int | None = None,
    end: int | None = None,
    symbol: str | None = None,
    interval: str | None = None,
    date_order: DateOrder | None = None,
    restart: bool = False,
    on_progress: OnProgress = lambda _counts, _total: None,
    say: Callable[[str], None] = lambda _line: None,
) -> Counts:
    """Send the files' rows to the topics, merged by time, and return what was counted.

    `speed` is ``max`` or a number of times real time (``60x``); `start` (inclusive) and `end` (exclusive) are epoch
    ms. A replay of the same files and wishes that was interrupted goes on where it was; one that is complete sends
    nothing, unless `restart`. `say` is told when Kafka does not answer and when it does again. Raises SourceError where
    a file or Kafka cannot serve; it is a KafkaAwayError where Kafka does not answer for the patience of the settings.
    """
    pace, wish = Pace(speed_of(speed)), Wish(start, end, symbol, interval, date_order)
    _check_there(files)
    with tempfile.TemporaryDirectory(prefix="foretick-replay-") as scratch:
        try:
            answering = Answering(str(settings.broker), settings.kafka_patience_s, say)
            work = _replay(files, settings, wish, pace, restart, on_progress, Path(scratch), answering)
            return asyncio.run(answering.watch(work))
        except KafkaAwayError as error:
            raise KafkaAwayError(f"{error}: {GOES_ON}") from None
        except KafkaError as error:
            raise SourceError(f"Kafka at {settings.broker} failed ({error!r}): {GOES_ON}") from error


def count(files: Sequence[Path], wish: Wish, on_progress: OnProgress = lambda _counts, _total: None) -> Counts:
    """Read and clean the files as a replay does, and send nothing.

    Raises SourceError where a file cannot serve.
    """
    _check_there(files)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="foretick-replay-") as scratch:
        reader = _open(files, wish, on_progress, Path(scratch))
        for part in reader.parts(Path(scratch)):
            on_progress(reader.counts, reader.rows)
            _keep_ends(reader, part)
    reader.counts.seconds = time.monotonic() - began
    return reader.counts


def _keep_ends(reader: Reader, part: Part) -> None:
    """Keep the first and the last row of each series as the records that would be sent."""
    for number, rows in part.rows.items():
        if size(rows):
            series, examples = reader.registry.series[number], reader.counts.examples
            first = examples.get(series.key) or list(map(asdict, records(series, take(rows, slice(1)))))
            examples[series.key] = [first[0], *map(asdict, records(series, take(rows, slice(-1, None))))]


def _check_there(files: Sequence[Path]) -> None:
    for path in files:
        if not path.is_file():
            raise SourceError(f"{path}: no such file")


def _open(
    files: Sequence[Path], wish: Wish, on_progress: OnProgress, scratch: Path, ahead_ms: int = BOUNDS.ahead_ms
) -> Reader:
    return open_files(files, wish, scratch, lambda rows: on_progress(Counts(rows=rows), None), ahead_ms)


async def _replay(
    files: Sequence[Path],
    settings: Settings,
    wish: Wish,
    pace: Pace,
    restart: bool,
    on_progress: OnProgress,
    scratch: Path,
    answering: Answering,
) -> Counts:
    cluster = await cluster_at(settings.broker, answering)
    path = settings.home / "replay" / f"{identity(files, wish, cluster.id)}.json"
    with only_one(path):
        if restart:
            path.unlink(missing_ok=True)
        progress = load(path)
        if progress.complete and progress.counts is not None:
            progress.counts.complete_before = True
            return progress.counts
        began = time.monotonic()
        reader = await asyncio.to_thread(_open, files, wish, on_progress, scratch, settings.bounds.ahead_ms)
        await catch_up(settings.broker, cluster, progress, answering)
        # Written before anything is sent: without it a crash would leave rows that nobody knows of.
        save(path, progress)
        async with sender(settings.broker, progress, path, answering, settings.kafka_patience_s) as outlet:
            await _send_all(reader, outlet, dict(progress.positions), pace, settings.frame_rows, on_progress, scratch)
        reader.counts.seconds = time.monotonic() - began
        progress.complete, progress.counts = True, reader.counts
        save(path, progress)
        return reader.counts


async def _send_all(
    reader: Reader,
    outlet: Sender,
    delivered: dict[str, int],
    pace: Pace,
    frame_rows: int,
    on_progress: OnProgress,
    scratch: Path,
) -> None:
    """Send what was not delivered before. `delivered` counts the rows of each series that were."""
    seen: Counter[int] = Counter()
    dead = 0
    parts = reader.parts(scratch)
    while (part := await asyncio.to_thread(next, parts, None)) is not None:
        dead = await _send_dead(part.dead, outlet, dead, delivered.get(DEAD, 0))
        rows = _undelivered(part, reader, seen, delivered)
        async for ready in pace.due(rows):
            for frame in cut(ready, seen, frame_rows):
                series = reader.registry.series[frame.series]
                topic = BARS if series.kind == "bar" else TICKS
                await outlet.send(topic.name, series.symbol, series.key, frame.last, records(series, frame.rows))
                reader.counts.sent += size(frame.rows)
                on_progress(reader.counts, reader.rows)
            for number, columns in ready.items():
                seen[number] += size(columns)
        on_progress(reader.counts, reader.rows)


def _undelivered(part: Part, reader: Reader, seen: Counter[int], delivered: dict[str, int]) -> Rows:
    """Return the rows of each series beyond those delivered before, which are counted as seen."""
    rows = {}
    for number, columns in part.rows.items():
        done = min(max(delivered.get(reader.registry.series[number].key, 0) - seen[number], 0), size(columns))
        seen[number] += done
        reader.counts.delivered_before += done
        if done < size(columns):
            rows[number] = take(columns, slice(done, None))
    return rows


async def _send_dead(letters: Sequence[DeadLetter], outlet: Sender, before: int, delivered: int) -> int:
    """Send dead letters, one a record for they may be long; return how many there were up to the last of them."""
    for place, letter in _beyond(letters, before, delivered):
        await outlet.send(DEAD_LETTERS.name, letter.topic, DEAD, place, [letter])
    return before + len(letters)


def _beyond(letters: Sequence[DeadLetter], before: int, delivered: int) -> Iterator[tuple[int, DeadLetter]]:
    return ((place, letter) for place, letter in enumerate(letters, before + 1) if place > delivered)
