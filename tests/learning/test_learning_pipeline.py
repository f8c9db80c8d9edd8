"""The pipeline on real servers: from persisted bars to challengers, each step recorded, one model's failure its own."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pipelines import DAYS, MODELS, NOBODY, bars, deployments, persisted, steps, train
from stacks import Servers, environment_of, kafka_environment

from features.definition import Definition
from learning.deployment.announce import announce
from learning.deployment.ledger import Ledger
from learning.pipeline import STEPS, ProductionPipeline
from learning.runs.report import ModelOutcome
from models.drift.reference import Reference
from models.registry import model_registry, parameters
from settings import ROOT, Settings
from storage.errors import StorageError

pytestmark = [pytest.mark.services, pytest.mark.slow]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained") / "models"
    train(folder)
    return folder


@pytest.fixture
def settings(servers: Servers, tmp_path: Path, trained: Path) -> Iterator[Settings]:
    """Models in service, and more bars by now."""
    with persisted(servers, tmp_path, trained) as result:
        announce(result)
        yield result


def by_name(models: list[ModelOutcome]) -> dict[str, ModelOutcome]:
    return {outcome.model: outcome for outcome in models}


def test_a_run_trains_on_what_was_persisted_and_lets_the_new_versions_challenge(settings: Settings) -> None:
    warned: list[str] = []
    report = ProductionPipeline(settings, warned=warned.append).run_complete_pipeline()
    assert report.run.state == "done", report.run.error
    assert not report.failed
    values = by_name(report.models)
    assert list(values) == list(MODELS)
    assert {outcome.role for outcome in report.models} == {"challenger"}
    assert values["naive"].skill == 0
    assert warned == ["MLflow at http://127.0.0.1:1: no answer: this run is no longer tracked"]

    recorded = steps(settings, report.run.run_id)
    whole = [(step, None) for step in STEPS if step not in ("tune", "train", "deploy")]
    each = [(step, model) for step in ("train", "register", "deploy") for model in MODELS]
    assert recorded.keys() == {*whole, *each}
    assert {step.state for step in recorded.values()} == {"done"}
    load = recorded["load", None].detail
    assert load is not None
    assert load["rows"] == {"BTCUSDT": DAYS * 1_440, "ETHUSDT": DAYS * 1_440}

    folder, serving = settings.home / "models", model_registry.serving(settings.home / "models")
    for name in ("ridge", "gbm"):
        version = values[name].version
        assert version is not None
        origin = model_registry.provenance(folder, name, version)
        assert origin is not None
        assert (origin.last, origin.rows) == (int(bars(DAYS)[0].time[-1]), 2 * DAYS * 1_440)
        assert origin.reference is not None
        assert Reference.load(folder, origin.reference).fingerprint == origin.fingerprint
        model_registry.load(folder, name, version, origin.fingerprint)
        assert serving[name] != version
        assert (name, "challenge", serving[name], [version], "pipeline") in deployments(settings)
    assert [row[0] for row in deployments(settings) if row[4] == "pipeline"] == list(MODELS)


@pytest.mark.long
def test_the_same_data_again_changes_nothing(settings: Settings) -> None:
    def ridge() -> tuple[str | None, str]:
        model_outcome = by_name(ProductionPipeline(settings, models=["ridge"]).run_complete_pipeline().models)["ridge"]
        return model_outcome.role, model_outcome.why

    ridge()
    before = deployments(settings)
    assert ridge() == ("challenger", "it is a challenger already")
    assert deployments(settings) == before
    version = next(row[3][0] for row in before if row[:2] == ("ridge", "challenge"))
    Ledger(settings).decide("ridge", "promote", version, decided_by="test", why="it won")
    before = deployments(settings)
    assert ridge() == ("unchanged", "the training gave the same version as the champion")
    assert deployments(settings) == before


@pytest.mark.long
def test_a_model_that_fails_is_reported_and_the_others_go_on(settings: Settings) -> None:
    parameters.write(settings.home / "models", "ridge", {"clip": 1e9})
    report = ProductionPipeline(settings).run_complete_pipeline()
    values = by_name(report.models)
    assert (report.run.state, report.failed) == ("done", True)
    assert values["ridge"].error == "train: clip of model 'ridge' is 1000000000.0; it must be a number from 3 to 6"
    assert (values["ridge"].version, values["gbm"].role, values["gbm"].error) == (None, "challenger", None)
    step = steps(settings, report.run.run_id)["train", "ridge"]
    assert (step.state, step.error) == ("failed", values["ridge"].error.removeprefix("train: "))
    assert {row[0] for row in deployments(settings) if row[1] == "challenge"} == {"naive", "gbm"}


def test_without_models_in_service_what_is_trained_goes_into_service(servers: Servers, tmp_path: Path) -> None:
    with persisted(servers, tmp_path, None) as settings:
        report = ProductionPipeline(settings, models=["ridge"]).run_complete_pipeline()
        values = by_name(report.models)
        assert {outcome.role for outcome in report.models} == {"champion"}, report
        assert model_registry.serving(tmp_path / "models") == {
            name: values[name].version for name in ("naive", "ridge")
        }
        assert [row[1] for row in deployments(settings)] == ["serve", "serve"]
        parts = model_registry.load_all(tmp_path / "models", Definition.load(tmp_path / "models").fingerprint)
        assert [part.name for part in parts] == ["naive", "ridge"]


@pytest.mark.long
def test_a_run_may_tune_first(servers: Servers, tmp_path: Path, trained: Path) -> None:
    with persisted(servers, tmp_path, trained, days=12) as settings:
        announce(settings)
        report = ProductionPipeline(settings, models=["ridge"], tune=2).run_complete_pipeline()
        assert not report.failed, report
        values = steps(settings, report.run.run_id)
    assert ("tune", "naive") not in values  # it has nothing to tune
    detail = values["tune", "ridge"].detail
    assert detail is not None
    assert detail["numbers"]["complete"] + detail["numbers"]["pruned"] == 2
    kept = parameters.read(settings.home / "models").get("ridge", {})
    assert kept == (detail["parameters"] if detail["better"] else {})


def test_everything_of_a_run_is_in_mlflow(
    servers: Servers, mlflow_server: Servers, tmp_path: Path, trained: Path
) -> None:
    from mlflow import MlflowClient

    uri = mlflow_server.mlflow_uri
    with persisted(servers, tmp_path, trained, ("naive", "ridge"), uri) as settings:
        announce(settings)
        report = ProductionPipeline(settings).run_complete_pipeline()
    assert not report.failed, report
    client = MlflowClient(uri, uri)
    above = client.get_run(str(report.run.mlflow_run_id))
    assert (above.info.status, above.data.tags["run"]) == ("FINISHED", report.run.run_id)
    below = f"tags.mlflow.parentRunId = '{above.info.run_id}'"
    kinds = [run.data.tags["kind"] for run in client.search_runs([above.info.experiment_id], below)]
    assert sorted(kinds) == ["evaluate", "train", "train"]
    ridge = by_name(report.models)["ridge"]
    (registered,) = [
        version
        for version in client.search_model_versions("name = 'foretick-ridge'")
        if version.tags["version"] == ridge.version
    ]
    run = client.get_run(str(registered.run_id))
    assert run.data.params["data sha256"] == above.data.params["data sha256"]
    assert {"training/seconds"} < run.data.metrics.keys()
    assert {"importance.json", "plots"} <= {one.path for one in client.list_artifacts(run.info.run_id)}
    assert above.data.metrics["skill/ridge"] == ridge.skill


def test_the_documented_lines_run_in_any_folder(servers: Servers, tmp_path: Path, trained: Path) -> None:
    (lines,) = re.findall(
        r"```python\n(from learning\.pipeline .*?)```", (ROOT / "docs/concepts.md").read_text(), re.DOTALL
    )
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "home").mkdir()
    with persisted(servers, tmp_path / "home", trained, ("naive",)) as settings:
        announce(settings)
        addresses = {
            "FORETICK_DATABASE_URL": settings.database_url.get_secret_value(),
            "FORETICK_MLFLOW_URI": NOBODY,
        }
        done = subprocess.run(
            [sys.executable, "-c", lines],
            cwd=elsewhere,
            env=environment_of(settings.home) | kafka_environment(settings) | addresses,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("done [ModelOutcome(model='naive'")
        assert [row[:2] for row in deployments(settings) if row[4] == "pipeline"] == [("naive", "challenge")]
    assert list(elsewhere.iterdir()) == []


def test_where_kafka_is_away_nothing_is_decided_and_the_run_goes_on_later(
    servers: Servers, tmp_path: Path, trained: Path
) -> None:
    with persisted(servers, tmp_path, trained, ("naive",)) as settings:
        announce(settings)
        before = deployments(settings)
        cut_off = ProductionPipeline(settings.model_copy(update={"kafka": "127.0.0.1:1"}))
        with pytest.raises(StorageError, match="nothing can be deployed now"):
            cut_off.run_complete_pipeline()
        assert deployments(settings) == before
        report = ProductionPipeline(settings).run_complete_pipeline(cut_off.run_id)
        assert (report.run.state, report.models[0].role) == ("done", "challenger")
        assert steps(settings, report.run.run_id)["train", "naive"].attempts == 1


def test_too_little_history_ends_the_run_with_one_line(settings: Settings) -> None:
    report = ProductionPipeline(settings, days=3.0).run_complete_pipeline()
    assert report.failed
    assert report.run.error == "check: 3.0 days of 1m bars: at least 7 are needed for training and evaluation"
    assert steps(settings, report.run.run_id)["check", None].state == "failed"


def test_wrong_options_are_told_in_one_line_and_begin_no_run(settings: Settings) -> None:
    with pytest.raises(ValueError, match="there is no model 'crystal ball': there are"):
        ProductionPipeline(settings, models=["crystal ball"]).run_complete_pipeline()
    with pytest.raises(ValueError, match="no run 'x'"):
        ProductionPipeline(settings).run_complete_pipeline("x")
