"""One symbol while it is watched."""

import time
from typing import Any

from msgspec import Struct

from sources.live.counted import Counted
from sources.live.line import Line, Place
from sources.live.parse import Market, Trade, parse
from sources.live.status import SymbolStatus
from sources.live.timed import Timed
from topics.bounds import BOUNDS
from topics.records import DeadLetter, Gap, Tick

SILENCE_S = 5.0
MOST_SILENCE_S = 60.0


class Symbol(Struct):
    """Its line, when it was heard last and how long it may be silent (by our monotonic clock), and its counts.

    `marker` is the last trade in ccxt's cache that was seen; `down`: its connection is lost, and not made again yet.
    """

    market: Market
    line: Line
    status: SymbolStatus
    venue: str
    counted: bool
    heard: float
    patience: float = SILENCE_S
    marker: Any = None
    repairing: bool = False
    asking: bool = False
    down: bool = False

    @classmethod
    def at(cls, market: Market, venue: str, place: Place | None, *, counted: bool) -> "Symbol":
        """Return a symbol that goes on from a place, or begins."""
        line: Line = Counted(last=place) if counted else Timed() if place is None else Timed.after(place)
        if place is not None:
            line.interrupted()
        status = SymbolStatus(market.symbol, market.unified, since=int(time.time() * 1_000))
        return cls(market, line, status, venue, counted, time.monotonic())

    def parsed(self, trades: list[dict[str, Any]], *, repaired: bool = False) -> list[Trade]:
        """Return ccxt's trades as ours."""
        latest = int(time.time() * 1_000) + BOUNDS.ahead_ms
        how = {"counted": self.counted, "repaired": repaired}
        return [parse(trade, self.market, self.venue, latest=latest, **how) for trade in trades]

    def new_in(self, cache: Any) -> list[dict[str, Any]]:
        """Return what ccxt has added to its cache of the symbol's trades since the last look, oldest first."""
        fresh: list[dict[str, Any]] = []
        for trade in reversed(cache or ()):
            if trade is self.marker:
                break
            fresh.append(trade)
        if fresh:
            self.marker = fresh[0]
            self.heard, self.patience = time.monotonic(), SILENCE_S
        return fresh[::-1]

    def records(self, ready: list[Trade]) -> list[Tick | DeadLetter]:
        """Return trades that may be sent as records, and count them."""
        found: list[Tick | DeadLetter] = []
        for trade in ready:
            if trade.tick is None:
                self.status.dead += 1
                found.append(letter(self.venue, self.market.symbol, trade.raw, trade.reason))
            else:
                self.status.trades += 1
                self.status.repaired += trade.tick.repaired
                found.append(trade.tick)
        if ready:
            last = ready[-1]
            self.status.last_time, self.status.last_id = last.time, last.key
            self.status.age_ms = time.time() * 1_000 - last.time
        return found

    def gap(self, reason: str, first: Trade | None = None) -> list[Gap]:
        """Leave the hole; return its gap, none where no trade ends it yet."""
        gap = self.line.give_up(self.market.symbol, self.venue, reason, first)
        self.status.gaps += gap is not None
        return [] if gap is None else [gap]

    def restart(self, first: Trade) -> list[Gap]:
        """Begin anew with the numbers that the venue gives now."""
        place = self.line.place
        self.line = Counted()
        if place is None:
            return []
        self.status.gaps += 1
        number = None if place.number is None else str(place.number)
        reason = f"{self.venue} counts its trades anew"
        return [Gap(self.market.symbol, self.venue, place.time, first.time, reason, None, number, first.key)]


def letter(venue: str, symbol: str, raw: bytes, reason: str) -> DeadLetter:
    """Return the dead letter of what came from a venue; its place is the time (us), for it came from no topic."""
    now = time.time()
    return DeadLetter(f"live/{venue}", 0, int(now * 1e6), reason, raw, int(now * 1_000), symbol.encode() or None)
