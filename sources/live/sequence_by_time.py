"""Orders trades of a venue whose ids have no order: they pass as they arrive, until a connection is lost; then they
wait.

They wait until the venue's answer has met the first of them. That an answer leaves nothing out is proved by a trade in
it that is known already: it is asked for from just before the last one on.
"""

from collections.abc import Sequence

from msgspec import Struct, field

from sources.live.parse import Trade
from sources.live.sequencer import Cursor, MissingRange
from topics.limits import END_OF_TIME
from topics.records import Gap

REMEMBERED = 4_096
"""Ids by which a trade is known again."""


class ByTime(Struct, kw_only=True):
    """`recent` holds the ids that came out last, with their times; whatever is not later than the latest time that was
    forgotten (`floor`, epoch ms) counts as known. `nameless`: a trade had no id.

    Of those `held` the first `before` came before the connection was lost once more: another missing range follows
    them. `left` are those whose missing range was given up.
    """

    last: Cursor | None = None
    recent: dict[str, int] = field(default_factory=dict)
    floor: int = -1
    buffered: list[Trade] = field(default_factory=list)
    before: int = 0
    left: list[Trade] = field(default_factory=list)
    open: bool = False
    nameless: bool = False
    duplicates: int = 0

    @classmethod
    def after(cls, cursor: Cursor) -> "ByTime":
        """Return a sequence that continues from a cursor."""
        return cls(last=cursor, recent=dict.fromkeys(cursor.keys, cursor.time), floor=cursor.time - 1)

    @property
    def cursor(self) -> Cursor | None:
        """The last trade returned, by time."""
        return self.last

    @property
    def waiting(self) -> int:
        """How many trades wait."""
        return len(self.buffered) + len(self.left)

    @property
    def missing(self) -> MissingRange | None:
        """The range since just before the last trade, if the connection was lost."""
        if not self.open or self.last is None:
            return None
        return MissingRange(max(self.last.time - 1, 0), can_be_asked=not self.nameless)

    def take(self, trades: Sequence[Trade]) -> list[Trade]:
        """Add arriving trades; of those that arrive together the earliest is first."""
        held = {trade.key for trade in self.buffered}
        for trade in trades:
            self.nameless |= trade.key is None
            if trade.key is not None and (trade.key in held or self._known(trade)):
                self.duplicates += 1
            else:
                self.buffered.append(trade)
                held.add(trade.key)
        return self._released()

    def fill(self, page: Sequence[Trade], *, full: bool) -> list[Trade]:
        """Add an answer. Trades later than the first waiting one arrive live, and are left out."""
        held = {trade.key for trade in self.buffered}
        coming = {trade.key: trade.time for trade in self.buffered[self.before :]}
        first = min(coming.values(), default=END_OF_TIME)
        met = any(trade.key in coming or trade.time > first for trade in page)
        fresh = {
            trade.key: trade
            for trade in page
            if trade.key is not None and trade.key not in held and trade.time <= first and not self._known(trade)
        }
        end = max((trade.time for trade in page), default=-1)
        passed = [trade for trade in self.buffered[: self.before] if trade.time <= end]
        if met or (page and not ((fresh or passed) and full)):
            self.open = False
        self.buffered = [trade for trade in self.buffered[: self.before] if trade.time > end] + self.buffered[
            self.before :
        ]
        self.before -= len(passed)
        return self._sent([*fresh.values(), *passed]) + self._released()

    def forgotten(self, page: Sequence[Trade]) -> bool:
        """Return whether no trade of the answer is known."""
        return bool(page) and not any(self._known(trade) for trade in page)

    def renumbered(self, trades: Sequence[Trade]) -> bool:  # noqa: ARG002 - there are no numbers
        """Return False: there are no numbers."""
        return False

    def interrupted(self) -> None:
        """Buffer trades until the missing ones since have been requested."""
        self.open = self.last is not None
        self.before = len(self.buffered)

    def declare_gap(self, symbol: str, venue: str, reason: str, first: Trade | None = None) -> Gap | None:
        """Continue with the first waiting one; or record a gap up to `first`, the beginning of an answer."""
        end = first or min(self.buffered, key=lambda trade: trade.time, default=None)
        if self.last is None or end is None:
            return None
        after = self.last.keys[-1] if self.last.keys else None
        if first is None:
            self.open = self.before > 0
            count = self.before or len(self.buffered)
            self.left, self.buffered, self.before = self.buffered[:count], self.buffered[count:], 0
        return Gap(
            symbol=symbol,
            venue=venue,
            start=self.last.time,
            end=max(self.last.time, end.time),
            reason=reason,
            after_id=after,
            before_id=end.key,
        )

    def _known(self, trade: Trade) -> bool:
        return trade.key in self.recent or trade.time <= self.floor

    def _released(self) -> list[Trade]:
        """Return the trades that no longer wait, in the order of their parts."""
        parts, self.left = [self.left], []
        if not self.open:
            parts += [self.buffered[: self.before], self.buffered[self.before :]]
            self.buffered, self.before = [], 0
        return [trade for part in parts for trade in self._sent(part)]

    def _sent(self, trades: Sequence[Trade]) -> list[Trade]:
        ready = sorted(trades, key=lambda trade: trade.time)
        for trade in ready:
            if self.last is None or trade.time > self.last.time:
                self.last = Cursor(trade.time)
            if trade.key is None:
                continue
            if trade.time == self.last.time:
                self.last = Cursor(trade.time, None, [*self.last.keys, trade.key])
            self.recent[trade.key] = trade.time
            if len(self.recent) > REMEMBERED:
                self.floor = max(self.floor, self.recent.pop(next(iter(self.recent))))
        return ready
