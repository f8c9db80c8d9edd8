"""Folds a failed slice again in smaller parts, until the failing rows are isolated.

They become dead letters, the state is as before them, and all others are folded. That is correct because a fold does
not depend on how its input is cut, and changes no state in place. Only the market stage counts messages: the parts of a
split one count as several.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from msgspec import Struct

from broker.dead_letters import error_text
from stream.coalesced import Piece
from stream.dead_letters import of_event
from stream.poison_records import Guard
from stream.stage import Output, Part, Stage
from topics import codec
from topics.records import DeadLetter

S = TypeVar("S")
R = TypeVar("R", bound=Struct)

MOST_ROWS = 100
"""The most failing rows of a symbol in a slice that are isolated; after that a failing part becomes one dead letter."""


class StateSizeError(Exception):
    """A state exceeds its size limit: a bound, not a failure."""


@dataclass(kw_only=True)
class Rescue(Generic[R, S]):
    """The second fold of a slice. `sized` returns the bytes of a state, or raises StateSizeError."""

    stage: Stage[R, S]
    guard: Guard
    sized: Callable[[S], bytes]
    events: dict[tuple[int, int], Piece]
    dead_letters: list[DeadLetter] = field(default_factory=list)
    failing: int = 0

    def checking(self, event: Piece) -> Callable[[R], str | None]:
        """Return the stage's check, which also refuses records on which the check itself or the key function fails."""

        def check(record: R) -> str | None:
            try:
                reason = self.stage.check(record)
                if reason is None:
                    self.stage.key(record)
            except OSError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, it is this record's
                reason = error_text(error)
                self.guard.failed((self.stage.source.name, event.message.partition, event.message.offset), reason)
            return reason

        return check

    def fold(self, state: S, parts: Sequence[Part[R]]) -> tuple[S, list[Output]]:
        """Fold the parts, in order, without the rows on which the stage fails: these are in `dead_letters`
        afterwards."""
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
                self.guard.failed((self.stage.source.name, part.partition, part.offset), error_text(error))
                self._refuse(part, error_text(error))
                return state, []
        else:
            return after, outputs
        every: list[Output] = []
        for half in _halves(parts):
            state, outputs = self.fold(state, half)
            every += outputs
        return state, every

    def _refuse(self, part: Part[R], reason: str) -> None:
        """Make a dead letter of a row, or one of all rows of a part."""
        event, topic, count = self.events[part.partition, part.offset], self.stage.source.name, len(part.rows)
        text = reason if count == 1 else f"{count} rows: {reason}"
        self.dead_letters.append(of_event(topic, event, part.rows[0], codec.encode(part.records), text))


def turned_away(
    stage: Stage[R, Any], guard: Guard, events: Sequence[Piece], parts: Sequence[Part[R]]
) -> list[DeadLetter]:
    """Return the dead letters of a symbol beyond the maximum number of states."""
    places = {(event.message.partition, event.message.offset): event for event in events}
    limit = guard.max_symbols
    reason = (
        f"{stage.name} has the state of {limit} symbols and intervals already, the limit set by FORETICK_MAX_SYMBOLS"
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
        yield [Part(partition=part.partition, offset=part.offset, timestamp=part.timestamp, rows=rows, records=records)]
