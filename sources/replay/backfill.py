"""Files onto the topics: what `foretick replay` does."""

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from aiokafka.errors import KafkaError
from msgspec.structs import asdict

from broker.availability import KafkaWatchdog
from broker.errors import KafkaAwayError
from settings import Settings
from sources.errors import SourceError
from sources.reading.counts import Counts
from sources.reading.input_files import check_files
from sources.reading.reader import Part, Reader, open_files
from sources.reading.request import ReadRequest
from sources.replay.checkpoint import identity, load, only_one, save
from sources.replay.frames import cut, records
from sources.replay.pace import Pace, Rows, speed_of
from sources.replay.sender import ReplayKafkaWriter, catch_up, cluster_at, replay_kafka_writer
from sources.tables.columns import size, take
from topics.catalog import BARS, DEAD_LETTERS, TICKS
from topics.records import DeadLetter
from topics.value_size import BOUNDS

OnProgress = Callable[[Counts, int | None], None]
"""Called with the counts so far, and the total of rows: None while the files are scanned."""
ALL = ReadRequest()
"""Every row, and nothing said of the files."""
GOES_ON = "the same command continues where this one stopped"
DEAD = "dead-letter"
"""The series of the rows that are impossible."""


def replay(
    files: Sequence[Path],
    settings: Settings,
    request: ReadRequest = ALL,
    *,
    speed: str = "max",
    restart: bool = False,
    on_progress: OnProgress = lambda _counts, _total: None,
    say: Callable[[str], None] = lambda _line: None,
    begins: Callable[[int], None] = lambda _last: None,
) -> Counts:
    """Send the files' rows to the topics, merged by time, and return what was counted.

    `speed` is ``max`` or a number of times real time (``60x``). A replay of the same files and wish that was
    interrupted goes on where it was; one that is complete sends nothing, unless `restart`. `say` is told when Kafka
    does not answer and when it does again, `begins` before the first row is sent, with the time (epoch ms) of the last.
    Raises SourceError where a file or Kafka cannot serve, KafkaAwayError where Kafka does not answer for the
    patience of the settings.
    """
    pace = Pace(speed_of(speed))
    check_files(files)
    with tempfile.TemporaryDirectory(prefix="foretick-replay-") as scratch:
        try:
            watchdog = KafkaWatchdog(str(settings.broker), settings.kafka_timeout_s, say)
            work = _replay(files, settings, request, pace, restart, on_progress, Path(scratch), watchdog, begins)
            return asyncio.run(watchdog.watch(work))
        except KafkaAwayError as error:
            raise KafkaAwayError(f"{error}: {GOES_ON}") from None
        except KafkaError as error:
            raise SourceError(f"Kafka at {settings.broker} failed ({error!r}): {GOES_ON}") from error


def count(
    files: Sequence[Path], request: ReadRequest, on_progress: OnProgress = lambda _counts, _total: None
) -> Counts:
    """Read and clean the files as a replay does, and send nothing.

    Raises SourceError if a file cannot serve.
    """
    check_files(files)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="foretick-replay-") as scratch:
        reader = _open(files, request, on_progress, Path(scratch))
        for part in reader.parts(Path(scratch)):
            on_progress(reader.counts, reader.rows)
            _keep_ends(reader, part)
    reader.check_asked()
    reader.counts.seconds = time.monotonic() - began
    return reader.counts


def _keep_ends(reader: Reader, part: Part) -> None:
    """Keep the first and the last row of each series as the records that would be sent."""
    for number, rows in part.rows.items():
        if size(rows):
            series, examples = reader.registry.series[number], reader.counts.examples
            first = examples.get(series.key) or list(map(asdict, records(series, take(rows, slice(1)))))
            examples[series.key] = [first[0], *map(asdict, records(series, take(rows, slice(-1, None))))]


def _open(
    files: Sequence[Path], request: ReadRequest, on_progress: OnProgress, scratch: Path, ahead_ms: int = BOUNDS.ahead_ms
) -> Reader:
    return open_files(files, request, scratch, lambda rows: on_progress(Counts(rows=rows), None), ahead_ms)


async def _replay(
    files: Sequence[Path],
    settings: Settings,
    request: ReadRequest,
    pace: Pace,
    restart: bool,
    on_progress: OnProgress,
    scratch: Path,
    watchdog: KafkaWatchdog,
    begins: Callable[[int], None],
) -> Counts:
    cluster = await cluster_at(settings.broker, watchdog)
    path = settings.home / "replay" / f"{identity(files, request, cluster.id)}.json"
    with only_one(path):
        if restart:
            path.unlink(missing_ok=True)
        progress = load(path)
        if progress.complete and progress.counts is not None:
            progress.counts.complete_before = True
            return progress.counts
        began = time.monotonic()
        reader = await asyncio.to_thread(_open, files, request, on_progress, scratch, settings.bounds.ahead_ms)
        await catch_up(settings.broker, cluster, progress, watchdog)
        await asyncio.to_thread(begins, reader.last)
        # Written before anything is sent: without it a crash would leave unknown rows.
        save(path, progress)
        async with replay_kafka_writer(settings.broker, progress, path, watchdog, settings.kafka_timeout_s) as writer:
            await _send_all(reader, writer, dict(progress.positions), pace, settings.frame_rows, on_progress, scratch)
        reader.check_asked()
        reader.counts.seconds = time.monotonic() - began
        progress.complete, progress.counts = True, reader.counts
        save(path, progress)
        return reader.counts


async def _send_all(
    reader: Reader,
    writer: ReplayKafkaWriter,
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
        dead = await _send_dead(part.dead, writer, dead, delivered.get(DEAD, 0))
        rows = _undelivered(part, reader, seen, delivered)
        async for ready in pace.due(rows):
            for frame in cut(ready, seen, frame_rows):
                series = reader.registry.series[frame.series]
                topic = BARS if series.kind == "bar" else TICKS
                await writer.send(topic.name, series.symbol, series.key, frame.last, records(series, frame.rows))
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


async def _send_dead(dead_letters: Sequence[DeadLetter], writer: ReplayKafkaWriter, before: int, delivered: int) -> int:
    """Send dead letters, one a record for they may be long; return how many there were up to the last of them."""
    for place, letter in _beyond(dead_letters, before, delivered):
        await writer.send(DEAD_LETTERS.name, letter.topic, DEAD, place, [letter])
    return before + len(dead_letters)


def _beyond(dead_letters: Sequence[DeadLetter], before: int, delivered: int) -> Iterator[tuple[int, DeadLetter]]:
    return ((place, letter) for place, letter in enumerate(dead_letters, before + 1) if place > delivered)
