"""A record on `models` that the ledger did not sign changes nothing, stops nothing and is told, whoever wrote it."""

import asyncio
import stat
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from aiokafka.structs import ConsumerRecord
from hypothesis import example, given
from hypothesis import strategies as st
from memory_kafka import MemoryKafka

from broker.confirmed_send import send_in_turn
from broker.decision_signature import is_signed, key_of, signed
from stream.deployments import Decisions, DeploymentConsumer, read_logs
from topics import codec
from topics.catalog import MODELS
from topics.codec import UnreadableValue
from topics.records import Deployment, ModelEvent

GOOD, FORGED = "0123456789ab", "ba9876543210"
FINGERPRINT = "f"
WAIT_S = 30.0


def decision(model: str, number: int, champion: str | None) -> Deployment:
    return Deployment(
        model=model, number=number, action="serve", champion=champion, fingerprint=FINGERPRINT, time=1_700_000_000_000
    )


def test_the_key_is_one_for_all_and_for_its_owner_alone(tmp_path: Path) -> None:
    key = key_of(tmp_path)
    assert key_of(tmp_path) == key
    assert stat.S_IMODE((tmp_path / "decisions.key").stat().st_mode) == 0o600
    assert len(list(tmp_path.iterdir())) == 1


def test_a_signature_is_of_these_bytes_and_of_this_key() -> None:
    header = signed(b"key", b"value")
    assert is_signed(b"key", b"value", [("other", b""), header])
    assert not is_signed(b"key", b"valuf", [header])
    assert not is_signed(b"kex", b"value", [header])
    assert not is_signed(b"key", b"value", [(header[0], b"")])
    assert not is_signed(b"key", None, [])


def test_a_record_too_large_to_be_read_is_a_dead_letter_and_not_called_forged() -> None:
    record = ConsumerRecord(MODELS.name, 0, 5, 1_700_000_000_000, 0, b"m", UnreadableValue("too large"), None, 0, 0, ())
    deployments, refused, dead_letters = Decisions(b"key", begun=True).read([record])
    assert (deployments, refused) == ([], [])
    assert [(letter.offset, letter.reason) for letter in dead_letters] == [(5, "too large")]


@given(st.none() | st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
@example(b"gbm")
@example(b"gbm\n")
@example(b"a" * 65)
def test_whoever_reads_the_refusal_of_a_record_can_read_it_whatever_its_key_is(key: bytes | None) -> None:
    record = ConsumerRecord(MODELS.name, 0, 5, 1_700_000_000_000, 0, key, b"no decision", None, 0, 0, ())
    _, refused, _ = Decisions(b"key", begun=True).read([record])
    assert codec.decode(codec.encode(refused), ModelEvent).records == refused
    assert refused[0].model == ("gbm" if key == b"gbm" else refused[0].model)


class NotingServer:
    """What the follower asks of a model server; it notes what takes effect."""

    fingerprint = FINGERPRINT
    predictor = None

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.started: list[ModelEvent] = []
        self.applied: list[Deployment] = []
        self.second = asyncio.Event()

    def ready(self, _: Deployment) -> bool:
        return True

    def prepare(self, deployment: Deployment) -> Deployment:
        return deployment

    def apply(self, prepared: Deployment) -> list[ModelEvent]:
        self.applied.append(prepared)
        if prepared.number == 2:
            self.second.set()
        return []


class Told:
    """An outbox that keeps what is sent."""

    def __init__(self) -> None:
        self.events: list[ModelEvent] = []

    async def send(self, frames: Sequence[Any]) -> None:
        self.events += [event for _, _, events in frames for event in events]


async def write(kafka: MemoryKafka, key: bytes | None, model: str, value: bytes) -> None:
    signature = [] if key is None else [signed(key, value)]
    await send_in_turn(kafka, [(MODELS.name, model.encode(), value, [*codec.HEADERS, *signature])])


def test_a_forged_decision_a_path_and_poison_are_refused_and_the_ledgers_goes_on(tmp_path: Path) -> None:
    kafka = MemoryKafka()
    key, another, model = key_of(tmp_path), b"of another home", f"model-{uuid4().hex}"
    secret = tmp_path / "secret"
    forged = [
        codec.encode_one(decision(model, 50, FORGED)),
        codec.encode_one(decision(model, 51, None)),
        b"[" * 1_000,
        b"\xff",
        b"",
    ]
    claim = '{"model":"m","number":60,"action":"serve","champion":"%s","fingerprint":"f","time":1}'
    paths = [(claim % path).encode() for path in (secret, "../../etc")]

    async def story() -> tuple[NotingServer, Told]:
        model_server, reporter = NotingServer(), Told()
        await write(kafka, key, model, codec.encode_one(decision(model, 1, GOOD)))
        for value in [*forged, *paths]:
            await write(kafka, None, model, value)
        await write(kafka, another, model, codec.encode_one(decision(model, 52, FORGED)))
        follower = DeploymentConsumer(kafka, model_server, SimpleNamespace(fold=None), reporter, Decisions(key))
        following = asyncio.create_task(follower.run())
        await write(kafka, key, model, codec.encode_one(decision(model, 2, GOOD)))
        async with asyncio.timeout(WAIT_S):
            await model_server.second.wait()
        following.cancel()
        await asyncio.wait({following})  # cancelled once more by the end of the loop, it would leave a connection open
        return model_server, reporter

    model_server, reporter = asyncio.run(story())
    assert {one.champion for one in model_server.applied if one.model == model} == {GOOD}
    refused = [event for event in reporter.events if event.model == model]
    assert [event.event for event in refused] == ["refused"] * (len(forged) + len(paths) + 1)
    assert all("is not signed by the ledger" in (event.reason or "") and event.version == "" for event in refused)
    assert all(event.time > 1_700_000_000_000 for event in refused)  # the broker's time: told again, it is the same
    deployments = read_logs(kafka, Decisions(key))[model]  # a start
    assert [(one.number, one.champion) for one in deployments] == [(1, GOOD), (2, GOOD)]
