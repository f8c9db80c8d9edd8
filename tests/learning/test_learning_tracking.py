"""Runs on the real MLflow over the real PostgreSQL, read back by MLflow's REST API."""

import base64
import json
import os
import socket
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from learning_results import FOLDS, results
from stacks import Servers

from evaluation.output import write
from features.frame import BarFrame
from learning.errors import TrackingError
from learning.tracking.learning_curve import Curve
from learning.tracking.log_evaluation import log_evaluation, log_model
from learning.tracking.log_training import FitLog, log_training
from learning.tracking.tracker import Tracker
from models import training
from models.linear.online import INPUTS
from models.networks.lstm import LSTM
from models.registry import model_registry, provenance
from models.registry.names import DEFAULT_MODELS
from models.registry.provenance import Provenance
from models.registry.zoo import ZOO
from models.trees.xgboost_point import XGBoost
from topics.records import HORIZONS, Deployment

pytestmark = pytest.mark.services

ORIGIN = Provenance(
    first=1_740_787_200_000,
    last=1_748_649_600_000,
    rows=131_000,
    symbols=["BTCUSDT"],
    data_sha256="ab" * 32,
    fingerprint="8d1f",
    seed=7,
    commit="0123456789ab",
    parameters={"learning_rate": 0.05},
)


@pytest.fixture
def tracker(mlflow_server: Servers) -> Tracker:
    return Tracker(mlflow_server.mlflow_uri)


def got(tracker: Tracker, page: str, /, **query: object) -> bytes:
    """Return what the server answers to whoever has the password."""
    login = base64.b64encode(f"foretick:{os.environ['MLFLOW_TRACKING_PASSWORD']}".encode()).decode()
    address = f"{tracker.uri}/{page}?{urllib.parse.urlencode(query)}"
    request = urllib.request.Request(address, headers={"Authorization": f"Basic {login}"})  # noqa: S310 - http, loopback
    with urllib.request.urlopen(request) as reply:  # noqa: S310 - likewise
        content: bytes = reply.read()
        return content


def ask(tracker: Tracker, path: str, /, **query: object) -> Any:
    """Return what the REST API answers."""
    return json.loads(got(tracker, f"api/2.0/mlflow/{path}", **query))


def run_of(tracker: Tracker, run_id: str | None) -> Any:
    return ask(tracker, "runs/get", run_id=run_id)["run"]


def pairs(matches: list[dict[str, Any]]) -> dict[str, Any]:
    return {each["key"]: each["value"] for each in matches}


def curve_at(tracker: Tracker, run_id: str | None, name: str) -> list[tuple[int, float]]:
    result = ask(tracker, "metrics/get-history", run_id=run_id, metric_key=name)["metrics"]
    return [(each["step"], each["value"]) for each in result]


def files(tracker: Tracker, run_id: str | None, path: str = "") -> set[str]:
    return {each["path"] for each in ask(tracker, "artifacts/list", run_id=run_id, path=path).get("files", [])}


def run_ids(tracker: Tracker, model: str) -> list[str]:
    """Return the run of each version, the last that was registered first."""
    result = ask(tracker, "model-versions/search", filter=f"name='foretick-{model}'")["model_versions"]
    return [each["run_id"] for each in sorted(result, key=lambda one: -int(one["version"]))]


def content(tracker: Tracker, run_id: str | None, path: str) -> bytes:
    return got(tracker, "get-artifact", run_uuid=run_id, path=path)


def artifact(folder: Path, text: str = "{}") -> Path:
    folder.mkdir(parents=True)
    (folder / "model.json").write_text(text)
    provenance.write(folder, ORIGIN)
    return folder


def registered(tracker: Tracker, model: str) -> dict[str, str]:
    """Return MLflow's number of each of our versions; fail where one is registered twice."""
    result = ask(tracker, "model-versions/search", filter=f"name='foretick-{model}'").get("model_versions", [])
    ours = [pairs(each["tags"])["version"] for each in result]
    assert len(set(ours)) == len(ours)
    return {version: each["version"] for version, each in zip(ours, result, strict=True)}


def aliases(tracker: Tracker, model: str) -> dict[str, str]:
    """Return the version of ours that each alias names."""
    result = ask(tracker, "registered-models/get", name=f"foretick-{model}")["registered_model"]
    ours = {number: version for version, number in registered(tracker, model).items()}
    return {each["alias"]: ours[each["version"]] for each in result.get("aliases", [])}


def test_a_training_leaves_its_parameters_data_code_curve_and_cost(tracker):
    with tracker.run("pipeline", "pipeline") as above, tracker.run("lstm", "train", parent=above) as run:
        on_message = FitLog(run).told
        for epoch, words in enumerate(("loss 0.9000, held out 0.9500", "loss 0.8000, held out 0.9100"), 1):
            on_message(f"epoch {epoch} of 6: {words}")
        on_message("features")
        log_training(run, "lstm", "c0ffee", ORIGIN, 12.5)
    result = run_of(tracker, run.run_id)
    assert result["info"]["status"] == "FINISHED"
    params, tags = pairs(result["data"]["params"]), pairs(result["data"]["tags"])
    assert params["learning_rate"] == "0.05"
    assert params["span"] == "2025-03-01 to 2025-05-31"
    assert params["data sha256"] == ORIGIN.data_sha256
    assert tags["features"] == "8d1f"
    assert tags["mlflow.parentRunId"] == above.run_id
    assert tags["kind"] == "train"
    assert tags["package"]
    assert curve_at(tracker, run.run_id, "epochs/loss held out") == [(1, 0.95), (2, 0.91)]
    metrics = pairs(result["data"]["metrics"])
    assert metrics["training/seconds"] == 12.5
    assert metrics["system/process memory MB"] > 10
    assert result["inputs"]["dataset_inputs"][0]["dataset"]["source"] == ORIGIN.data_sha256


def test_what_a_network_tells_of_its_epochs_is_a_curve(tracker):
    rng, rows = np.random.default_rng(0), 2_000
    close = 100.0 * np.exp(1e-3 * np.cumsum(rng.standard_normal(rows)))
    time, prices = 60_000 * np.arange(rows), dict.fromkeys(("open", "high", "low", "close"), close)
    bars = [BarFrame.build("BTCUSDT", "1m", time, np.zeros(rows, dtype=np.int64), **prices, volume=np.ones(rows))]
    definition = training.define(bars)
    small = type("lstm", (LSTM,), {"EPOCHS": 2, "ROWS": 500, "BATCH": 128, "PASSES": 2})(definition.names)
    with tracker.run("lstm", "train") as run:
        small.progress = FitLog(run).told
        small.fit(training.features(bars, definition), seed=0)
    for name in ("epochs/loss in training", "epochs/loss held out"):
        assert [step for step, _ in curve_at(tracker, run.run_id, name)] == [1, 2]


def test_an_evaluation_leaves_report_tables_plots_and_a_step_a_fold(tracker, tmp_path):
    result = results()
    write(result, tmp_path)
    with tracker.run("evaluation", "evaluate") as run:
        log_evaluation(run, result, tmp_path)
        with tracker.run("gbm", "evaluate", parent=run) as of_model:
            log_model(of_model, result, "gbm", FOLDS)
    assert {"report.html", "leaderboard.json", "plots", "tables"} <= files(tracker, run.run_id)
    assert "tables/cells.parquet" in files(tracker, run.run_id, "tables")
    table = json.loads(content(tracker, run.run_id, "leaderboard.json"))
    assert [line[:2] for line in table["data"]] == [[1, "naive"], [1, "gbm"], [5, "naive"], [5, "gbm"]]
    drawn = content(tracker, run.run_id, "plots/skill over time 05 bars ahead.svg")
    assert drawn.startswith(b'<svg xmlns="http://www.w3.org/2000/svg"')
    metrics = pairs(run_of(tracker, of_model.run_id)["data"]["metrics"])
    assert metrics["R2 percent/05 bars ahead"] == pytest.approx(2.0)
    assert metrics["pinball loss against naive percent/05 bars ahead"] == pytest.approx(-2.0)
    assert "QLIKE against har percent/05 bars ahead" not in metrics  # har was not judged: unknown
    by_fold = curve_at(tracker, of_model.run_id, "by split: pinball loss against naive percent/01 bars ahead")
    assert by_fold == [(1, pytest.approx(-1.0)), (2, pytest.approx(-2.0)), (3, pytest.approx(-3.0))]


def test_two_runs_are_open_at_once_and_what_is_unknown_is_not_logged(tracker):
    with tracker.run("a", "train") as first, tracker.run("b", "train") as second:
        first.metric("x", 1.0)
        second.metrics({"x": 2.0, "y": float("nan"), "z": None})
    assert curve_at(tracker, first.run_id, "x") == [(0, 1.0)]
    assert curve_at(tracker, second.run_id, "x") == [(0, 2.0)]
    assert not {"y", "z"} & set(pairs(run_of(tracker, second.run_id)["data"]["metrics"]))


def test_a_run_that_fails_is_shown_so_and_can_be_gone_on_with(tracker):
    with pytest.raises(ValueError, match="too few"), tracker.run("a", "train") as run:
        raise ValueError("too few rows")
    assert run_of(tracker, run.run_id)["info"]["status"] == "FAILED"
    with tracker.run("a", "train", run_id=run.run_id) as again:
        again.text("words", "note.txt")
    assert again.run_id == run.run_id
    assert run_of(tracker, run.run_id)["info"]["status"] == "FINISHED"
    assert content(tracker, run.run_id, "note.txt") == b"words"


def test_a_version_is_registered_once_with_its_files_and_where_it_comes_from(tracker, tmp_path):
    folder = artifact(tmp_path / "v1")
    with tracker.run("elastic", "train") as run:
        tracker.register("elastic", "v1", folder, run.run_id, {"reference": "r1"})
    tracker.register("elastic", "v1", folder, run.run_id)
    tracker.register("elastic", "v2", artifact(tmp_path / "v2"))  # without a run of its own
    assert registered(tracker, "elastic") == {"v1": "1", "v2": "2"}
    result = ask(tracker, "model-versions/get", name="foretick-elastic", version="1")["model_version"]
    tags = pairs(result["tags"])
    assert (tags["features"], tags["span"]) == ("8d1f", "2025-03-01 to 2025-05-31")
    assert tags["reference"] == "r1"
    assert ORIGIN.data_sha256 in result["description"]
    assert result["run_id"] == run.run_id
    assert result["source"].endswith("/artifacts/model")
    assert content(tracker, run.run_id, "model/model.json") == b"{}"


def deployment(number: int, action: Any, **rest: Any) -> Mapping[str, Deployment]:
    return {"linear": Deployment(model="linear", number=number, action=action, fingerprint="8d1f", time=0, **rest)}


def test_a_version_that_no_run_trained_tells_of_its_training(tracker, tmp_path):
    folder, curve = artifact(tmp_path / "v1"), Curve()
    for step in (1, 2, 3):
        curve.record(f"round {step} of 3: loss 0.{9 - step}00000, held out 0.{9 - step}50000")
    curve.record("features")
    curve.save(folder)
    tracker.register("elastic-late", "v1", folder)
    result = ask(tracker, "model-versions/get", name="foretick-elastic-late", version="1")["model_version"]
    assert curve_at(tracker, result["run_id"], "rounds/loss in training") == [(1, 0.8), (2, 0.7), (3, 0.6)]
    assert curve_at(tracker, result["run_id"], "rounds/loss held out") == [(1, 0.85), (2, 0.75), (3, 0.65)]
    run = run_of(tracker, result["run_id"])
    assert pairs(run["data"]["params"])["data sha256"] == ORIGIN.data_sha256
    assert f"`{ORIGIN.commit}`" in pairs(run["data"]["tags"])["mlflow.note.content"]


@pytest.fixture(scope="module")
def random_walk() -> list[BarFrame]:
    rng, rows = np.random.default_rng(0), 8_000
    close = 100.0 * np.exp(1e-3 * np.cumsum(rng.standard_normal(rows)))
    time, prices = 60_000 * np.arange(rows), dict.fromkeys(("open", "high", "low", "close"), close)
    return [BarFrame.build("BTCUSDT", "1m", time, np.zeros(rows, dtype=np.int64), **prices, volume=np.ones(rows))]


def test_the_default_models_show_their_rounds_and_what_they_rest_on(tracker, tmp_path, random_walk):
    """As `up` has them: trained before MLflow runs, and registered from what lies beside the artifacts."""
    definition, curves = training.define(random_walk), {name: Curve() for name in DEFAULT_MODELS}
    frames = training.features(random_walk, definition)
    for name in DEFAULT_MODELS:
        fitted = training.fit(
            ZOO[name], definition, frames, 0, {"rounds": 20} if name == "gbm" else {}, curves[name].record
        )
        folder = model_registry.store(tmp_path, fitted, ORIGIN)
        curves[name].save(folder)
        tracker.register(name, fitted.version, folder)
    ids = {name: run_ids(tracker, name)[0] for name in DEFAULT_MODELS}
    for loss in ("loss in training", "loss held out"):
        assert [step for step, _ in curve_at(tracker, ids["gbm"], f"rounds/{loss}")] == [*range(1, 21)]
    assert not any("loss" in name for name in pairs(run_of(tracker, ids["online"])["data"].get("metrics", [])))
    assert not {"importance.json", "plots"} & files(tracker, ids["naive"])
    for name, inputs in (("gbm", None), ("online", set(INPUTS))):
        table = json.loads(content(tracker, ids[name], "importance.json"))
        assert table["columns"] == ["input", "share percent"]
        assert inputs is None or {each for each, _ in table["data"]} == inputs
        assert sum(share for _, share in table["data"]) == pytest.approx(100.0)
        assert content(tracker, ids[name], "plots/importance.svg").startswith(b"<svg")
    assert b"inputs standardised" in content(tracker, ids["online"], "plots/importance.svg")


def test_a_booster_for_each_horizon_has_a_curve_for_each(tracker, tmp_path, random_walk, monkeypatch):
    monkeypatch.setattr(XGBoost, "rounds", 10)
    definition = training.define(random_walk)
    with tracker.run("xgboost", "train") as run:
        fit = FitLog(run)
        fitted = training.fit(XGBoost, definition, training.features(random_walk, definition), 0, detail=fit.told)
        fit.stored("xgboost", model_registry.store(tmp_path, fitted, ORIGIN))
    for horizon in HORIZONS:
        for loss in ("loss in training", "loss held out"):
            matches = curve_at(tracker, run.run_id, f"rounds {horizon:02} bars ahead/{loss}")
            assert [step for step, _ in matches] == [*range(1, 11)]
            assert all(value > 0 for _, value in matches)
    assert {"importance.json", "plots"} <= files(tracker, run.run_id)


def test_a_table_that_is_told_again_is_replaced(tracker):
    with tracker.run("a", "train") as run:
        for value in (1.5, None):
            run.table({"x": [1], "y": [value]}, "t.json")
    assert json.loads(content(tracker, run.run_id, "t.json")) == {"columns": ["x", "y"], "data": [[1, None]]}
    tags = pairs(run_of(tracker, run.run_id)["data"]["tags"])
    assert json.loads(tags["mlflow.loggedArtifacts"]) == [{"path": "t.json", "type": "table"}]


def test_aliases_follow_the_deployments(tracker, tmp_path):
    for version in ("v1", "v2"):
        artifact(tmp_path / "linear" / version)
    tracker.align(deployment(1, "serve", champion="v1"))
    tracker.align(deployment(1, "serve", champion="v1"), tmp_path)
    assert aliases(tracker, "linear") == {"champion": "v1"}
    tracker.align(deployment(2, "challenge", champion="v1", challengers=["v2", "gone"]), tmp_path)
    assert aliases(tracker, "linear") == {"champion": "v1", "challenger": "v2"}
    tracker.align(deployment(3, "promote", champion="v2", standby="v1"), tmp_path)
    assert aliases(tracker, "linear") == {"champion": "v2", "standby": "v1"}
    for alias in ("mine", "shadow"):  # of somebody else; of a version before, for the standby
        tracker.call(lambda client, alias=alias: client.set_registered_model_alias("foretick-linear", alias, "1"))
    tracker.align(deployment(4, "rollback", champion="v1", standby="v2"), tmp_path)
    assert aliases(tracker, "linear") == {"champion": "v1", "standby": "v2", "mine": "v1"}
    tracker.align(deployment(5, "retire", champion=None), tmp_path)
    assert aliases(tracker, "linear") == {"mine": "v1"}
    assert registered(tracker, "linear") == {"v1": "1", "v2": "2"}


def test_without_a_server_there_is_one_line_soon():
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        uri = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        tracker = Tracker(uri)
        assert not tracker.reachable()
        with pytest.raises(TrackingError) as raised, tracker.run("a", "train"):
            pytest.fail("there is no server")
    assert str(raised.value) == f"MLflow at {uri}: no answer"


def test_a_run_goes_on_after_its_server_is_lost(mlflow_server):
    lines: list[str] = []
    tracker = Tracker(mlflow_server.mlflow_uri, lines.append)
    with tracker.run("a", "train") as run:
        tracker.uri = "http://127.0.0.1:1"
        tracker._client = None
        run.metric("x", 1.0)
        run.params({"y": 1})
        with tracker.run("b", "train", parent=run) as below:
            below.text("words", "note.txt")
        tracker.register("ridge", "v9", Path("nowhere"))
    assert below.run_id is None
    assert lines == ["MLflow at http://127.0.0.1:1: no answer"]
