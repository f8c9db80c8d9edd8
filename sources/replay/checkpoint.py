"""The progress of a replay, in a file, so that an interrupted one can be resumed."""

import fcntl
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import msgspec
from msgspec import Struct, field

from sources.errors import SourceError
from sources.reading.counts import Counts
from sources.reading.request import ReadRequest

_ENDS = 1 << 20


class Progress(Struct, kw_only=True):
    """`positions` counts the rows of each series (by its key) whose delivery was confirmed.

    `offsets` is, for each topic and partition, the first offset that may hold a row whose confirmation was not written
    down: a crash can come between the two, so a replay that goes on reads the topics from there. `run` marks its rows.
    """

    run: str = field(default_factory=lambda: uuid4().hex)
    positions: dict[str, int] = {}
    offsets: dict[str, dict[int, int]] = {}
    complete: bool = False
    counts: Counts | None = None


def identity(files: Sequence[Path], request: ReadRequest, cluster: str) -> str:
    """Return the name of a replay: of the files' names, sizes and ends, the request, and the Kafka cluster."""
    digest = hashlib.sha256(repr((request, cluster)).encode())
    for path in files:
        size = path.stat().st_size
        digest.update(f"{path.name} {size}".encode())
        with path.open("rb") as stream:
            digest.update(stream.read(_ENDS))
            stream.seek(max(size - _ENDS, 0))
            digest.update(stream.read(_ENDS))
    return digest.hexdigest()[:16]


def load(path: Path) -> Progress:
    """Return the saved progress, or that of a replay that has not begun."""
    if not path.exists():
        return Progress()
    try:
        return msgspec.json.decode(path.read_bytes(), type=Progress)
    except msgspec.DecodeError as error:
        raise SourceError(
            f"{path}: the progress of the replay cannot be read ({error}); --restart replays anew"
        ) from error


def save(path: Path, progress: Progress) -> None:
    """Write it down, all or nothing."""
    new = path.with_suffix(".new")
    new.write_bytes(msgspec.json.encode(progress))
    new.replace(path)


@contextmanager
def only_one(path: Path, what: str = "this replay") -> Iterator[None]:
    """Hold the lock beside the file of something's progress. Raises SourceError if another process holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise SourceError(f"{what} is already running in another process") from error
    finally:
        os.close(lock)
