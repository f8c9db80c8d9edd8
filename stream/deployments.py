"""Follows the topic `models`: what is decided about a model takes effect between two slices of the stream.

Each worker follows it by itself. What must be loaded first is loaded in a thread, one after another, while the old
versions go on; what plays already, as after a rollback, changes its role at once.
"""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import stamina
import uvloop
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord

from settings.broker import Address
from sources import broker
from stream.app import or_end
from stream.letters import decode_record, of_record
from stream.lineup import Lineup, Prepared
from stream.metrics import REFUSED
from stream.outbox import Outbox
from stream.signature import is_signed
from stream.skips import Skips
from stream.stages import Predictions
from topics.catalog import DEAD_LETTERS, MODEL_EVENTS, MODELS
from topics.codec import Unread
from topics.limits import LABEL, LONGEST_LABEL
from topics.records import DeadLetter, Deployment, ModelEvent

log = logging.getLogger("foretick")

PARTITION = TopicPartition(MODELS.name, 0)
UNKNOWN = "unknown"
"""The model of a decision that nobody signed, under a key that is no model's name."""
_label = re.compile(LABEL)
RETRY_SECONDS = 60.0
MISSING_SECONDS = 5.0
"""How long to wait before asking again whether there is the topic."""


@asynccontextmanager
async def consumer(bootstrap: Address) -> AsyncIterator[AIOKafkaConsumer]:
    """Give a consumer of no topic and no group, and close it."""
    client = broker.consumer(bootstrap, enable_auto_commit=False, auto_offset_reset="earliest")
    try:
        await client.start()
        yield client
    finally:
        await client.stop()


@dataclass
class Decisions:
    """Reads what is on the topic: the ledger's decisions, and what to tell of records that are none.

    What lies before the first that the ledger signed is of a version that did not sign: it counts for nothing either,
    and is not told. What is told of a record is the same each time, and so is stored once.
    """

    key: bytes
    skips: Skips = field(default_factory=lambda: Skips(None, "worker"))
    begun: bool = False

    def read(self, records: Iterable[ConsumerRecord]) -> tuple[list[Deployment], list[ModelEvent], list[DeadLetter]]:
        """Return the decisions, an event of each record that is refused, and the dead letters; no record raises."""
        found: list[Deployment] = []
        refused: list[ModelEvent] = []
        letters: list[DeadLetter] = []
        skipped = self.skips.of(MODELS.name)
        for record in records:
            why = skipped.get((record.partition, record.offset))
            if why is not None:
                letters.append(of_record(MODELS.name, record, 0, record.value or b"", why))
            elif isinstance(record.value, Unread):  # who wrote it is not known: the signature is of its bytes
                letters += decode_record(MODELS, record)[2]
            elif is_signed(self.key, record.value, record.headers):
                self.begun = True
                _, made, unread = decode_record(MODELS, record)
                found += made
                letters += unread
            elif self.begun:
                refused.append(_refused(record))
        for letter in letters:
            log.error("offset %d of %s is no deployment: %s", letter.offset, MODELS.name, letter.reason)
        return found, refused, letters


def _refused(record: ConsumerRecord) -> ModelEvent:
    """Return what tells of a record that is not even decoded: it may be poison, and what it names a path.

    Its key names the model where it is the name of one; else that is `UNKNOWN`, and the reason has the key.
    """
    key = (record.key or b"").decode(errors="replace")
    known = len(key) <= LONGEST_LABEL and _label.fullmatch(key)
    model, named = (key, "") if known else (UNKNOWN, f", under the key {key[:100]!r}")
    reason = f"offset {record.offset} of {MODELS.name} is not signed by the ledger: somebody else wrote it{named}"
    log.error("model %r: refused: %s", model, reason)
    REFUSED.inc()
    return ModelEvent(model, "", "refused", "", max(record.timestamp, 0), reason=reason)


def by_model(found: Iterable[Deployment]) -> dict[str, list[Deployment]]:
    """Return the deployments of each model by their number; what was published again counts once."""
    logs: dict[str, dict[int, Deployment]] = {}
    for deployment in found:
        logs.setdefault(deployment.model, {})[deployment.number] = deployment
    return {model: [made[number] for number in sorted(made)] for model, made in logs.items()}


async def _logs(bootstrap: Address, decisions: Decisions) -> dict[str, list[Deployment]]:
    found: list[Deployment] = []
    async with consumer(bootstrap) as client:
        if MODELS.name in await client.topics():
            client.assign([PARTITION])
            end = (await client.end_offsets([PARTITION]))[PARTITION]
            await client.seek_to_beginning(PARTITION)
            while await client.position(PARTITION) < end:
                for records in (await client.getmany(timeout_ms=500)).values():
                    found += decisions.read(records)[0]
    return by_model(found)


def read_logs(bootstrap: Address, decisions: Decisions) -> dict[str, list[Deployment]]:
    """Return what the topic still holds of each model's log, nothing where there is no such topic; blocks.

    Raises KafkaError where no Kafka answers for a minute.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for attempt in stamina.retry_context(KafkaError, attempts=None, timeout=RETRY_SECONDS):
            with attempt:
                return runner.run(_logs(bootstrap, replace(decisions, begun=False)))
    raise AssertionError  # the last attempt has raised


class Follower:
    """Keeps the stage of the predictions in step with the topic, and tells what became of each deployment."""

    def __init__(
        self, bootstrap: Address, lineup: Lineup, stage: Predictions, outbox: Outbox, decisions: Decisions
    ) -> None:
        self._bootstrap, self._lineup, self._stage, self._outbox = bootstrap, lineup, stage, outbox
        self._decisions = decisions
        self._one = asyncio.Lock()  # one at a time is loaded: it takes memory, and time from the stream
        self._loading: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Tell what serves, then follow the topic until cancelled."""
        await self._tell(self._lineup.started)
        try:
            async with consumer(self._bootstrap) as client:
                while MODELS.name not in await client.topics():  # noqa: ASYNC110 - nobody here makes the topic
                    await asyncio.sleep(MISSING_SECONDS)
                client.assign([PARTITION])
                await client.seek_to_beginning(PARTITION)
                while True:
                    for records in (await client.getmany(timeout_ms=60_000)).values():
                        found, refused, letters = self._decisions.read(records)
                        await self._outbox.send([(DEAD_LETTERS, MODELS.name, letters)])
                        await self._tell(refused)
                        for made in by_model(found).values():
                            await self.take(made[-1])
        finally:
            for task in self._loading:
                task.cancel()

    async def take(self, deployment: Deployment) -> None:
        """Bring a deployment into effect, unless that or a later one of the model was seen already."""
        lineup = self._lineup
        if deployment.number <= lineup.numbers.get(deployment.model, 0):
            return
        lineup.numbers[deployment.model] = deployment.number
        if deployment.fingerprint != lineup.fingerprint:
            reason = (
                f"it is for features {deployment.fingerprint}, but {lineup.fingerprint} are computed until a restart"
            )
            await self._tell(lineup.refuse(deployment, reason))
        elif lineup.ready(deployment):
            await self._apply(lineup.prepare(deployment))
        else:
            task = asyncio.create_task(or_end("deployments", self._load(deployment)))
            self._loading.add(task)
            task.add_done_callback(self._loading.discard)

    async def _load(self, deployment: Deployment) -> None:
        async with self._one:
            if not self._overtaken(deployment):
                prepared = await asyncio.to_thread(self._lineup.prepare, deployment)
        if not self._overtaken(deployment):
            await self._apply(prepared)

    def _overtaken(self, deployment: Deployment) -> bool:
        return self._lineup.numbers[deployment.model] != deployment.number

    async def _apply(self, prepared: Prepared) -> None:
        events = self._lineup.apply(prepared)
        self._stage.fold = self._lineup.predictor  # no fold runs now: the change lies between two slices
        await self._tell(events)

    async def _tell(self, events: Iterable[ModelEvent]) -> None:
        await self._outbox.send([(MODEL_EVENTS, event.model, [event]) for event in events])
