"""The line of a venue whose ids count up one by one: the next trade is the one after, and the rest waits."""

from collections.abc import Sequence

from msgspec import Struct, field

from sources.live.line import Hole, Place
from sources.live.parse import Trade
from topics.records import Gap

RENUMBERED_MS = 60_000
"""A trade that is so much later, but has no higher id, tells that the venue counts anew."""


class Counted(Struct):
    """`last` is the last trade that came out, `held` what waits, by number; `asking`: the venue is to be asked."""

    last: Place | None = None
    held: dict[int, Trade] = field(default_factory=dict)
    asking: bool = False
    duplicates: int = 0

    @property
    def place(self) -> Place | None:
        """The last trade that came out."""
        return self.last

    @property
    def waiting(self) -> int:
        """How many trades wait."""
        return len(self.held)

    @property
    def hole(self) -> Hole | None:
        """The trades from the one after the last on, where some wait for it or the connection was lost."""
        if self.last is None or not (self.held or self.asking):
            return None
        return Hole(self.last.time, self._number + 1)

    def take(self, trades: Sequence[Trade]) -> list[Trade]:
        """Take trades in any order; the first ever begins the line. One without a number has no place, and passes."""
        self.duplicates += self._hold(trades)
        return [trade for trade in trades if trade.number is None] + self._released()

    def fill(self, page: Sequence[Trade], *, full: bool) -> list[Trade]:
        """Take an answer."""
        self.asking = self.asking and full
        self._hold(page)
        return self._released()

    def forgotten(self, page: Sequence[Trade]) -> bool:
        """Tell whether the first trade of the answer is not the one after the last, or an earlier one."""
        numbers = [trade.number for trade in page if trade.number is not None]
        return bool(numbers) and min(numbers) > self._number + 1

    def renumbered(self, trades: Sequence[Trade]) -> bool:
        """Tell whether a trade has a number that was given before, but is much later."""
        last = self.last
        return last is not None and any(
            trade.number is not None and trade.number <= self._number and trade.time > last.time + RENUMBERED_MS
            for trade in trades
        )

    def interrupted(self) -> None:
        """Ask what came since, without waiting for the next live trade to show it."""
        self.asking = self.last is not None

    def give_up(self, symbol: str, venue: str, reason: str, first: Trade | None = None) -> Gap | None:
        """Go on with `first`, or with the first that waits where that comes before it."""
        ends = self.held if first is None or first.number is None else self.held | {first.number: first}
        if self.last is None or not ends:
            return None
        after, number = self._number, min(ends)
        begin, end = self.last.time, max(self.last.time, ends[number].time)
        self.last = Place(begin, number - 1)
        return Gap(symbol, venue, begin, end, reason, number - after - 1, str(after), ends[number].key)

    @property
    def _number(self) -> int:
        return -1 if self.last is None or self.last.number is None else self.last.number

    def _hold(self, trades: Sequence[Trade]) -> int:
        """Hold what is new; return how many are not."""
        numbered = {trade.number: trade for trade in trades if trade.number is not None}
        if self.last is None and numbered:
            number = min(numbered)
            self.last = Place(numbered[number].time, number - 1)
        fresh = {n: trade for n, trade in numbered.items() if n > self._number and n not in self.held}
        self.held |= fresh
        return sum(trade.number is not None for trade in trades) - len(fresh)

    def _released(self) -> list[Trade]:
        number, ready = self._number, list[Trade]()
        while (trade := self.held.pop(number + 1, None)) is not None:
            number += 1
            ready.append(trade)
        if ready:
            self.last = Place(max(ready[-1].time, self.last.time if self.last else 0), number)
        return ready
