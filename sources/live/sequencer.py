"""Orders one symbol's trades, each once: takes arriving trades, returns those that may be sent. Pure.

There are two kinds: `ById`, where the venue's ids show every missing range, and `ByTime`, where only a lost connection
does.
"""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from sources.live.parse import Trade
from topics.records import Gap


class Cursor(Struct, frozen=True):
    """How far a symbol has come: the last trade's time, its number where the venue counts, and the ids of all that were
    sent of its millisecond.
    """

    time: int
    number: int | None = None
    keys: list[str] = []


class MissingRange(Struct, frozen=True):
    """What is to be asked for: trades from a number on, or from a time (epoch ms) on where there are no numbers.

    `can_be_asked` is False where the trades have no ids: which of an answer came before is then unknown.
    """

    since: int
    number: int | None = None
    can_be_asked: bool = True


class TradeSequencer(Protocol):
    """The interface of both kinds."""

    duplicates: int

    @property
    def cursor(self) -> Cursor | None:
        """The last trade returned; None before the first."""
        ...

    @property
    def missing(self) -> MissingRange | None:
        """The range that may be missing; None if there is none."""
        ...

    @property
    def waiting(self) -> int:
        """How many trades wait for a missing range to be filled."""
        ...

    def take(self, trades: Sequence[Trade]) -> list[Trade]:
        """Add live trades; return those that may be sent."""
        ...

    def fill(self, page: Sequence[Trade], *, full: bool) -> list[Trade]:
        """Add an answer of the venue, earliest first; return the trades that may be sent. A page that is not `full` is
        the last.

        A trade that came live too counts once, and not as a duplicate.
        """
        ...

    def forgotten(self, page: Sequence[Trade]) -> bool:
        """Return whether the answer begins after the missing range: the venue no longer has all of it."""
        ...

    def renumbered(self, trades: Sequence[Trade]) -> bool:
        """Return whether the venue has restarted its ids."""
        ...

    def interrupted(self) -> None:
        """Note that trades may be missing from here on: the connection was lost."""
        ...

    def declare_gap(self, symbol: str, venue: str, reason: str, first: Trade | None = None) -> Gap | None:
        """Leave the missing range up to `first`, or else up to the first trade that waits; return it as a gap.

        None if no trade ends it yet. What waited comes out with the next call of `fill` or `take`.
        """
        ...
