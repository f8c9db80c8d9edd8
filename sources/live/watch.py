"""The loop: a venue's live trades, in each symbol's sequence, monitored so that a silent connection is noticed."""

import asyncio
import logging
import os
import random
import time
from collections.abc import Iterable, Sequence
from typing import Any

import ccxt

from sources.live import clock_offset
from sources.live.checkpoint import FeedCheckpoint
from sources.live.exchange import cut
from sources.live.markets import market_of
from sources.live.publisher import LiveKafkaWriter
from sources.live.record import Recorder
from sources.live.repair import repair
from sources.live.rest import question
from sources.live.sequencer import MissingRange
from sources.live.status import Status
from sources.live.symbol import MOST_SILENCE_S, SymbolFeed, letter
from sources.live.venues import Venue

log = logging.getLogger("foretick.live")

LINGER_S = 0.02
"""How long a trade waits for company: frames of a few rather than of one, for each costs the stream its overhead."""
MOST_WAITING = 50_000
"""Trades of a symbol that wait for a missing range to be filled, about 15 MB; with more of them the missing range
becomes a gap.
"""
STEADY_S = 30.0
"""A connection that lived so long was good: the next failure is the first again."""
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 60.0
LATE_MS = 2_000
"""The age of a trade from REST, missing on the socket, from which on the socket counts as silent."""
PEEK = 100
"""The number of trades requested by REST to check whether a silent socket has missed any."""
CLOCK_S = 300.0
FINAL = (ccxt.BadSymbol, ccxt.NotSupported, ccxt.AuthenticationError, ccxt.ArgumentsRequired)
"""Errors that a retry cannot fix."""


class VenueFeed:
    """The feed of a venue: listens to its connections, and publishes trades in order."""

    def __init__(
        self,
        exchange: Any,
        venue: Venue,
        checkpoint: FeedCheckpoint,
        writer: LiveKafkaWriter,
        recorder: Recorder | None = None,
    ) -> None:
        self._exchange, self._venue, self._checkpoint = exchange, venue, checkpoint
        self._writer, self._recorder = writer, recorder
        self._symbols: dict[str, SymbolFeed] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._arrived = asyncio.Event()
        self._group = asyncio.TaskGroup()
        self._status = Status(
            venue=str(exchange.id), pid=os.getpid(), since=int(time.time() * 1_000), problem="not connected yet"
        )
        exchange.foretick_listener = self

    async def run(self, symbols: Iterable[str]) -> None:
        """Watch until cancelled. Raises an ExceptionGroup with KafkaError where Kafka fails."""
        try:
            async with self._group:
                for work in (self._writer.run(), self._pump(), self._watch_over(), self._look_at_clock()):
                    self._group.create_task(work)
                for unified in symbols:
                    self.add(unified)
        finally:
            self._exchange.foretick_listener = None

    # --- callbacks of the venue's connections ---

    def connected(self, keys: Sequence[str]) -> None:
        """Request missed trades, for each symbol of the new connection; for all, if these are unknown."""
        self._status.problem = ""
        over = [symbol for symbol in self._symbols.values() if any(symbol.market.unified in key for key in keys)]
        for symbol in over or self._symbols.values():
            if not self._tasks[symbol.market.unified].done():  # else it is not watched for good, and says why
                symbol.status.problem = ""
            symbol.sequencer.interrupted()
            self._repair(symbol)

    def message(self, url: str, message: Any) -> None:
        """Wake the task that processes trades."""
        self._status.heard = int(time.time() * 1_000)
        if self._recorder is not None:
            self._recorder.message(url, message)
        self._arrived.set()

    def unreadable(self, url: str, raw: bytes, reason: str) -> None:
        """Publish an unreadable message as a dead letter."""
        if self._recorder is not None:
            self._recorder.unreadable(url, raw)
        log.warning("%s: %s: reconnecting", self._exchange.id, reason)
        self._status.unreadable += 1
        self._writer.put([letter(self._exchange.id, "", raw, reason)])

    # --- which symbols are watched ---

    def add(self, text: str) -> None:
        """Watch one more symbol. Raises SourceError if the venue has none of that name."""
        market = market_of(self._exchange.markets, text, self._exchange.id)
        if market.unified in self._symbols:
            return
        if self._recorder is not None:
            self._recorder.market(self._exchange.markets[market.unified])
        cursor = self._checkpoint.places.get(market.symbol)
        symbol = SymbolFeed.at(market, self._exchange.id, cursor, counted=self._venue.counts)
        self._symbols[market.unified] = symbol
        self._tasks[market.unified] = self._group.create_task(self._follow(symbol))
        self._remember()

    async def remove(self, text: str) -> None:
        """Remove a symbol with its cursor. Raises SourceError if it is not watched."""
        market = market_of({name: self._exchange.markets[name] for name in self._symbols}, text, "the watch")
        self._symbols.pop(market.unified)
        self._tasks.pop(market.unified).cancel()
        self._checkpoint.places.pop(market.symbol, None)
        self._remember()
        if self._exchange.has.get("unWatchTrades"):
            try:
                async with asyncio.timeout(5):
                    await self._exchange.un_watch_trades(market.unified, dict(self._venue.watch))
            except (ccxt.BaseError, TimeoutError) as error:
                log.info("%s continues to send %s: %s", self._exchange.id, market.unified, error)

    def _remember(self) -> None:
        self._checkpoint.watched = list(self._symbols)
        self._writer.save()

    def status(self) -> Status:
        """Return how it goes; another thread may ask."""
        symbols = list(self._symbols.values())
        for symbol in symbols:
            symbol.status.waiting, symbol.status.duplicates = symbol.sequencer.waiting, symbol.sequencer.duplicates
        self._status.symbols = [symbol.status for symbol in symbols]
        return self._status

    # --- the work ---

    async def _follow(self, symbol: SymbolFeed) -> None:
        """Keep ccxt watching a symbol. What it returns is not looked at: it is in its cache, with what came between.

        A symbol a call, not all in one: so ccxt can add and remove each, at every venue.
        """
        failures = 0
        while True:
            began = symbol.heard = time.monotonic()
            symbol.down = False
            try:
                while True:
                    await self._exchange.watch_trades(symbol.market.unified, None, None, dict(self._venue.watch))
                    symbol.status.problem = ""
            except FINAL as error:
                symbol.status.problem = str(error)
                log.error("%s %s is not watched: %s", symbol.venue, symbol.market.unified, error)
                return
            except ccxt.BaseError as error:
                symbol.status.problem = str(error) or type(error).__name__
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    raise
                symbol.status.problem = "ccxt gave the connection up"  # it cancels what waits for it
            symbol.down = True
            symbol.status.reconnects += 1
            failures = 1 if time.monotonic() - began > STEADY_S else failures + 1
            # Not stamina: it counts tries, and cannot know that a connection was good for long.
            wait = min(FIRST_WAIT_S * 2 ** min(failures - 1, 10), LONGEST_WAIT_S) * random.uniform(0.5, 1)  # noqa: S311 - no secret
            log.info("%s %s: %s: again in %.1f s", symbol.venue, symbol.market.symbol, symbol.status.problem, wait)
            await asyncio.sleep(wait)

    async def _pump(self) -> None:
        """Process new trades."""
        while True:
            await self._arrived.wait()
            await asyncio.sleep(LINGER_S)
            self._arrived.clear()
            for symbol in list(self._symbols.values()):
                self._take(symbol)
            await self._writer.wait_for_space()

    def _take(self, symbol: SymbolFeed) -> None:
        trades = symbol.parsed(symbol.new_in(self._exchange.trades.get(symbol.market.unified)))
        if not trades:
            return
        if symbol.sequencer.renumbered(trades):
            self._writer.put(symbol.restart(trades[0]))
        self._writer.put(symbol.records(symbol.sequencer.take(trades)))
        if symbol.sequencer.waiting > MOST_WAITING:
            self._writer.put(
                symbol.gap(f"more than {MOST_WAITING:,} trades arrived before the missing ones were fetched")
            )
            self._writer.put(symbol.records(symbol.sequencer.take([])))
        self._repair(symbol)

    def _repair(self, symbol: SymbolFeed) -> None:
        if symbol.sequencer.missing is None or symbol.repairing:
            return
        symbol.repairing = True

        async def work() -> None:
            try:
                await repair(self._exchange, self._venue, symbol, self._writer)
            finally:
                symbol.repairing = False

        self._group.create_task(work())

    async def _watch_over(self) -> None:
        """Check silent symbols by REST; if it has trades that did not arrive, reconnect."""
        while True:
            await asyncio.sleep(1)
            if self._writer.full:  # Kafka is slow: it is we who do not listen
                continue
            for symbol in list(self._symbols.values()):
                busy = symbol.down or symbol.asking or symbol.repairing
                if time.monotonic() - symbol.heard > symbol.silence_s and not busy:
                    symbol.asking = True
                    self._group.create_task(self._ask_silent(symbol))

    async def _ask_silent(self, symbol: SymbolFeed) -> None:
        heard = symbol.heard
        try:
            missed = await self._missed(symbol)
            if missed and heard == symbol.heard and not symbol.down:
                log.warning("%s %s: the socket is silent, but the venue trades", symbol.venue, symbol.market.symbol)
                cut(self._exchange, symbol.market.unified, f"silent for {time.monotonic() - heard:.0f} s")
            symbol.silence_s = min(symbol.silence_s * 2, MOST_SILENCE_S)
        except ccxt.BaseError as error:
            log.info("%s %s is silent, and REST fails: %s", symbol.venue, symbol.market.symbol, error)
        finally:
            symbol.asking = False

    async def _missed(self, symbol: SymbolFeed) -> bool:
        """Return whether REST has older trades that did not arrive."""
        cursor = symbol.sequencer.cursor
        now = time.time() * 1_000 + (self._status.skew_ms or 0.0)
        since = int(now - (time.monotonic() - symbol.heard) * 1_000) if cursor is None else cursor.time
        missing = MissingRange(since, None if cursor is None or cursor.number is None else cursor.number + 1)
        begin, params = question(self._venue, missing, PEEK)
        answer = await self._exchange.fetch_trades(symbol.market.unified, begin, PEEK, params)
        known = cursor.keys if cursor is not None else []
        trades = [trade for trade in symbol.parsed(answer) if trade.time >= since and trade.key not in known]
        return any(trade.time < now - LATE_MS for trade in trades)

    async def _look_at_clock(self) -> None:
        while True:
            self._status.skew_ms = await clock_offset.measure(self._exchange)
            await asyncio.sleep(CLOCK_S)
