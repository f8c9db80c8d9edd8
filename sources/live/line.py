"""One symbol's trades in their order, each once: what comes goes in, what may be sent comes out. Pure.

There are two kinds: `Counted`, where the venue's ids show every hole, and `Timed`, where only a lost connection does.
"""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from sources.live.parse import Trade
from topics.records import Gap


class Place(Struct, frozen=True):
    """How far a symbol has come: the last trade's time, its number where the venue counts, and the ids of all that were
    sent of its millisecond.
    """

    time: int
    number: int | None = None
    keys: list[str] = []


class Hole(Struct, frozen=True):
    """What is to be asked for: trades from a number on, or from a time (epoch ms) on where there are no numbers.

    `can_be_asked` is False where the trades have no ids: which of an answer came before is then unknown.
    """

    since: int
    number: int | None = None
    can_be_asked: bool = True


class Line(Protocol):
    """What both kinds are."""

    duplicates: int

    @property
    def place(self) -> Place | None:
        """The last trade that came out; None before the first."""
        ...

    @property
    def hole(self) -> Hole | None:
        """What may be missing now; None where nothing is."""
        ...

    @property
    def waiting(self) -> int:
        """How many trades wait for a hole to be filled."""
        ...

    def take(self, trades: Sequence[Trade]) -> list[Trade]:
        """Take trades as they come from the venue, live; return what may be sent."""
        ...

    def fill(self, page: Sequence[Trade], *, full: bool) -> list[Trade]:
        """Take an answer of the venue, earliest first; return what may be sent. A page that is not `full` is the last.

        A trade that came live too counts once, and not as a duplicate.
        """
        ...

    def forgotten(self, page: Sequence[Trade]) -> bool:
        """Tell whether the answer begins after what is missing: the venue has not all of it any more."""
        ...

    def renumbered(self, trades: Sequence[Trade]) -> bool:
        """Tell whether the venue has begun to count its trades anew."""
        ...

    def interrupted(self) -> None:
        """Note that trades may be missing from here on: the connection was lost."""
        ...

    def give_up(self, symbol: str, venue: str, reason: str, first: Trade | None = None) -> Gap | None:
        """Leave the hole up to `first`, or else up to the first trade that waits; return it as a gap.

        None where no trade ends it yet. What waited comes out with the next call of `fill` or `take`.
        """
        ...
