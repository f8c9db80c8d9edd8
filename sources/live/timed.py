"""The line of a venue whose ids tell no order: trades pass as they come, until a connection was lost; then they wait.

They wait until the venue's answer has met the first of them. That an answer leaves nothing out is proved by a trade in
it that is known already: it is asked for from just before the last one on.
"""

from collections.abc import Sequence

from msgspec import Struct, field

from sources.live.line import Hole, Place
from sources.live.parse import Trade
from topics.limits import END_OF_TIME
from topics.records import Gap

REMEMBERED = 4_096
"""Ids by which a trade is known again."""


class Timed(Struct):
    """`recent` holds the ids that came out last, with their times; whatever is not later than the latest time that was
    forgotten (`floor`, epoch ms) counts as known. `nameless`: a trade had no id.

    Of those `held` the first `before` came before the connection was lost once more: another hole follows them. `left`
    are those whose hole was given up.
    """

    last: Place | None = None
    recent: dict[str, int] = field(default_factory=dict)
    floor: int = -1
    held: list[Trade] = field(default_factory=list)
    before: int = 0
    left: list[Trade] = field(default_factory=list)
    open: bool = False
    nameless: bool = False
    duplicates: int = 0

    @classmethod
    def after(cls, place: Place) -> "Timed":
        """Return a line that goes on from a place."""
        return cls(last=place, recent=dict.fromkeys(place.keys, place.time), floor=place.time - 1)

    @property
    def place(self) -> Place | None:
        """The last trade that came out, by time."""
        return self.last

    @property
    def waiting(self) -> int:
        """How many trades wait."""
        return len(self.held) + len(self.left)

    @property
    def hole(self) -> Hole | None:
        """What came since just before the last trade, where the connection was lost."""
        if not self.open or self.last is None:
            return None
        return Hole(max(self.last.time - 1, 0), can_be_asked=not self.nameless)

    def take(self, trades: Sequence[Trade]) -> list[Trade]:
        """Take trades as they come; of those that come together the earliest goes first."""
        held = {trade.key for trade in self.held}
        for trade in trades:
            self.nameless |= trade.key is None
            if trade.key is not None and (trade.key in held or self._known(trade)):
                self.duplicates += 1
            else:
                self.held.append(trade)
                held.add(trade.key)
        return self._released()

    def fill(self, page: Sequence[Trade], *, full: bool) -> list[Trade]:
        """Take an answer. What came later than the first that waits comes live, and is left out."""
        held = {trade.key for trade in self.held}
        coming = {trade.key: trade.time for trade in self.held[self.before :]}
        first = min(coming.values(), default=END_OF_TIME)
        met = any(trade.key in coming or trade.time > first for trade in page)
        fresh = {
            trade.key: trade
            for trade in page
            if trade.key is not None and trade.key not in held and trade.time <= first and not self._known(trade)
        }
        end = max((trade.time for trade in page), default=-1)
        passed = [trade for trade in self.held[: self.before] if trade.time <= end]
        if met or (page and not ((fresh or passed) and full)):
            self.open = False
        self.held = [trade for trade in self.held[: self.before] if trade.time > end] + self.held[self.before :]
        self.before -= len(passed)
        return self._sent([*fresh.values(), *passed]) + self._released()

    def forgotten(self, page: Sequence[Trade]) -> bool:
        """Tell whether no trade of the answer is known."""
        return bool(page) and not any(self._known(trade) for trade in page)

    def renumbered(self, trades: Sequence[Trade]) -> bool:  # noqa: ARG002 - there are no numbers
        """Return False: there are no numbers."""
        return False

    def interrupted(self) -> None:
        """Hold back what comes until it was asked for what came since."""
        self.open = self.last is not None
        self.before = len(self.held)

    def give_up(self, symbol: str, venue: str, reason: str, first: Trade | None = None) -> Gap | None:
        """Go on with the first that waits; or note that nothing is known up to `first`, with which an answer began."""
        end = first or min(self.held, key=lambda trade: trade.time, default=None)
        if self.last is None or end is None:
            return None
        after = self.last.keys[-1] if self.last.keys else None
        if first is None:
            self.open = self.before > 0
            count = self.before or len(self.held)
            self.left, self.held, self.before = self.held[:count], self.held[count:], 0
        return Gap(
            symbol, venue, self.last.time, max(self.last.time, end.time), reason, after_id=after, before_id=end.key
        )

    def _known(self, trade: Trade) -> bool:
        return trade.key in self.recent or trade.time <= self.floor

    def _released(self) -> list[Trade]:
        """Return what waits for nothing any more, in the order of its parts."""
        parts, self.left = [self.left], []
        if not self.open:
            parts += [self.held[: self.before], self.held[self.before :]]
            self.held, self.before = [], 0
        return [trade for part in parts for trade in self._sent(part)]

    def _sent(self, trades: Sequence[Trade]) -> list[Trade]:
        ready = sorted(trades, key=lambda trade: trade.time)
        for trade in ready:
            if self.last is None or trade.time > self.last.time:
                self.last = Place(trade.time)
            if trade.key is None:
                continue
            if trade.time == self.last.time:
                self.last = Place(trade.time, None, [*self.last.keys, trade.key])
            self.recent[trade.key] = trade.time
            if len(self.recent) > REMEMBERED:
                self.floor = max(self.floor, self.recent.pop(next(iter(self.recent))))
        return ready
