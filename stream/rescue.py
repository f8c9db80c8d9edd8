"""Folds what a stage has failed on again, a part at a time, until the rows are found that it fails on.

They become dead letters, the state stays as it was before them, and all others are folded. That is sound because a fold
does not depend on how its input is cut, and changes no state in place. Only the market counts messages: the parts of
one that is cut count as several.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from faust.types import EventT
from msgspec import Struct

from stream.guard import Guard
from stream.letters import of_event, told
from stream.stage import Output, Part, Stage
from topics import codec
from topics.records import DeadLetter

S = TypeVar("S")
R = TypeVar("R", bound=Struct)

MOST_ROWS = 100
"""Failing rows of a symbol in a slice that are told apart; after that a part that fails becomes a letter as a whole."""


class StateSizeError(Exception):
    """A state that has become larger than one may be: a bound, not a failure."""


@dataclass
class Rescue(Generic[R, S]):
    """The second fold of a slice. `sized` returns the bytes of a state, or raises StateSizeError."""

    stage: Stage[R, S]
    guard: Guard
    sized: Callable[[S], bytes]
    events: dict[tuple[int, int], EventT[Any]]
    letters: list[DeadLetter] = field(default_factory=list)
    failing: int = 0

    def checking(self, event: EventT[Any]) -> Callable[[R], str | None]:
        """Return the stage's check, which also refuses what it, or the look for the key, fails on."""

        def check(record: R) -> str | None:
            try:
                reason = self.stage.check(record)
                if reason is None:
                    self.stage.key(record)
            except OSError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, it is this record's
                reason = told(error)
                self.guard.failed((self.stage.source.name, event.message.partition, event.message.offset), reason)
            return reason

        return check

    def fold(self, state: S, parts: Sequence[Part[R]]) -> tuple[S, list[Output]]:
        """Fold the parts, in order, without the rows that the stage fails on: these are in `letters` afterwards."""
        try:
            after, outputs = self.stage.step(state, parts)
            self.sized(after)
        except StateSizeError as error:
            if len(parts) == 1:
                self._refuse(parts[0], str(error))
                return state, []
        except OSError:
            raise
        except Exception as error:  # noqa: BLE001 - likewise
            part = parts[0]
            if len(parts) == 1 and (len(part.rows) == 1 or self.failing >= MOST_ROWS):
                self.failing += len(part.rows)
                self.guard.failed((self.stage.source.name, part.partition, part.offset), told(error))
                self._refuse(part, told(error))
                return state, []
        else:
            return after, outputs
        every: list[Output] = []
        for half in _halves(parts):
            state, outputs = self.fold(state, half)
            every += outputs
        return state, every

    def _refuse(self, part: Part[R], reason: str) -> None:
        """Make a letter of a row, or one of all rows of a part."""
        event, topic, count = self.events[part.partition, part.offset], self.stage.source.name, len(part.rows)
        said = reason if count == 1 else f"{count} rows: {reason}"
        self.letters.append(of_event(topic, event, part.rows[0], codec.encode(part.records), said))


def turned_away(
    stage: Stage[R, Any], guard: Guard, events: Sequence[EventT[Any]], parts: Sequence[Part[R]]
) -> list[DeadLetter]:
    """Return the dead letters of a symbol for whose state there is no room."""
    places = {(event.message.partition, event.message.offset): event for event in events}
    limit = guard.max_symbols
    reason = (
        f"{stage.name} keeps the state of {limit} symbols and intervals already: FORETICK_MAX_SYMBOLS says how many"
    )
    return [
        of_event(
            stage.source.name,
            places[part.partition, part.offset],
            part.rows[0],
            codec.encode(part.records),
            reason,
        )
        for part in parts
    ]


def _halves(parts: Sequence[Part[R]]) -> Iterator[list[Part[R]]]:
    if len(parts) > 1:
        middle = len(parts) // 2
        yield list(parts[:middle])
        yield list(parts[middle:])
        return
    part, middle = parts[0], len(parts[0].rows) // 2
    for rows, records in (
        (part.rows[:middle], part.records[:middle]),
        (part.rows[middle:], part.records[middle:]),
    ):
        yield [Part(part.partition, part.offset, part.timestamp, rows, records)]
