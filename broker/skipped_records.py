"""The Kafka records that are skipped: by a user's command, or because the worker died at each of them.

They are in a small JSON file in the home, which every component can access: it can be written while Kafka, the database
or the component itself has failed, and a running component sees a change at its next slice. See docs/why.md.
"""

import fcntl
import logging
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

log = logging.getLogger("foretick")

Group = Literal["worker", "persist", "alerts"]
FILE = "skips.json"
NOTHING: dict[tuple[int, int], str] = {}


class Skip(Struct, frozen=True, kw_only=True):
    """One record that a group of readers skips; `time` is when that was decided, epoch ms."""

    group: Group
    topic: str
    partition: int
    offset: int
    why: str
    time: int


def read(path: Path) -> list[Skip]:
    """Return the content of the file, empty if there is none. Raises ValueError if it cannot be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Skip])
    except FileNotFoundError:
        return []
    except msgspec.DecodeError as error:
        raise ValueError(f"{path}: {error}; correct it or remove it") from None


def change(path: Path, add: Sequence[Skip] = (), remove: Sequence[Skip] = ()) -> None:
    """Add and remove skips, all or nothing; one process at a time. Raises ValueError if the file cannot be read."""

    def place(skip: Skip) -> tuple[str, str, int, int]:
        return skip.group, skip.topic, skip.partition, skip.offset

    path.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kept = {place(skip): skip for skip in read(path)}
        for skip in remove:
            kept.pop(place(skip), None)
        kept.update({place(skip): skip for skip in add})
        new = path.with_suffix(".new")
        new.touch(0o600)
        new.write_bytes(msgspec.json.format(msgspec.json.encode(list(kept.values()))))
        new.replace(path)
    finally:
        os.close(lock)


class Skips:
    """The skips of one group, as in the file now; without a file there are none."""

    def __init__(self, path: Path | None, group: Group) -> None:
        self._path, self._group = path, group
        self._seen: tuple[int, int] | None = None
        self._by_topic: dict[str, dict[tuple[int, int], str]] = {}

    def of(self, topic: str) -> dict[tuple[int, int], str]:
        """Return the reasons to skip, by partition and offset of a topic."""
        if self._path is None:
            return NOTHING
        try:
            results = self._path.stat()
        except OSError:
            self._seen, self._by_topic = None, {}
            return NOTHING
        now = results.st_mtime_ns, results.st_ino
        if now != self._seen:
            self._seen = now
            self._load(self._path)
        return self._by_topic.get(topic, NOTHING)

    def add(self, topic: str, partition: int, offset: int, why: str) -> None:
        """Add one by the component's own decision; if it cannot be written, it applies to this process only."""
        skip = Skip(
            group=self._group, topic=topic, partition=partition, offset=offset, why=why, time=int(time.time() * 1000)
        )
        try:
            if self._path is not None:
                change(self._path, [skip])
        except (OSError, ValueError) as error:
            log.error("a skip could not be written: %s", error)
        self._by_topic.setdefault(topic, {})[partition, offset] = why

    def _load(self, path: Path) -> None:
        try:
            skips = read(path)
        except (OSError, ValueError) as error:
            log.error("%s; its previous content is used", error)
            return
        self._by_topic = {}
        for skip in skips:
            if skip.group == self._group:
                self._by_topic.setdefault(skip.topic, {})[skip.partition, skip.offset] = skip.why
