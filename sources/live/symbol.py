"""One symbol while it is watched."""

import time
from typing import Any

from msgspec import Struct

from sources.live.parse import Market, Trade, parse
from sources.live.sequence_by_id import ById
from sources.live.sequence_by_time import ByTime
from sources.live.sequencer import Cursor, TradeSequencer
from sources.live.status import SymbolStatus
from topics.records import DeadLetter, Gap, Tick
from topics.value_size import BOUNDS

SILENCE_S = 5.0
MOST_SILENCE_S = 60.0


class SymbolFeed(Struct, kw_only=True):
    """Its sequence, the time of its last message and its allowed silence (by our monotonic clock), and its counts.

    `marker` is the last trade in ccxt's cache that was seen; `down`: its connection is lost, and not made again yet.
    """

    market: Market
    sequencer: TradeSequencer
    status: SymbolStatus
    venue: str
    counted: bool
    heard: float
    silence_s: float = SILENCE_S
    marker: Any = None
    repairing: bool = False
    asking: bool = False
    down: bool = False

    @classmethod
    def at(cls, market: Market, venue: str, cursor: Cursor | None, *, counted: bool) -> "SymbolFeed":
        """Return a symbol that continues from a cursor, or starts."""
        sequencer: TradeSequencer = (
            ById(last=cursor) if counted else ByTime() if cursor is None else ByTime.after(cursor)
        )
        if cursor is not None:
            sequencer.interrupted()
        status = SymbolStatus(symbol=market.symbol, market=market.unified, since=int(time.time() * 1_000))
        return cls(
            market=market, sequencer=sequencer, status=status, venue=venue, counted=counted, heard=time.monotonic()
        )

    def parsed(self, trades: list[dict[str, Any]], *, repaired: bool = False) -> list[Trade]:
        """Return ccxt's trades as ours."""
        latest = int(time.time() * 1_000) + BOUNDS.ahead_ms
        how = {"counted": self.counted, "repaired": repaired}
        return [parse(trade, self.market, self.venue, latest=latest, **how) for trade in trades]

    def new_in(self, cache: Any) -> list[dict[str, Any]]:
        """Return the trades that ccxt has added to its cache since the last call, oldest first."""
        fresh: list[dict[str, Any]] = []
        for trade in reversed(cache or ()):
            if trade is self.marker:
                break
            fresh.append(trade)
        if fresh:
            self.marker = fresh[0]
            self.heard, self.silence_s = time.monotonic(), SILENCE_S
        return fresh[::-1]

    def records(self, ready: list[Trade]) -> list[Tick | DeadLetter]:
        """Return trades that may be sent as records, and count them."""
        results: list[Tick | DeadLetter] = []
        for trade in ready:
            if trade.tick is None:
                self.status.dead += 1
                results.append(letter(self.venue, self.market.symbol, trade.raw, trade.reason))
            else:
                self.status.trades += 1
                self.status.repaired += trade.tick.repaired
                results.append(trade.tick)
        if ready:
            last = ready[-1]
            self.status.last_time, self.status.last_id = last.time, last.key
            self.status.age_ms = time.time() * 1_000 - last.time
        return results

    def gap(self, reason: str, first: Trade | None = None) -> list[Gap]:
        """Leave the missing range; return its gap, none if no trade ends it yet."""
        gap = self.sequencer.declare_gap(self.market.symbol, self.venue, reason, first)
        self.status.gaps += gap is not None
        return [] if gap is None else [gap]

    def restart(self, first: Trade) -> list[Gap]:
        """Restart with the venue's present ids."""
        cursor = self.sequencer.cursor
        self.sequencer = ById()
        if cursor is None:
            return []
        self.status.gaps += 1
        number = None if cursor.number is None else str(cursor.number)
        reason = f"{self.venue} has restarted its trade ids"
        return [
            Gap(
                symbol=self.market.symbol,
                venue=self.venue,
                start=cursor.time,
                end=first.time,
                reason=reason,
                trades=None,
                after_id=number,
                before_id=first.key,
            )
        ]


def letter(venue: str, symbol: str, raw: bytes, reason: str) -> DeadLetter:
    """Return the dead letter of a venue's message; its offset is the time (us), since it is from no topic."""
    now = time.time()
    return DeadLetter(
        topic=f"live/{venue}",
        partition=0,
        offset=int(now * 1e6),
        reason=reason,
        value=raw,
        time=int(now * 1_000),
        key=symbol.encode() or None,
    )
