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
from sources.errors import SourceError
from sources.kafka import cluster_at
from sources.live import control
from sources.live.control import Answer, Wish
from sources.live.exchange import make
from sources.live.markets import market_of
from sources.live.memory import Memory, recall
from sources.live.outlet import outlet
from sources.live.record import Recorder
from sources.live.status import Status
from sources.live.venues import venue_of
from sources.live.watch import Watch
from sources.progress import only_one

log = logging.getLogger("foretick.live")

OnStatus = Callable[[Status], None]


class KafkaLost(Exception):  # noqa: N818 - what happened, as ConnectionLost elsewhere
    """Kafka did not take what was sent."""


class Service:
    """One venue's process; `show` hears of its status every `show_s` seconds."""

    def __init__(self, name: str, settings: Settings, record: Path | None, show: OnStatus, show_s: float) -> None:
        self._name, self._settings, self._record = name, settings, record
        self._show, self._show_s = show, show_s
        self._path = control.folder(settings.home) / f"{name}.json"
        self._watch: Watch | None = None
        self._problem = "starting"

    def status(self) -> Status | None:
        """Return how the watch goes, None before its start."""
        return None if self._watch is None else self._watch.status()

    def ready(self) -> str | None:
        """Return what keeps trades from the topics, None where nothing does."""
        status = self.status()
        return self._problem or (None if status is None else status.wrong)

    async def run(self, symbols: Sequence[str]) -> None:
        """Watch the symbols, or, where none is named, those that were watched last; until cancelled.

        Raises SourceError where the venue, a symbol or Kafka cannot serve at the start.
        """
        exchange = make(self._name, self._settings.venue_url)
        with only_one(self._path, f"`foretick live {self._name}`"):
            wanted = symbols or Memory.load(self._path).watched
            if not wanted:
                raise SourceError(f"which symbols? `foretick live {self._name} BTC/USDT` watches one")
            await cluster_at(self._settings.broker)
            recorder = None if self._record is None else Recorder(self._record, self._name, ccxt.__version__)
            showing = asyncio.create_task(self._tell())
            try:
                await self._load_markets(exchange)
                markets = [market_of(exchange.markets, text, self._name).unified for text in wanted]
                async with control.listening(self._settings.home, self._name, self._answer):
                    await self._sessions(exchange, recorder, markets)
            finally:
                showing.cancel()
                await exchange.close()
                if recorder is not None:
                    recorder.close()

    async def _load_markets(self, exchange: Any) -> None:
        try:
            async for attempt in stamina.retry_context(ccxt.NetworkError, attempts=3):
                with attempt:
                    await exchange.load_markets()
        except ccxt.BaseError as error:
            raise SourceError(f"{self._name} does not tell its symbols: {type(error).__name__}: {error}") from error

    async def _sessions(self, exchange: Any, recorder: Recorder | None, symbols: Sequence[str]) -> None:
        """Watch; where Kafka is lost, begin again as after a crash, with what is watched by then."""
        lost = (KafkaLost, KafkaError, SourceError)
        async for attempt in stamina.retry_context(lost, attempts=None, timeout=None, wait_max=30.0):
            with attempt:
                watched = None if self._watch is None else [each.market for each in self._watch.status().symbols]
                await self._session(exchange, recorder, symbols if watched is None else watched)

    async def _session(self, exchange: Any, recorder: Recorder | None, symbols: Sequence[str]) -> None:
        venue, kafka = venue_of(self._name), self._settings.broker
        memory = Memory.load(self._path)
        await recall(kafka, await cluster_at(kafka), memory, self._name, counted=venue.counts)
        async with outlet(kafka, memory, self._path, counted=venue.counts) as out:
            self._watch = Watch(exchange, venue, memory, out, recorder)
            self._problem = ""
            try:
                await self._watch.run(symbols)
            except* KafkaError as errors:
                self._problem = f"Kafka at {kafka} is lost"
                reason = repr(errors.exceptions[0])
                log.warning("Kafka at %s is lost (%s): what it did not take is asked for again", kafka, reason)
                raise KafkaLost(reason) from errors

    async def _answer(self, wish: Wish) -> Answer:
        if self._watch is None:
            return Answer(error=f"`foretick live {self._name}` is still starting: try again")
        for text in wish.symbols:
            if wish.do == "add":
                self._watch.add(text)
            elif wish.do == "rm":
                await self._watch.remove(text)
        return Answer(self._watch.status())

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(self._show_s)
            if (status := self.status()) is not None:
                self._show(status)
