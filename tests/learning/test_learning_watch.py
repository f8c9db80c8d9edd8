"""The watch on real servers: what it decides, what it tells of, and each of it once, whoever starts another."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import msgspec
import numpy as np
import psycopg
import pytest
from aiokafka import TopicPartition
from learning_market import walk
from psycopg import sql
from pydantic import SecretStr
from stacks import Servers, drop_database, kafka_environment

from features.definition import DEFAULT
from learning.ledger import Ledger
from learning.stored import Stored
from learning.watch import Watch, alone
from models import provenance, registry, training
from models.provenance import Provenance
from models.reference import Reference
from settings import ROOT, Settings
from sources import broker
from stack.prepare import prepare
from storage import locks
from storage.locks import Lock
from storage.timescale import Writer
from topics import codec
from topics.catalog import DRIFT, FEATURES, MODEL_EVENTS, OUTCOMES, PREDICTIONS, REGIMES
from topics.records import HORIZONS, Drift, Forecast, ModelEvent, Outcome, Prediction, Regime, Role

pytestmark = pytest.mark.services

V1, V2, V3, V9 = (f"{number:012x}" for number in (1, 2, 3, 9))
MINUTE = 60_000
T0 = 1_700_000_040_000 // (1_440 * MINUTE) * 1_440 * MINUTE
SYMBOLS = ("BTCUSDT", "ETHUSDT")
QUANTILES = [-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3]
WAIT_S = 60.0


@dataclass(frozen=True)
class Teller:
    """A version whose forecasts have this gain over naive (by bar), in a role that may change by bar."""

    model: str
    version: str
    gain: Callable[[int], float]
    role: Callable[[int], Role]


def constant(value: float) -> Callable[[int], float]:
    return lambda _: value


NAIVE = Teller("naive", V9, constant(0.0), lambda _: "champion")


def champion(version: str, gain: Callable[[int], float]) -> Teller:
    return Teller("gbm", version, gain, lambda _: "champion")


def challenger(version: str, gain: Callable[[int], float]) -> Teller:
    return Teller("gbm", version, gain, lambda _: "challenger")


@pytest.fixture
def settings(servers: Servers, tmp_path: Path) -> Iterator[Settings]:
    """A database and the topics, and three versions of two models, the first serves, the second challenges."""
    name = f"watch_{uuid4().hex}"
    with psycopg.connect(servers.database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        url = urlsplit(servers.database_url)._replace(path=f"/{name}").geturl()
        found = Settings(
            home=tmp_path,
            **servers.as_stack(),
            database_url=SecretStr(url),
            promote_bars=600,
            mlflow_uri="http://127.0.0.1:9",
        )
        prepare(found)
        for version in (V1, V2, V3):
            artifact = tmp_path / "models" / "gbm" / version / "model.json"
            artifact.parent.mkdir(parents=True)
            artifact.write_text("{}")
        registry.serve(tmp_path / "models", {"gbm": V1})
        ledger = Ledger(found)
        ledger.decide("gbm", "serve", V1, decided_by="test", why="the first")
        ledger.decide("gbm", "challenge", V2, decided_by="test", why="the second")
        yield found
        drop_database(connection, name)


def write(settings: Settings, tellers: Sequence[Teller], bars: range) -> None:
    """Store what the persist process would: forecasts and outcomes of these bars, as they come true."""

    def loss(teller: Teller, bar: int, symbol: int, horizon: int) -> float:
        noise = np.random.default_rng([bar, symbol, horizon, len(teller.model), int(teller.version, 16)]).normal()
        gain = np.clip(teller.gain(bar) + (0.02 * noise if teller.model != "naive" else 0.0), -0.9, 0.9)
        return float(1e-4 * (1 - gain) / (1 + gain))

    outcomes, predictions, regimes = [], [], []
    for bar in bars:
        for place, symbol in enumerate(SYMBOLS):
            moment = T0 + bar * MINUTE
            regimes.append(Regime(symbol, "1m", moment, "calm" if bar % 2 else "turbulent", {"calm": 1.0}))
            for teller in tellers:
                predictions.append(
                    Prediction(symbol, "1m", moment, teller.model, teller.version, "f", 1.0,
                        [Forecast(horizon, 0.0, 0.1, QUANTILES, 0.5) for horizon in HORIZONS],
                        role=teller.role(bar), dissimilarity=0.5)
                )  # fmt: skip
                for horizon in HORIZONS:
                    if bar >= horizon:
                        made, lost = moment - horizon * MINUTE, loss(teller, bar, place, horizon)
                        outcomes.append(
                            Outcome(symbol, "1m", made, teller.model, teller.version, horizon, moment, "scored", 0.1,
                                lost, 2 * lost, lost, bar % 10 > 0, True, teller.role(bar - horizon))
                        )  # fmt: skip

    store(settings, {PREDICTIONS: predictions, OUTCOMES: outcomes, REGIMES: regimes})


def store(settings: Settings, records: dict) -> None:  # type: ignore[type-arg]
    async def run() -> None:
        writer = Writer(settings.database_url.get_secret_value())
        await writer.write(records)
        await writer.close()

    asyncio.run(run())


def look(settings: Settings, again: int = 1) -> None:
    """Start a watch and let it look."""
    with alone(settings.database_url.get_secret_value()) as connection:
        watch = Watch(settings, connection)
        for _ in range(again):
            watch.look()


def drifts(settings: Settings, version: str) -> list[Drift]:
    """Return what came onto the topic, which all tests share, of a version that only one of them has."""

    async def read() -> list[Drift]:
        partition = TopicPartition(DRIFT.name, 0)
        client = broker.consumer(settings.broker, auto_offset_reset="earliest")
        await client.start()
        try:
            client.assign([partition])
            end = (await client.end_offsets([partition]))[partition]
            await client.seek_to_beginning(partition)
            frames = [codec.decode((await client.getone()).value, Drift) for _ in range(end)]
            return [one for frame in frames for one in frame.records]
        finally:
            await client.stop()

    return [one for one in asyncio.run(read()) if one.version == version]


def test_a_challenger_that_is_better_is_promoted_by_the_process_once_with_its_evidence(settings: Settings) -> None:
    write(settings, [NAIVE, champion(V1, constant(0.0)), challenger(V2, constant(0.02))], range(900))
    environment = {
        "FORETICK_HOME": str(settings.home),
        **kafka_environment(settings),
        "FORETICK_DATABASE_URL": settings.database_url.get_secret_value(),
        "FORETICK_PROMOTE_BARS": "600",
        "FORETICK_MLFLOW_URI": "http://127.0.0.1:9",
    }
    ledger, deadline = Ledger(settings), time.monotonic() + WAIT_S
    watches = [subprocess.Popen([sys.executable, "-m", "learning.watch"], cwd=ROOT, env=environment) for _ in range(2)]
    try:
        while ledger.latest()["gbm"].champion == V1 and time.monotonic() < deadline:
            assert all(watch.poll() is None for watch in watches)
            time.sleep(0.2)
        time.sleep(2.5)  # two more rounds
    finally:
        for watch in watches:
            watch.send_signal(signal.SIGTERM)
            watch.wait(30)
    made = ledger.history("gbm")
    assert [one.action for one in made] == ["serve", "challenge", "promote"]
    last = made[-1]
    assert (last.champion, last.shadow, last.decided_by) == (V2, V1, "sequential test")
    assert last.evidence is not None
    assert last.evidence["e_value"] >= 20
    assert last.evidence["bars"] >= 600
    assert last.evidence["gain_1"] == pytest.approx(0.02, abs=0.005)
    assert f"better than {V1}: e-value" in last.why


def test_a_winner_is_not_promoted_where_promotions_are_the_users(settings: Settings) -> None:
    write(settings, [NAIVE, champion(V1, constant(0.0)), challenger(V2, constant(0.05))], range(700))
    look(settings.model_copy(update={"promote": False}))
    assert Ledger(settings).latest()["gbm"].challengers == [V2]


def test_a_challenger_that_is_worse_is_withdrawn(settings: Settings) -> None:
    write(settings, [NAIVE, champion(V1, constant(0.02)), challenger(V2, constant(-0.02))], range(500))
    look(settings, again=2)
    last = Ledger(settings).history("gbm")[-1]
    assert (last.number, last.action, last.challengers) == (3, "withdraw", [])
    assert last.why.startswith(f"worse than {V1}: e-value")


def test_a_challenger_that_has_tried_its_days_is_withdrawn(settings: Settings) -> None:
    write(settings, [NAIVE, champion(V1, constant(0.02)), challenger(V2, constant(0.02))], range(400))
    look(settings.model_copy(update={"challenger_days": 1.0}))
    assert Ledger(settings).latest()["gbm"].challengers == [V2]
    look(settings.model_copy(update={"challenger_days": 0.2}))
    last = Ledger(settings).history("gbm")[-1]
    assert (last.action, last.why.partition(":")[0]) == ("withdraw", "not shown to be better within 0.2 days")


def test_a_champion_that_a_worker_refused_is_taken_back_with_the_workers_reason(settings: Settings) -> None:
    ledger = Ledger(settings)
    made = ledger.decide("gbm", "promote", V3, decided_by="test", why="by force", force=True)
    refusal = ModelEvent("gbm", V3, "refused", made.fingerprint, T0, made.number, reason="its trees are no trees")
    store(settings, {MODEL_EVENTS: [refusal, msgspec.structs.replace(refusal, number=1, time=T0 + 1)]})
    look(settings, again=2)
    last = ledger.history("gbm")[-1]
    assert (last.number, last.action, last.champion, last.decided_by) == (4, "rollback", V1, "a worker's refusal")
    assert last.why == f"a worker refused version {V3}: its trees are no trees"


def test_a_challenger_that_a_worker_refused_is_withdrawn_and_a_first_champion_stays(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = Ledger(settings)
    refusal = ModelEvent("gbm", V2, "refused", ledger.fingerprint, T0, 2, reason="no such file")
    store(settings, {MODEL_EVENTS: [refusal]})
    look(settings)
    assert [one.action for one in ledger.history("gbm")] == ["serve", "challenge", "withdraw"]
    store(settings, {MODEL_EVENTS: [msgspec.structs.replace(refusal, version=V1, number=3)]})
    look(settings, again=3)
    assert len(ledger.history("gbm")) == 3
    assert [line for line in caplog.messages if "rollback of gbm not decided" in line and "none to go back to" in line]
    assert len([line for line in caplog.messages if "not decided" in line]) == 1


def test_a_champion_that_loses_its_gain_raises_one_alarm_also_where_the_watch_starts_anew(settings: Settings) -> None:
    version = f"{int(time.time() * 1000):012x}"
    before, flip = 2_400, 1_900
    tellers = [NAIVE, champion(version, lambda bar: 0.03 if bar < flip else -0.03)]
    write(settings, tellers, range(before))
    look(settings, again=2)
    (drift,) = drifts(settings, version)
    assert (drift.model, drift.kind, drift.interval) == ("gbm", "errors", "1m")
    assert flip < (drift.time - T0) // MINUTE <= flip + 500
    assert abs((drift.since or 0) - T0 - flip * MINUTE) <= 120 * MINUTE
    store(settings, {DRIFT: [drift]})
    write(settings, tellers, range(before, before + 200))
    look(settings)
    assert drifts(settings, version) == [drift]


def test_a_champion_whose_training_is_too_old_is_told_of(settings: Settings) -> None:
    version = f"{int(time.time() * 1000):012x}"
    folder = settings.home / "models" / "gbm" / version
    folder.mkdir()
    provenance.write(folder, Provenance(0, T0 - 45 * 86_400_000, 1, [], "", "f", 0))
    write(settings, [NAIVE, champion(version, constant(0.0))], range(120))
    look(settings)
    (drift,) = drifts(settings, version)
    assert (drift.kind, drift.detector, drift.limit, drift.time) == ("expiry", "age", 45.0, T0 + MINUTE)


def test_skills_are_stored_by_hour_regime_and_role_whenever_the_watch_looks(settings: Settings) -> None:
    tellers = [NAIVE, champion(V1, constant(0.02)), challenger(V2, constant(0.03))]
    url = settings.database_url.get_secret_value()
    query = (
        "SELECT time, model, version, role, horizon, regime, days, forecasts, skill, error_skill, coverage "
        "FROM model_skill ORDER BY 1, 2, 3, 5, 6, 7"
    )
    with alone(url) as connection:
        watch = Watch(settings, connection)
        for start in range(0, 500, 125):
            write(settings, tellers, range(start, start + 125))
            watch.look()
        pieces = connection.execute(query).fetchall()
        connection.execute("TRUNCATE model_skill")
        Watch(settings, connection).look()
        whole = connection.execute(query).fetchall()
    assert [row[:8] for row in pieces] == [row[:8] for row in whole]
    np.testing.assert_allclose([row[8:] for row in pieces], [row[8:] for row in whole], rtol=1e-9)
    last = {row[2:7]: row[7:] for row in whole if (row[0].timestamp() * 1000 - T0) == 480 * MINUTE}
    count, skill, error_skill, coverage = last[V1, "champion", 1, "all", 1.0]
    assert count == 2 * 480
    assert skill == pytest.approx(1 - (1 - 0.02) / (1 + 0.02), abs=0.01)
    assert error_skill == pytest.approx(0.5)
    assert coverage == pytest.approx(0.9)
    assert last[V2, "challenger", 60, "calm", 7.0][0] == 2 * 210
    assert (V9, "champion", 1, "turbulent", 1.0) in last


def test_what_is_read_is_what_was_written_and_never_the_newest_bar_of_a_symbol(settings: Settings) -> None:
    write(settings, [NAIVE, champion(V1, constant(0.02))], range(100))
    with psycopg.connect(settings.database_url.get_secret_value()) as connection:
        stored = Stored(connection, "1m", HORIZONS)
        assert stored.newest() == dict.fromkeys(SYMBOLS, T0 + 99 * MINUTE)
        stored.learn_regimes(0, T0 + 200 * MINUTE)
        found = stored.scored(T0 + 60 * MINUTE, T0 + 61 * MINUTE)
    assert found.bar.tolist() == [T0 + 61 * MINUTE] * (2 * 2 * 4)
    gbm = found.where(np.array([found.versions[number].model == "gbm" for number in found.version.tolist()]))
    assert sorted(set(gbm.horizon.tolist())) == list(HORIZONS)
    assert gbm.naive_loss.tolist() == [1e-4] * 8
    np.testing.assert_allclose(gbm.gain, 0.02, atol=0.1)
    regimes = {(horizon, found.regimes[regime]) for horizon, regime in zip(gbm.horizon, gbm.regime, strict=True)}
    assert regimes == {(1, "turbulent"), (5, "turbulent"), (15, "turbulent"), (60, "calm")}
    assert set(gbm.role.tolist()) == {b"c"}


def test_one_watch_watches_at_a_time(settings: Settings) -> None:
    url = settings.database_url.get_secret_value()
    with alone(url), psycopg.connect(url) as other:
        assert not locks.taken(other, Lock.WATCH)
    with alone(url) as again:
        assert again.execute("SELECT 1").fetchone() == (1,)


def test_features_and_dissimilarity_are_held_against_the_reference_of_the_champion(settings: Settings) -> None:
    version = f"{int(time.time() * 1000):012x}"
    (known,) = training.features([walk(1, 12_000)], DEFAULT)
    (other,) = training.features([walk(2, 6_000, carry=0.7)], DEFAULT)
    reference = Reference.fit([known], DEFAULT.names)
    reference.save(settings.home / "models")
    folder = settings.home / "models" / "gbm" / version
    folder.mkdir()
    provenance.write(
        folder, Provenance(0, int(known.time[-1]), 1, [], "", known.fingerprint, 0, reference=reference.id)
    )
    unlike = [None if np.isnan(index) else index for index in reference.dissimilarity(other.values).tolist()]
    forecast = [Forecast(1, 0.0, 0.1, QUANTILES, 0.5)]
    features = [msgspec.structs.replace(row, symbol="BTCUSDT") for row in other.records()]
    predictions = [
        Prediction("BTCUSDT", "1m", row.time, "gbm", version, "f", 1.0, forecast, dissimilarity=index)
        for row, index in zip(features, unlike, strict=True)
    ]
    outcomes = [
        Outcome("BTCUSDT", "1m", row.time, "gbm", version, 1, row.time + MINUTE, "scored", 0.1, 0.1, 0.1, 1e-4, True)
        for row in features
    ]
    for first in range(0, len(features), 2_000):
        part = slice(first, first + 2_000)
        store(settings, {FEATURES: features[part], PREDICTIONS: predictions[part], OUTCOMES: outcomes[part]})
    look(settings, again=2)
    found = {drift.kind: drift for drift in drifts(settings, version)}
    assert set(found) == {"features", "dissimilarity"}
    assert len(drifts(settings, version)) == 2
    assert found["dissimilarity"].time < found["features"].time


def test_the_commands_list_alarms_and_skills(settings: Settings) -> None:
    tellers = [NAIVE, champion(V1, constant(0.02)), challenger(V2, constant(0.03))]
    write(settings, tellers, range(200))
    look(settings)
    alarm = Drift("gbm", V1, "errors", "ADWIN", T0, 2.0, 1.25, "1m", horizon=5, since=T0, detail="the gain fell")
    store(settings, {DRIFT: [alarm]})
    assert json.loads(foretick(settings, "drift", "--json")) == [json.loads(msgspec.json.encode(alarm))]
    assert "the gain fell" in foretick(settings, "drift")
    assert "nobody watches it" in foretick(settings, "drift", "--model", "naive")
    rows = json.loads(foretick(settings, "skill", "--json"))
    assert {(row["version"], row["role"]) for row in rows} == {
        (V9, "champion"),
        (V1, "champion"),
        (V2, "challenger"),
    }
    assert len(rows) == 3 * 4 * 2
    assert len(json.loads(foretick(settings, "skill", "--json", "--regimes", "--model", "gbm"))) == 2 * 4 * 2 * 3
    assert "+0.00, 90" in foretick(settings, "skill")


def foretick(settings: Settings, *arguments: str) -> str:
    """Return what a command prints."""
    environment = os.environ | {
        "FORETICK_HOME": str(settings.home),
        "FORETICK_DATABASE_URL": settings.database_url.get_secret_value(),
        "COLUMNS": "200",
    }
    command = [sys.executable, "-m", "cli.main", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
