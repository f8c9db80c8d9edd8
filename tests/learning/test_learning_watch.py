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
import storing
from aiokafka import TopicPartition
from learning_market import walk
from psycopg import sql
from pydantic import SecretStr
from stacks import Servers, drop_database, kafka_environment

from broker import clients
from features.definition import DEFAULT
from learning.deployment.ledger import Ledger
from learning.monitoring.reader import Stored
from learning.monitoring.skill import DAY_MS
from learning.watch import ModelMonitor, alone
from models import training
from models.drift.reference import Reference
from models.registry import model_registry, provenance
from models.registry.provenance import Provenance
from settings import ROOT, Settings
from stack.prepare import prepare
from storage import locks
from storage.locks import Lock
from topics import codec
from topics.catalog import DRIFT, FEATURES, MODEL_EVENTS, OUTCOMES, PREDICTIONS, REGIMES
from topics.records import HORIZONS, Drift, Forecast, ModelEvent, Outcome, Prediction, Regime, Role

pytestmark = pytest.mark.services

V1, V2, V3, V9 = (f"{number:012x}" for number in (1, 2, 3, 9))
MINUTE = 60_000
T0 = 1_700_000_040_000 // (1_440 * MINUTE) * 1_440 * MINUTE
SYMBOLS = ("BTCUSDT", "ETHUSDT")
QUANTILES = [-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3]
WAIT_S = 180.0


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
        result = Settings(
            home=tmp_path,
            **servers.as_stack(),
            database_url=SecretStr(url),
            promote_bars=600,
            mlflow_uri="http://127.0.0.1:9",
        )
        prepare(result)
        for version in (V1, V2, V3):
            artifact = tmp_path / "models" / "gbm" / version / "model.json"
            artifact.parent.mkdir(parents=True)
            artifact.write_text("{}")
        model_registry.serve(tmp_path / "models", {"gbm": V1})
        ledger = Ledger(result)
        ledger.decide("gbm", "serve", V1, decided_by="test", why="the first")
        ledger.decide("gbm", "challenge", V2, decided_by="test", why="the second")
        yield result
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
            regimes.append(
                Regime(
                    symbol=symbol,
                    interval="1m",
                    time=moment,
                    state="calm" if bar % 2 else "turbulent",
                    posterior={"calm": 1.0},
                )
            )
            for teller in tellers:
                predictions.append(
                    Prediction(
                        symbol=symbol,
                        interval="1m",
                        time=moment,
                        model=teller.model,
                        version=teller.version,
                        fingerprint="f",
                        price=1.0,
                        forecasts=[
                            Forecast(horizon=horizon, mean=0.0, scale=0.1, quantiles=QUANTILES, p_up=0.5)
                            for horizon in HORIZONS
                        ],
                        role=teller.role(bar),
                        dissimilarity=0.5,
                    )
                )
                for horizon in HORIZONS:
                    if bar >= horizon:
                        made, lost = moment - horizon * MINUTE, loss(teller, bar, place, horizon)
                        outcomes.append(
                            Outcome(symbol, "1m", made, teller.model, teller.version, horizon, moment, "scored", 0.1,
                                lost, 2 * lost, lost, bar % 10 > 0, True, teller.role(bar - horizon))
                        )  # fmt: skip

    store(settings, {PREDICTIONS: predictions, OUTCOMES: outcomes, REGIMES: regimes})


def store(settings: Settings, records: dict) -> None:
    storing.store(settings.database_url.get_secret_value(), records)


def look(settings: Settings, again: int = 1) -> None:
    """Start a watch and let it look."""
    with alone(settings.database_url.get_secret_value()) as connection:
        watch = ModelMonitor(settings, connection)
        for _ in range(again):
            watch.look()


def drifts(settings: Settings, version: str) -> list[Drift]:
    """Return what came onto the topic, which all tests share, of a version that only one of them has."""

    async def read() -> list[Drift]:
        partition = TopicPartition(DRIFT.name, 0)
        client = clients.consumer(settings.broker, auto_offset_reset="earliest")
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
    # A process without a handler of its own has the status -15, and as the first one of a container goes on.
    assert [watch.returncode for watch in watches] == [128 + signal.SIGTERM] * 2
    made = ledger.history("gbm")
    assert [one.action for one in made] == ["serve", "challenge", "promote"]
    last = made[-1]
    assert (last.champion, last.standby, last.decided_by) == (V2, V1, "sequential test")
    assert last.evidence is not None
    assert last.evidence["e_value"] >= 20
    assert last.evidence["bars"] >= 600
    assert last.evidence["gain_1"] == pytest.approx(0.02, abs=0.005)
    assert f"better than {V1}: e-value" in last.why


def test_a_versions_run_tells_how_good_it_is_on_the_stream_day_by_day(
    settings: Settings, mlflow_server: Servers
) -> None:
    from mlflow import MlflowClient

    version = f"{uuid4().hex[:12]}"
    origin = Provenance(
        first=T0 - 9 * DAY_MS,
        last=T0 - MINUTE,
        rows=1,
        symbols=["BTCUSDT"],
        data_sha256="ab" * 32,
        fingerprint="f",
        seed=0,
        commit="0123456789ab",
    )
    folder = settings.home / "models" / "gbm" / version
    folder.mkdir()
    (folder / "model.json").write_text("{}")
    provenance.write(folder, origin)
    Ledger(settings).decide("gbm", "serve", version, decided_by="test", why="another")
    write(settings, [NAIVE, champion(version, constant(0.02))], range(2 * 1_440 + 130))
    look(settings.model_copy(update={"mlflow_uri": SecretStr(mlflow_server.mlflow_uri), "promote": False}))
    client = MlflowClient(mlflow_server.mlflow_uri, mlflow_server.mlflow_uri)
    (result,) = [one for one in client.search_model_versions("name = 'foretick-gbm'") if one.tags["version"] == version]
    run_id = str(result.run_id)
    for name, value in (("skill against naive percent", 4.0), ("coverage of 90 percent", 90.0)):
        points = client.get_metric_history(run_id, f"stream by day: {name}/05 bars ahead")
        assert [point.step for point in points] == [1, 2]
        assert [point.value for point in points] == pytest.approx([value, value], abs=0.5)
    assert client.get_run(run_id).data.tags["stream until"] == str(T0 + 2 * DAY_MS)
    table = json.loads(Path(client.download_artifacts(run_id, "stream week.json", str(settings.home))).read_text())
    rows = {row[0]: dict(zip(table["columns"], row, strict=True)) for row in table["data"]}
    assert list(rows) == list(HORIZONS)
    assert rows[1]["forecasts"] == 2 * 2 * 1_440
    assert rows[1]["coverage of 90 percent"] == pytest.approx(90.0, abs=0.1)
    drawn = Path(client.download_artifacts(run_id, "plots/stream week calibration.svg", str(settings.home)))
    assert "<polyline" in drawn.read_text()


def test_a_winner_is_not_promoted_where_promotions_are_the_users(settings: Settings) -> None:
    write(settings, [NAIVE, champion(V1, constant(0.0)), challenger(V2, constant(0.05))], range(700))
    look(settings.model_copy(update={"promote": False}))
    assert Ledger(settings).latest()["gbm"].challengers == [V2]


def test_a_challenger_that_is_worse_is_withdrawn(settings: Settings) -> None:
    write(settings, [NAIVE, champion(V1, constant(0.02)), challenger(V2, constant(-0.02))], range(700))
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
    refusal = ModelEvent(
        model="gbm",
        version=V3,
        event="refused",
        fingerprint=made.fingerprint,
        time=T0,
        number=made.number,
        reason="its trees are no trees",
    )
    store(settings, {MODEL_EVENTS: [refusal, msgspec.structs.replace(refusal, number=1, time=T0 + 1)]})
    look(settings, again=2)
    last = ledger.history("gbm")[-1]
    assert (last.number, last.action, last.champion, last.decided_by) == (4, "rollback", V1, "a worker's refusal")
    assert last.why == f"a worker refused version {V3}: its trees are no trees"


def test_a_challenger_that_a_worker_refused_is_withdrawn_and_a_first_champion_stays(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = Ledger(settings)
    refusal = ModelEvent(
        model="gbm",
        version=V2,
        event="refused",
        fingerprint=ledger.fingerprint,
        time=T0,
        number=2,
        reason="no such file",
    )
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
    provenance.write(
        folder,
        Provenance(first=0, last=T0 - 45 * 86_400_000, rows=1, symbols=[], data_sha256="", fingerprint="f", seed=0),
    )
    write(settings, [NAIVE, champion(version, constant(0.0))], range(120))
    look(settings)
    (drift,) = drifts(settings, version)
    assert (drift.kind, drift.detector, drift.limit, drift.time) == ("expiry", "age", 45.0, T0 + MINUTE)


def test_skills_are_stored_by_hour_regime_and_role_whenever_the_watch_looks(settings: Settings) -> None:
    tellers = [NAIVE, champion(V1, constant(0.02)), challenger(V2, constant(0.03))]
    url = settings.database_url.get_secret_value()
    query = (
        "SELECT time, model, version, role, horizon, regime, days, forecasts, pinball_skill, mae_skill, coverage "
        "FROM model_skill ORDER BY 1, 2, 3, 5, 6, 7"
    )
    with alone(url) as connection:
        watch = ModelMonitor(settings, connection)
        for start in range(0, 500, 125):
            write(settings, tellers, range(start, start + 125))
            watch.look()
        pieces = connection.execute(query).fetchall()
        connection.execute("TRUNCATE model_skill")
        ModelMonitor(settings, connection).look()
        whole = connection.execute(query).fetchall()
    assert [row[:8] for row in pieces] == [row[:8] for row in whole]
    np.testing.assert_allclose([row[8:] for row in pieces], [row[8:] for row in whole], rtol=1e-9)
    last = {row[2:7]: row[7:] for row in whole if (row[0].timestamp() * 1000 - T0) == 480 * MINUTE}
    count, pinball_skill, mae_skill, coverage = last[V1, "champion", 1, "all", 1.0]
    assert count == 2 * 480
    assert pinball_skill == pytest.approx(1 - (1 - 0.02) / (1 + 0.02), abs=0.01)
    assert mae_skill == pytest.approx(0.5)
    assert coverage == pytest.approx(0.9)
    assert last[V2, "challenger", 60, "calm", 7.0][0] == 2 * 210
    assert (V9, "champion", 1, "turbulent", 1.0) in last


def test_what_is_read_is_what_was_written_and_never_the_newest_bar_of_a_symbol(settings: Settings) -> None:
    write(settings, [NAIVE, champion(V1, constant(0.02))], range(100))
    with psycopg.connect(settings.database_url.get_secret_value()) as connection:
        stored = Stored(connection, "1m", HORIZONS)
        assert stored.newest() == dict.fromkeys(SYMBOLS, T0 + 99 * MINUTE)
        stored.learn_regimes(0, T0 + 200 * MINUTE)
        scored = stored.scored(T0 + 60 * MINUTE, T0 + 61 * MINUTE)
    assert scored.bar.tolist() == [T0 + 61 * MINUTE] * (2 * 2 * 4)
    gbm = scored.where(np.array([scored.versions[number].model == "gbm" for number in scored.version.tolist()]))
    assert sorted(set(gbm.horizon.tolist())) == list(HORIZONS)
    assert gbm.naive_loss.tolist() == [1e-4] * 8
    np.testing.assert_allclose(gbm.gain, 0.02, atol=0.1)
    regimes = {(horizon, scored.regimes[regime]) for horizon, regime in zip(gbm.horizon, gbm.regime, strict=True)}
    assert regimes == {(1, "turbulent"), (5, "turbulent"), (15, "turbulent"), (60, "calm")}
    assert set(gbm.role.tolist()) == {b"c"}


def test_one_watch_watches_at_a_time(settings: Settings) -> None:
    url = settings.database_url.get_secret_value()
    with alone(url), psycopg.connect(url) as other:
        assert not locks.try_lock(other, Lock.WATCH)
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
        folder,
        Provenance(
            first=0,
            last=int(known.time[-1]),
            rows=1,
            symbols=[],
            data_sha256="",
            fingerprint=known.fingerprint,
            seed=0,
            reference=reference.id,
        ),
    )
    unlike = [None if np.isnan(index) else index for index in reference.dissimilarity(other.values).tolist()]
    forecast = [Forecast(horizon=1, mean=0.0, scale=0.1, quantiles=QUANTILES, p_up=0.5)]
    features = [msgspec.structs.replace(row, symbol="BTCUSDT") for row in other.records()]
    predictions = [
        Prediction(
            symbol="BTCUSDT",
            interval="1m",
            time=row.time,
            model="gbm",
            version=version,
            fingerprint="f",
            price=1.0,
            forecasts=forecast,
            dissimilarity=index,
        )
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
    values = {drift.kind: drift for drift in drifts(settings, version)}
    assert set(values) == {"features", "dissimilarity"}
    assert len(drifts(settings, version)) == 2
    assert values["dissimilarity"].time < values["features"].time


def test_the_commands_list_alarms_and_skills(settings: Settings) -> None:
    tellers = [NAIVE, champion(V1, constant(0.02)), challenger(V2, constant(0.03))]
    write(settings, tellers, range(200))
    look(settings)
    alarm = Drift(
        model="gbm",
        version=V1,
        kind="errors",
        detector="ADWIN",
        time=T0,
        statistic=2.0,
        limit=1.25,
        interval="1m",
        horizon=5,
        since=T0,
        detail="the gain fell",
    )
    store(settings, {DRIFT: [alarm]})
    assert json.loads(foretick(settings, "drift", "--json")) == [msgspec.structs.asdict(alarm)]
    assert "the gain fell" in foretick(settings, "drift")
    assert "is not monitored" in foretick(settings, "drift", "--model", "naive")
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
