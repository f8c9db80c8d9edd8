"""`foretick live`: a venue watched from start to end, and again from the start where Kafka was lost in between."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ccxt
import stamina
from aiokafka.errors import KafkaError

from settings import Settings
from sources.errors import SourceError, VenueAwayError
from sources.live import control
from sources.live.checkpoint import FeedCheckpoint, restore
from sources.live.control import ControlReply, ControlRequest
from sources.live.exchange import make
from sources.live.markets import market_of
from sources.live.publisher import live_kafka_writer
from sources.live.record import Recorder
from sources.live.status import Status
from sources.live.venues import venue_of
from sources.live.watch import VenueFeed
from sources.replay.checkpoint import only_one
from sources.replay.sender import cluster_at

log = logging.getLogger("foretick.live")

OnStatus = Callable[[Status], None]


class KafkaLostError(Exception):
    """Kafka did not accept the records."""


async def load_markets(exchange: Any, name: str) -> None:
    """Ask a venue for its symbols. Raises VenueAwayError if it cannot be reached, SourceError where it refuses."""
    before = asyncio.all_tasks()
    try:
        async for attempt in stamina.retry_context(ccxt.NetworkError, attempts=3):
            with attempt:
                await exchange.load_markets()
    except ccxt.BaseError as error:
        # What ccxt asks for beside the request that failed would open a session again after `close`.
        left = asyncio.all_tasks() - before
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        raise _of(error, name) from error


def _of(error: ccxt.BaseError, name: str) -> SourceError:
    if isinstance(error, ccxt.NetworkError):
        return VenueAwayError(f"{name} cannot be reached: {error.__cause__ or error}; is the network up?")
    return SourceError(f"{name} does not list its symbols: {type(error).__name__}: {error}")


class Service:
    """One venue's process; `show` is called with its status every `show_s` seconds."""

    def __init__(self, name: str, settings: Settings, record: Path | None, show: OnStatus, show_s: float) -> None:
        self._name, self._settings, self._record = name, settings, record
        self._show, self._show_s = show, show_s
        self._path = settings.home / control.FOLDER / f"{name}.json"
        self._watch: VenueFeed | None = None
        self._problem = "starting"

    def status(self) -> Status | None:
        """Return the feed's status, None before its start."""
        return None if self._watch is None else self._watch.status()

    def ready(self) -> str | None:
        """Return what prevents publishing, None if nothing does."""
        status = self.status()
        return self._problem or (None if status is None else status.wrong)

    async def run(self, symbols: Sequence[str]) -> None:
        """Watch the symbols, or, where none is named, those that were watched last; until cancelled.

        Raises SourceError if the venue, a symbol or Kafka cannot serve at the start; VenueAwayError where the venue
        cannot be reached.
        """
        exchange = make(self._name, self._settings.venue_url)
        control.folder(self._settings.home)  # only now that there is such a venue
        with only_one(self._path, f"`foretick live {self._name}`"):
            wanted = symbols or FeedCheckpoint.load(self._path).watched
            if not wanted:
                raise SourceError(f"which symbols? `foretick live {self._name} BTC/USDT` watches one")
            await cluster_at(self._settings.broker)
            recorder = None if self._record is None else Recorder(self._record, self._name, ccxt.__version__)
            showing = asyncio.create_task(self._tell())
            try:
                await load_markets(exchange, self._name)
                markets = [market_of(exchange.markets, text, self._name).unified for text in wanted]
                async with control.listening(self._settings.home, self._name, self._answer):
                    await self._sessions(exchange, recorder, markets)
            finally:
                showing.cancel()
                await exchange.close()
                if recorder is not None:
                    recorder.close()

    async def _sessions(self, exchange: Any, recorder: Recorder | None, symbols: Sequence[str]) -> None:
        """Stream; if Kafka is lost, restart as after a crash, with the present symbols."""
        lost = (KafkaLostError, KafkaError, SourceError)
        async for attempt in stamina.retry_context(lost, attempts=None, timeout=None, wait_max=30.0):
            with attempt:
                watched = None if self._watch is None else [each.market for each in self._watch.status().symbols]
                await self._session(exchange, recorder, symbols if watched is None else watched)

    async def _session(self, exchange: Any, recorder: Recorder | None, symbols: Sequence[str]) -> None:
        venue, kafka = venue_of(self._name), self._settings.broker
        checkpoint = FeedCheckpoint.load(self._path)
        await restore(kafka, await cluster_at(kafka), checkpoint, self._name, counted=venue.counts)
        async with live_kafka_writer(kafka, checkpoint, self._path, counted=venue.counts) as out:
            self._watch = VenueFeed(exchange, venue, checkpoint, out, recorder)
            self._problem = ""
            try:
                await self._watch.run(symbols)
            except* KafkaError as errors:
                self._problem = f"Kafka at {kafka} is lost"
                reason = repr(errors.exceptions[0])
                log.warning("Kafka at %s is lost (%s): unconfirmed trades are requested again", kafka, reason)
                raise KafkaLostError(reason) from errors

    async def _answer(self, request: ControlRequest) -> ControlReply:
        if self._watch is None:
            return ControlReply(error=f"`foretick live {self._name}` is still starting: try again")
        for text in request.symbols:
            if request.do == "add":
                self._watch.add(text)
            elif request.do == "rm":
                await self._watch.remove(text)
        return ControlReply(self._watch.status())

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(self._show_s)
            if (status := self.status()) is not None:
                self._show(status)
