"""A record on `models` that the ledger did not sign changes nothing, stops nothing and is told, whoever wrote it."""

import asyncio
import stat
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from aiokafka.structs import ConsumerRecord
from hypothesis import example, given
from hypothesis import strategies as st
from stacks import Servers

from settings.broker import Address
from sources import broker
from stream.admin import create_topics
from stream.deployments import Decisions, Follower, read_logs
from stream.signature import is_signed, key_of, signed
from topics import codec
from topics.catalog import MODELS
from topics.codec import Unread
from topics.records import Deployment, ModelEvent

GOOD, FORGED = "0123456789ab", "ba9876543210"
FINGERPRINT = "f"
WAIT_S = 30.0


def decision(model: str, number: int, champion: str | None) -> Deployment:
    return Deployment(model, number, "serve", champion, FINGERPRINT, 1_700_000_000_000)


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
    record = ConsumerRecord(MODELS.name, 0, 5, 1_700_000_000_000, 0, b"m", Unread("too large"), None, 0, 0, ())
    found, refused, letters = Decisions(b"key", begun=True).read([record])
    assert (found, refused) == ([], [])
    assert [(letter.offset, letter.reason) for letter in letters] == [(5, "too large")]


@given(st.none() | st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
@example(b"gbm")
@example(b"gbm\n")
@example(b"a" * 65)
def test_whoever_reads_the_refusal_of_a_record_can_read_it_whatever_its_key_is(key: bytes | None) -> None:
    record = ConsumerRecord(MODELS.name, 0, 5, 1_700_000_000_000, 0, key, b"no decision", None, 0, 0, ())
    _, refused, _ = Decisions(b"key", begun=True).read([record])
    assert codec.decode(codec.encode(refused), ModelEvent).records == refused
    assert refused[0].model == ("gbm" if key == b"gbm" else refused[0].model)


class Lineup:
    """What the follower asks of a lineup; it notes what takes effect."""

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


async def write(address: Address, key: bytes | None, model: str, value: bytes | None) -> None:
    producer = broker.producer(address)
    await producer.start()
    signature = [] if key is None else [signed(key, value or b"")]
    headers = [*codec.HEADERS, *signature]
    await producer.send_and_wait(MODELS.name, value, key=model.encode(), headers=headers)
    await producer.stop()


@pytest.mark.services
def test_a_forged_decision_a_path_and_poison_are_refused_and_the_ledgers_goes_on(
    servers: Servers, tmp_path: Path
) -> None:
    create_topics(servers.broker)
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

    async def story() -> tuple[Lineup, Told]:
        lineup, told = Lineup(), Told()
        await write(servers.broker, key, model, codec.encode_one(decision(model, 1, GOOD)))
        for value in [*forged, *paths]:
            await write(servers.broker, None, model, value)
        await write(servers.broker, another, model, codec.encode_one(decision(model, 52, FORGED)))
        follower = Follower(servers.broker, lineup, SimpleNamespace(fold=None), told, Decisions(key))  # type: ignore[arg-type]
        following = asyncio.create_task(follower.run())
        await write(servers.broker, key, model, codec.encode_one(decision(model, 2, GOOD)))
        async with asyncio.timeout(WAIT_S):
            await lineup.second.wait()
        following.cancel()
        await asyncio.wait({following})  # cancelled once more by the end of the loop, it would leave a connection open
        return lineup, told

    lineup, told = asyncio.run(story())
    assert {one.champion for one in lineup.applied if one.model == model} == {GOOD}
    refused = [event for event in told.events if event.model == model]
    assert [event.event for event in refused] == ["refused"] * (len(forged) + len(paths) + 1)
    assert all("is not signed by the ledger" in (event.reason or "") and event.version == "" for event in refused)
    assert all(event.time > 1_700_000_000_000 for event in refused)  # the broker's time: told again, it is the same
    found = read_logs(servers.broker, Decisions(key))[model]  # a start
    assert [(one.number, one.champion) for one in found] == [(1, GOOD), (2, GOOD)]
