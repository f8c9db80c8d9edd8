"""Prevents one Kafka record from blocking the rest: skips listed records, isolates those that kill the process, counts
failures.

Each agent has a guard of its own.
"""

import logging
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self

from broker.skipped_records import FILE, Group, Skips
from settings import Settings
from stream.coalesced import Piece
from stream.dead_letters import of_whole
from stream.in_flight import Note, Notes
from topics.records import DeadLetter
from topics.value_size import BOUNDS, Bounds

log = logging.getLogger("foretick")

Events = Sequence[Piece]


class DefectError(Exception):
    """Too many records fail, which indicates a defect."""


@dataclass(kw_only=True)
class Guard:
    """See the module. `failures` are the times and offsets of the Kafka records that failed in the last minutes."""

    name: str = ""
    skips: Skips = field(default_factory=lambda: Skips(None, "worker"))
    notes: Notes = field(default_factory=lambda: Notes(None))
    crashes: int = 3
    records: int = 20
    minutes: float = 5.0
    max_symbols: int = 2_000
    max_state_bytes: int = 4_096_000
    bounds: Bounds = BOUNDS
    failures: deque[tuple[float, tuple[str, int, int]]] = field(default_factory=deque)
    last: str = ""

    @classmethod
    def of(cls, settings: Settings, group: Group, name: str) -> Self:
        """Return the guard of an agent with the settings' limits."""
        return cls(
            name=name,
            skips=Skips(settings.home / FILE, group),
            notes=Notes(settings.home / "faust" / "folding" / group / name),
            crashes=settings.quarantine_crashes,
            records=settings.quarantine_records,
            minutes=settings.quarantine_minutes,
            max_symbols=settings.max_symbols,
            max_state_bytes=settings.max_state_kb << 10,
            bounds=settings.bounds,
        )

    def whole(self, partition: int) -> bool:
        """Return whether the process has not died at a record of this partition the last time; forget it if so."""
        note = self.notes.of(partition)
        if note is None or note.suspect is None:
            return True
        note.end(note.suspect.last)
        return False

    def pieces(self, events: Events) -> Iterator[Events]:
        """Yield the events in groups to be folded: together, or one by one if the process died at some of them."""
        if any(self._to_narrow(event) for event in events):
            for event in events:
                yield [event]
        else:
            yield events

    def passed(self, topic: str, events: Events) -> tuple[Events, list[DeadLetter]]:
        """Return the events to be folded, and the dead letters of those that are skipped."""
        for event in events:
            note = self.notes.of(event.message.partition)
            if note is not None and note.suspect is not None:
                self._quarantine(topic, event, note)
        skipped = self.skips.of(topic)
        if not skipped:
            return events, []
        kept, dead_letters = [], []
        for event in events:
            why = skipped.get((event.message.partition, event.message.offset))
            if why is None:
                kept.append(event)
            else:
                dead_letters.append(of_whole(topic, event, why))
        return kept, dead_letters

    def begin(self, events: Events) -> None:
        """Mark these events as being folded."""
        for partition, first, last in _spans(events):
            note = self.notes.of(partition)
            if note is not None:
                note.begin(first, last)

    def end(self, events: Events) -> None:
        """Mark them as folded."""
        for partition, _, last in _spans(events):
            note = self.notes.of(partition)
            if note is not None:
                note.end(last)

    def failed(self, place: tuple[str, int, int], reason: str) -> None:
        """Count a Kafka record (topic, partition, offset) that failed."""
        topic, partition, offset = place
        now = time.monotonic()
        while self.failures and self.failures[0][0] < now - self.minutes * 60:
            self.failures.popleft()
        if all(place != known for _, known in self.failures):
            self.failures.append((now, place))
            text = "%s: a part of %s, partition %d, offset %d failed and becomes a dead letter: %s"
            log.error(text, self.name, topic, partition, offset, reason, extra={"topic": topic})
        self.last = f"{topic}, partition {partition}, offset {offset}: {reason}"

    def check(self) -> None:
        """Raise DefectError if more records failed than `FORETICK_QUARANTINE_RECORDS`."""
        if len(self.failures) > self.records:
            raise DefectError(
                f"{self.name}: {len(self.failures)} Kafka records failed within {self.minutes:g} minutes, the last "
                f"{self.last}: this indicates a defect. The failed records are in dead-letters; the process ends"
            )

    def _to_narrow(self, event: Piece) -> bool:
        note = self.notes.of(event.message.partition)
        if note is None or note.suspect is None:
            return False
        suspect = note.suspect
        here = suspect.first <= event.message.offset <= suspect.last
        return here and suspect.crashes >= self.crashes and suspect.first < suspect.last

    def _quarantine(self, topic: str, event: Piece, note: Note) -> None:
        suspect, offset = note.suspect, event.message.offset
        if suspect is None or suspect.crashes < self.crashes or not suspect.first == suspect.last == offset:
            return
        why = f"quarantined after {suspect.crashes} crashes"
        log.critical("%s: %s, partition %d, offset %d is %s", self.name, topic, event.message.partition, offset, why)
        self.skips.add(topic, event.message.partition, offset, why)
        note.end(offset)


def _spans(events: Events) -> list[tuple[int, int, int]]:
    """Return the first and the last offset of each partition."""
    spans: dict[int, tuple[int, int]] = {}
    for event in events:
        partition, offset = event.message.partition, event.message.offset
        first, last = spans.get(partition, (offset, offset))
        spans[partition] = min(first, offset), max(last, offset)
    return [(partition, *span) for partition, span in spans.items()]
