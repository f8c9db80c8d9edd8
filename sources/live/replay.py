"""A recording gone through again, without the venue: the same reading by ccxt, the same parser, the same lines."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from settings import Settings
from sources.errors import SourceError
from sources.live.checkpoint import FeedCheckpoint, restore
from sources.live.control import folder
from sources.live.exchange import make
from sources.live.markets import described
from sources.live.publisher import live_kafka_writer
from sources.live.record import lines
from sources.live.symbol import SymbolFeed, letter
from sources.live.venues import venue_of
from sources.replay.checkpoint import only_one
from sources.replay.sender import cluster_at
from topics import codec

MOST_WAITING = 1_000
"""Trades that wait for one that is late; with more of them it was never recorded."""
REASON = "they are not in the recording"


class Replayed(Struct, kw_only=True):
    """The content of a recording, by result."""

    venue: str
    messages: int = 0
    trades: int = 0
    duplicates: int = 0
    gaps: int = 0
    unreadable: int = 0


class Replay:
    """Reads a recording; the checkpoint's `cursors` are the start of its symbols."""

    def __init__(self, path: Path, checkpoint: FeedCheckpoint) -> None:
        self._lines = lines(path)
        self.counts = Replayed(venue=venue_in(path))
        self._checkpoint, self._counted = checkpoint, venue_of(self.counts.venue).counts
        self._exchange = make(self.counts.venue)
        self._markets: dict[str, dict[str, Any]] = {}
        self._symbols: dict[str, SymbolFeed] = {}

    def records(self) -> Iterator[list[Any]]:
        """Yield ticks, gaps and dead letters, in order."""
        for sequencer in self._lines:
            if "market" in sequencer:
                self._add(sequencer["market"])
            elif "unreadable" in sequencer:
                yield self._unreadable(sequencer["unreadable"].encode(), "a message cannot be read")
            elif "message" in sequencer:
                self.counts.messages += 1
                yield self._read(sequencer["url"], sequencer["message"])
                for symbol in self._symbols.values():
                    yield self._taken(symbol)
        for symbol in self._symbols.values():
            while symbol.sequencer.waiting:
                yield self._left(symbol)

    def _add(self, market: dict[str, Any]) -> None:
        self._markets[market["symbol"]] = market
        self._exchange.set_markets(list(self._markets.values()))
        result = described(market)
        if result.unified not in self._symbols:
            cursor = self._checkpoint.places.get(result.symbol)
            self._symbols[result.unified] = SymbolFeed.at(result, self.counts.venue, cursor, counted=self._counted)

    def _read(self, url: str, message: Any) -> list[Any]:
        """Let ccxt read a message into its cache, over a connection that is never opened."""
        try:
            self._exchange.handle_message(self._exchange.client(url), message)
        except Exception as error:  # noqa: BLE001 - as live: see sources/live/exchange.py
            reason = f"a message cannot be read: {type(error).__name__}: {error}"
            return self._unreadable(msgspec.json.encode(message), reason)
        return []

    def _unreadable(self, raw: bytes, reason: str) -> list[Any]:
        self.counts.unreadable += 1
        return [letter(self.counts.venue, "", raw, reason)]

    def _taken(self, symbol: SymbolFeed) -> list[Any]:
        fresh = symbol.parsed(symbol.new_in(self._exchange.trades.get(symbol.market.unified)))
        ready = symbol.records(symbol.sequencer.take(fresh))
        self.counts.trades += len(ready)
        return ready + self._left(symbol) if symbol.sequencer.waiting > MOST_WAITING else ready

    def _left(self, symbol: SymbolFeed) -> list[Any]:
        gaps = symbol.gap(REASON)
        ready = symbol.records(symbol.sequencer.take([]))
        self.counts.gaps += len(gaps)
        self.counts.trades += len(ready)
        return [*gaps, *ready]

    async def close(self) -> None:
        """Close ccxt."""
        self.counts.duplicates = sum(symbol.sequencer.duplicates for symbol in self._symbols.values())
        await self._exchange.close()


async def replay(path: Path, settings: Settings) -> Replayed:
    """Send a recording's trades to the topics: those that are not there yet, as after a crash of `foretick live`.

    Raises SourceError if the file or Kafka cannot serve.
    """
    kafka = settings.broker
    venue = venue_in(path)
    cursor = folder(settings.home) / f"{venue}.json"
    counted = venue_of(venue).counts
    with only_one(cursor, f"`foretick live {venue}`"):
        checkpoint = FeedCheckpoint.load(cursor)
        await restore(kafka, await cluster_at(kafka), checkpoint, venue, counted=counted)
        reader = Replay(path, checkpoint)
        try:
            async with live_kafka_writer(kafka, checkpoint, cursor, counted=counted) as out:
                for records in reader.records():
                    out.put(records)
                    if out.full:
                        await out.flush()
        finally:
            await reader.close()
    return reader.counts


async def show(path: Path, print_line: Callable[[bytes], None]) -> Replayed:
    """Print the records of a recording's trades, one JSON object per line; send nothing."""
    reader = Replay(path, FeedCheckpoint())
    try:
        for records in reader.records():
            for record in records:
                print_line(codec.encode_one(record))
    finally:
        await reader.close()
    return reader.counts


def venue_in(path: Path) -> str:
    """Return the venue of a recording; raises SourceError where it is none."""
    head = next(lines(path), None)
    if head is None:
        raise SourceError(f"{path}: the file is empty")
    return str(head["venue"])
