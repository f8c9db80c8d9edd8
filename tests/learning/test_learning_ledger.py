"""What is decided is in the log, on the topic and in serving.json, whoever else decides and whatever is away."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr
from stacks import Servers, drop_database

from broker.confirmed_send import KafkaWriter
from broker.decision_signature import key_of
from broker.reader import reader
from features.definition import DEFAULT
from learning.deployment import announce, confirmation
from learning.deployment.ledger import Ledger, LedgerError
from models.registry import model_registry
from settings import Settings
from stack import doctor
from stack.prepare import prepare
from stream.deployments import PARTITION, Decisions
from topics.catalog import MODEL_EVENTS
from topics.records import Deployment, ModelEvent

pytestmark = pytest.mark.services
V1, V2, V3, V9 = (f"{number:012x}" for number in (1, 2, 3, 9))


@pytest.fixture
def settings(servers: Servers, tmp_path: Path) -> Iterator[Settings]:
    """A database, the topics, and a folder with three versions of two models, one of each in service."""
    name = f"ledger_{uuid4().hex}"
    with psycopg.connect(servers.database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        url = urlsplit(servers.database_url)._replace(path=f"/{name}").geturl()
        result = Settings(home=tmp_path, **servers.as_stack(), database_url=SecretStr(url))
        prepare(result)
        for model in ("naive", "gbm"):
            for version in (V1, V2, V3):
                artifact = tmp_path / "models" / model / version / "model.json"
                artifact.parent.mkdir(parents=True)
                artifact.write_text("{}")
        model_registry.serve(tmp_path / "models", {"naive": V1, "gbm": V1})
        yield result
        drop_database(connection, name)


@pytest.fixture
def ledger(settings: Settings) -> Ledger:
    return Ledger(settings)


def on_topic(settings: Settings, model: str) -> Deployment:
    """Return what came last onto the topic, which all tests share."""

    decisions = Decisions(key_of(settings.home))

    async def read() -> list[Deployment]:
        async with reader(settings.broker, auto_offset_reset="earliest") as client:
            client.assign([PARTITION])
            end = (await client.end_offsets([PARTITION]))[PARTITION]
            await client.seek_to_beginning(PARTITION)
            return [one for _ in range(end) for one in decisions.read([await client.getone()])[0]]

    return [one for one in asyncio.run(read()) if one.model == model][-1]


def test_a_decision_is_in_the_log_on_the_topic_and_in_serving_json(settings: Settings, ledger: Ledger) -> None:
    ledger.decide("gbm", "serve", V1, decided_by="test", why="the first")
    made = ledger.decide("gbm", "promote", V2, decided_by="test", why="better", evidence={"p": 0.01}, force=True)
    assert (made.number, made.champion, made.standby, made.evidence) == (2, V2, V1, {"p": 0.01})
    assert made.fingerprint == DEFAULT.fingerprint
    assert ledger.latest() == {"gbm": made} == {"gbm": on_topic(settings, "gbm")}
    assert [one.action for one in ledger.history("gbm")] == ["serve", "promote"]
    assert model_registry.serving(settings.home / "models") == {"naive": V1, "gbm": V2}
    assert ledger.decide("gbm", "retire", decided_by="test", why="").champion is None
    assert model_registry.serving(settings.home / "models") == {"naive": V1}


def test_a_reader_of_the_log_makes_no_key(settings: Settings, ledger: Ledger) -> None:
    assert (ledger.latest(), ledger.history("gbm"), ledger.forged()) == ({}, [], [])
    assert not (settings.home / "decisions.key").exists()
    ledger.decide("gbm", "serve", V1, decided_by="test", why="a test")
    assert (settings.home / "decisions.key").stat().st_mode & 0o077 == 0


def test_those_who_decide_at_the_same_time_are_all_in_the_log_one_after_another(
    settings: Settings, ledger: Ledger
) -> None:
    ledger.decide("gbm", "serve", V1, decided_by="test", why="")
    with ThreadPoolExecutor(4) as pool:
        calls = [
            pool.submit(ledger.decide, "gbm", "promote", version, decided_by=f"{turn}", why="", force=True)
            for turn, version in enumerate((V2, V3, V2, V3))
        ]
        refused = [call.exception() for call in calls]
    log = ledger.history("gbm")
    assert [one.number for one in log] == list(range(1, len(log) + 1))
    assert len(log) + sum(error is not None for error in refused) == 5
    assert all(isinstance(error, LedgerError | None) for error in refused)
    assert on_topic(settings, "gbm") == log[-1]
    assert model_registry.serving(settings.home / "models")["gbm"] == log[-1].champion


def test_what_a_crash_kept_from_the_workers_reaches_them_with_the_next_start(
    settings: Settings, ledger: Ledger
) -> None:
    ledger.decide("gbm", "serve", V1, decided_by="test", why="")
    away = Ledger(settings.model_copy(update={"kafka": "127.0.0.1:1"}))
    with pytest.raises(LedgerError, match=r"the decision is recorded, but Kafka at 127.0.0.1:1 does not answer"):
        away.decide("gbm", "promote", V2, decided_by="test", why="", force=True)
    assert on_topic(settings, "gbm").champion == model_registry.serving(settings.home / "models")["gbm"] == V1
    announce.announce(settings)
    assert on_topic(settings, "gbm").champion == model_registry.serving(settings.home / "models")["gbm"] == V2


def test_what_was_trained_is_announced_once_and_takes_no_later_decision_back(
    settings: Settings, ledger: Ledger
) -> None:
    announce.announce(settings)
    announce.announce(settings)
    assert {(one.model, one.champion, one.decided_by) for one in ledger.history()} == {
        ("naive", V1, "foretick train"),
        ("gbm", V1, "foretick train"),
    }
    assert len(ledger.history()) == 2
    ledger.decide("gbm", "promote", V2, decided_by="test", why="", force=True)
    model_registry.serve(settings.home / "models", {"naive": V2, "gbm": V1})
    announce.announce(settings)
    assert {model: one.champion for model, one in ledger.latest().items()} == {"naive": V2, "gbm": V2}
    assert model_registry.serving(settings.home / "models") == {"naive": V2, "gbm": V2}


@pytest.mark.parametrize(
    ("model", "version", "text"),
    [
        ("oracle", V1, r"no model 'oracle' in .*; there are gbm, naive"),
        ("gbm", V9, rf"no version {V9} of model 'gbm' in .*; there are {V1}, {V2}, {V3}"),
    ],
)
def test_a_decision_about_an_unknown_model_or_version_is_refused(
    ledger: Ledger, model: str, version: str, text: str
) -> None:
    with pytest.raises(LedgerError, match=text):
        ledger.decide(model, "serve", version, decided_by="test", why="")
    assert ledger.history() == []


def test_an_impossible_decision_and_a_database_that_is_away_are_told_in_one_line(
    settings: Settings, ledger: Ledger
) -> None:
    with pytest.raises(LedgerError, match="'gbm' does not serve: there is nothing to take back"):
        ledger.decide("gbm", "rollback", decided_by="test", why="")
    nowhere = settings.model_copy(update={"database_url": SecretStr("postgresql://foretick:secret@127.0.0.1:1/x")})
    with pytest.raises(LedgerError, match=r"postgresql://127.0.0.1:1/x does not answer") as error:
        Ledger(nowhere).latest()
    assert "\n" not in str(error.value)
    assert "secret" not in str(error.value)


def test_what_others_decided_and_workers_refused_is_told_beside_the_log(settings: Settings, ledger: Ledger) -> None:
    assert ledger.forged() == []
    reason = "offset 7 of models is not signed by the ledger"
    with psycopg.connect(settings.database_url.get_secret_value(), autocommit=True) as connection:
        connection.execute(
            "INSERT INTO model_events (model, version, event, fingerprint, time, number, reason) VALUES "
            "('gbm', '', 'refused', 'f', now(), 50, %s), ('gbm', %s, 'refused', 'f', now(), 2, 'corrupted')",
            [reason, V1],
        )
    (forged_decision,) = ledger.forged("gbm")
    assert (forged_decision.model, forged_decision.reason) == ("gbm", reason)
    assert ledger.forged("naive") == []
    check = asyncio.run(doctor.decisions(settings.database_url.get_secret_value()))
    assert (check.status, reason in check.detail) == ("fail", True)


def test_an_answer_is_the_first_workers_and_only_to_that_decision(settings: Settings, ledger: Ledger) -> None:
    begin = confirmation.end(settings.broker)
    made = ledger.decide("gbm", "serve", V1, decided_by="test", why="")
    assert confirmation.answer(settings.broker, begin, made, 0.5, 0.0) == confirmation.Confirmation()
    events = [
        ModelEvent(model="gbm", version=V1, event="refused", fingerprint="f", time=1, number=9, role="champion"),
        ModelEvent(
            model="naive", version=V1, event="loaded", fingerprint="f", time=1, number=made.number, role="champion"
        ),
        ModelEvent(
            model="gbm", version=V1, event="loaded", fingerprint="f", time=2, number=made.number, role="champion"
        ),
        ModelEvent(
            model="gbm",
            version=V1,
            event="serving",
            fingerprint="f",
            time=3,
            number=made.number,
            role="champion",
            symbol="A",
            interval="1m",
        ),
    ]

    async def say() -> None:
        writer = KafkaWriter(settings.broker)
        await writer.send([(MODEL_EVENTS, "gbm", events)])
        await writer.stop()

    asyncio.run(say())
    result = confirmation.answer(settings.broker, begin, made, 30.0, 0.2)
    assert (result.reply, result.serving) == (events[2], events[3:])
