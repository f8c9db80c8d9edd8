"""The line of a venue whose ids count up one by one: the next trade is the one after, and the rest waits."""

from collections.abc import Sequence

from msgspec import Struct, field

from sources.live.parse import Trade
from sources.live.sequencer import Cursor, MissingRange
from topics.records import Gap

RENUMBERED_MS = 60_000
"""A trade that is this much later without a higher id shows that the venue has restarted its ids."""


class ById(Struct):
    """`last` is the last trade returned, `buffered` the waiting ones by number; `asking`: the venue must be queried."""

    last: Cursor | None = None
    buffered: dict[int, Trade] = field(default_factory=dict)
    asking: bool = False
    duplicates: int = 0

    @property
    def cursor(self) -> Cursor | None:
        """The last trade returned."""
        return self.last

    @property
    def waiting(self) -> int:
        """How many trades wait."""
        return len(self.buffered)

    @property
    def missing(self) -> MissingRange | None:
        """The trades from the one after the last on, where some wait for it or the connection was lost."""
        if self.last is None or not (self.buffered or self.asking):
            return None
        return MissingRange(self.last.time, self._number + 1)

    def take(self, trades: Sequence[Trade]) -> list[Trade]:
        """Take trades in any order; the first ever begins the line. One without a number has no place, and passes."""
        self.duplicates += self._buffer(trades)
        return [trade for trade in trades if trade.number is None] + self._released()

    def fill(self, page: Sequence[Trade], *, full: bool) -> list[Trade]:
        """Add an answer."""
        self.asking = self.asking and full
        self._buffer(page)
        return self._released()

    def forgotten(self, page: Sequence[Trade]) -> bool:
        """Return whether the first trade of the answer is not the one after the last, or an earlier one."""
        numbers = [trade.number for trade in page if trade.number is not None]
        return bool(numbers) and min(numbers) > self._number + 1

    def renumbered(self, trades: Sequence[Trade]) -> bool:
        """Return whether a trade has a number that was given before, but is much later."""
        last = self.last
        return last is not None and any(
            trade.number is not None and trade.number <= self._number and trade.time > last.time + RENUMBERED_MS
            for trade in trades
        )

    def interrupted(self) -> None:
        """Request later trades, without waiting for the next live trade."""
        self.asking = self.last is not None

    def declare_gap(self, symbol: str, venue: str, reason: str, first: Trade | None = None) -> Gap | None:
        """Continue with `first`, or with the first waiting one if that is earlier."""
        ends = self.buffered if first is None or first.number is None else self.buffered | {first.number: first}
        if self.last is None or not ends:
            return None
        after, number = self._number, min(ends)
        begin, end = self.last.time, max(self.last.time, ends[number].time)
        self.last = Cursor(begin, number - 1)
        return Gap(
            symbol=symbol,
            venue=venue,
            start=begin,
            end=end,
            reason=reason,
            trades=number - after - 1,
            after_id=str(after),
            before_id=ends[number].key,
        )

    @property
    def _number(self) -> int:
        return -1 if self.last is None or self.last.number is None else self.last.number

    def _buffer(self, trades: Sequence[Trade]) -> int:
        """Buffer new trades; return the number of known ones."""
        numbered = {trade.number: trade for trade in trades if trade.number is not None}
        if self.last is None and numbered:
            number = min(numbered)
            self.last = Cursor(numbered[number].time, number - 1)
        fresh = {n: trade for n, trade in numbered.items() if n > self._number and n not in self.buffered}
        self.buffered |= fresh
        return sum(trade.number is not None for trade in trades) - len(fresh)

    def _released(self) -> list[Trade]:
        number, ready = self._number, list[Trade]()
        while (trade := self.buffered.pop(number + 1, None)) is not None:
            number += 1
            ready.append(trade)
        if ready:
            self.last = Cursor(max(ready[-1].time, self.last.time if self.last else 0), number)
        return ready
