"""Follows the topic `models`: a decision about a model takes effect between two slices of the stream.

Each worker follows it independently. New versions are loaded in a thread, one after another, while the old versions
predict; a version that is served already, as after a rollback, changes its role at once.
"""

import asyncio
import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import stamina
import uvloop
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord

from broker.confirmed_send import KafkaWriter
from broker.dead_letters import decode_record, of_record
from broker.decision_signature import is_signed
from broker.reader import reader
from broker.skipped_records import Skips
from observability.metrics import REFUSED
from settings.broker import Address
from stream.app import or_end
from stream.model_server import ModelServer, PreparedDeployment
from stream.stages import Predictions
from topics.catalog import DEAD_LETTERS, MODEL_EVENTS, MODELS
from topics.codec import UnreadableValue
from topics.limits import LABEL, LONGEST_LABEL
from topics.records import DeadLetter, Deployment, ModelEvent

log = logging.getLogger("foretick")

PARTITION = TopicPartition(MODELS.name, 0)
UNKNOWN = "unknown"
"""The model of an unsigned decision whose key is no model's name."""
_label = re.compile(LABEL)
RETRY_SECONDS = 60.0
MISSING_SECONDS = 5.0
"""How long to wait before checking again for the topic."""


@dataclass
class Decisions:
    """Decodes the topic's records: the ledger's decisions, and reports of the others.

    Records before the first signed one are of a version that did not sign: they are ignored too, and not reported. The
    report of a record is the same each time, and so is stored once.
    """

    key: bytes
    skips: Skips = field(default_factory=lambda: Skips(None, "worker"))
    begun: bool = False

    def read(self, records: Iterable[ConsumerRecord]) -> tuple[list[Deployment], list[ModelEvent], list[DeadLetter]]:
        """Return the decisions, an event of each record that is refused, and the dead letters; no record raises."""
        deployments: list[Deployment] = []
        refused: list[ModelEvent] = []
        dead_letters: list[DeadLetter] = []
        skipped = self.skips.of(MODELS.name)
        for record in records:
            why = skipped.get((record.partition, record.offset))
            if why is not None:
                dead_letters.append(of_record(MODELS.name, record, 0, record.value or b"", why))
            elif isinstance(record.value, UnreadableValue):  # its origin is unknown: the signature is of its bytes
                dead_letters += decode_record(MODELS, record)[2]
            elif is_signed(self.key, record.value, record.headers):
                self.begun = True
                _, made, unread = decode_record(MODELS, record)
                deployments += made
                dead_letters += unread
            elif self.begun:
                refused.append(_refused(record))
        for letter in dead_letters:
            log.error("offset %d of %s is no deployment: %s", letter.offset, MODELS.name, letter.reason)
        return deployments, refused, dead_letters


def _refused(record: ConsumerRecord) -> ModelEvent:
    """Return the event of a refused record, which is not decoded: it may be malicious, and its names may be paths.

    Its key is the model if it is a model's name; else the model is `UNKNOWN`, and the reason has the key.
    """
    key = (record.key or b"").decode(errors="replace")
    known = len(key) <= LONGEST_LABEL and _label.fullmatch(key)
    model, named = (key, "") if known else (UNKNOWN, f", under the key {key[:100]!r}")
    reason = f"offset {record.offset} of {MODELS.name} is not signed by the ledger{named}"
    log.error("model %r: refused: %s", model, reason)
    REFUSED.inc()
    return ModelEvent(
        model=model, version="", event="refused", fingerprint="", time=max(record.timestamp, 0), reason=reason
    )


def by_model(results: Iterable[Deployment]) -> dict[str, list[Deployment]]:
    """Return the deployments of each model by their number, without repetitions."""
    logs: dict[str, dict[int, Deployment]] = {}
    for deployment in results:
        logs.setdefault(deployment.model, {})[deployment.number] = deployment
    return {model: [made[number] for number in sorted(made)] for model, made in logs.items()}


async def _logs(bootstrap: Address, decisions: Decisions) -> dict[str, list[Deployment]]:
    deployments: list[Deployment] = []
    async with reader(bootstrap, auto_offset_reset="earliest") as client:
        if MODELS.name in await client.topics():
            client.assign([PARTITION])
            end = (await client.end_offsets([PARTITION]))[PARTITION]
            await client.seek_to_beginning(PARTITION)
            while await client.position(PARTITION) < end:
                for records in (await client.getmany(timeout_ms=500)).values():
                    deployments += decisions.read(records)[0]
    return by_model(deployments)


def read_logs(bootstrap: Address, decisions: Decisions) -> dict[str, list[Deployment]]:
    """Return the decisions of each model that the topic still holds, none if there is no such topic; blocks.

    Raises KafkaError if no Kafka answers for a minute.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for attempt in stamina.retry_context(KafkaError, attempts=None, timeout=RETRY_SECONDS):
            with attempt:
                return runner.run(_logs(bootstrap, replace(decisions, begun=False)))
    raise AssertionError  # the last attempt has raised


class DeploymentConsumer:
    """Applies the topic's deployments to the prediction stage, and publishes the result of each."""

    def __init__(
        self, bootstrap: Address, server: ModelServer, stage: Predictions, writer: KafkaWriter, decisions: Decisions
    ) -> None:
        self._bootstrap, self._model_server, self._stage, self._writer = bootstrap, server, stage, writer
        self._decisions = decisions
        self._one = asyncio.Lock()  # loaded one at a time: loading takes memory, and CPU from the stream
        self._loading: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Publish what is served, then follow the topic until cancelled."""
        await self._publish(self._model_server.started)
        try:
            async with reader(self._bootstrap, auto_offset_reset="earliest") as client:
                while MODELS.name not in await client.topics():  # noqa: ASYNC110 - nobody here makes the topic
                    await asyncio.sleep(MISSING_SECONDS)
                client.assign([PARTITION])
                await client.seek_to_beginning(PARTITION)
                while True:
                    for records in (await client.getmany(timeout_ms=60_000)).values():
                        deployments, refused, dead_letters = self._decisions.read(records)
                        await self._writer.send([(DEAD_LETTERS, MODELS.name, dead_letters)])
                        await self._publish(refused)
                        for made in by_model(deployments).values():
                            await self.take(made[-1])
        finally:
            for task in self._loading:
                task.cancel()

    async def take(self, deployment: Deployment) -> None:
        """Apply a deployment, unless it or a later one of the model was applied already."""
        server = self._model_server
        if deployment.number <= server.numbers.get(deployment.model, 0):
            return
        server.numbers[deployment.model] = deployment.number
        if deployment.fingerprint != server.fingerprint:
            reason = (
                f"it is for features {deployment.fingerprint}, but {server.fingerprint} are computed until a restart"
            )
            await self._publish(server.refuse(deployment, reason))
        elif server.ready(deployment):
            await self._apply(server.prepare(deployment))
        else:
            task = asyncio.create_task(or_end("deployments", self._load(deployment)))
            self._loading.add(task)
            task.add_done_callback(self._loading.discard)

    async def _load(self, deployment: Deployment) -> None:
        async with self._one:
            if not self._overtaken(deployment):
                prepared = await asyncio.to_thread(self._model_server.prepare, deployment)
        if not self._overtaken(deployment):
            await self._apply(prepared)

    def _overtaken(self, deployment: Deployment) -> bool:
        return self._model_server.numbers[deployment.model] != deployment.number

    async def _apply(self, prepared: PreparedDeployment) -> None:
        events = self._model_server.apply(prepared)
        self._stage.fold = self._model_server.predictor  # no fold runs now, so the change is between two slices
        await self._publish(events)

    async def _publish(self, events: Iterable[ModelEvent]) -> None:
        await self._writer.send([(MODEL_EVENTS, event.model, [event]) for event in events])
