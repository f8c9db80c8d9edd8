"""The pipeline on real servers: from persisted bars to challengers, each step recorded, one model's failure its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pipelines import DAYS, MODELS, bars, deployments, persisted, steps, train
from stacks import Servers

from features.definition import Definition
from learning.announce import announce
from learning.ledger import Ledger
from learning.pipeline import STEPS, ProductionPipeline
from learning.report import Outcome
from models import parameters, registry
from models.reference import Reference
from settings import Settings
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
    with persisted(servers, tmp_path, trained) as found:
        announce(found)
        yield found


def by_name(models: list[Outcome]) -> dict[str, Outcome]:
    return {outcome.model: outcome for outcome in models}


def test_a_run_trains_on_what_was_persisted_and_lets_the_new_versions_challenge(settings: Settings) -> None:
    warned: list[str] = []
    report = ProductionPipeline(settings, warned=warned.append).run_complete_pipeline()
    assert report.run.state == "done", report.run.error
    assert not report.failed
    found = by_name(report.models)
    assert list(found) == list(MODELS)
    assert {outcome.role for outcome in report.models} == {"challenger"}
    assert found["naive"].skill == 0
    assert warned == ["MLflow at http://127.0.0.1:1: no answer: this run is not tracked any further"]

    recorded = steps(settings, report.run.run_id)
    whole = [(step, None) for step in STEPS if step not in ("tune", "train", "deploy")]
    each = [(step, model) for step in ("train", "register", "deploy") for model in MODELS]
    assert recorded.keys() == {*whole, *each}
    assert {step.state for step in recorded.values()} == {"done"}
    load = recorded["load", None].detail
    assert load is not None
    assert load["rows"] == {"BTCUSDT": DAYS * 1_440, "ETHUSDT": DAYS * 1_440}

    folder, serving = settings.home / "models", registry.serving(settings.home / "models")
    for name in ("ridge", "gbm"):
        version = found[name].version
        assert version is not None
        origin = registry.provenance(folder, name, version)
        assert origin is not None
        assert (origin.last, origin.rows) == (int(bars(DAYS)[0].time[-1]), 2 * DAYS * 1_440)
        assert origin.reference is not None
        assert Reference.load(folder, origin.reference).fingerprint == origin.fingerprint
        registry.load(folder, name, version, origin.fingerprint)
        assert serving[name] != version
        assert (name, "challenge", serving[name], [version], "pipeline") in deployments(settings)
    assert [row[0] for row in deployments(settings) if row[4] == "pipeline"] == list(MODELS)


def test_the_same_data_again_changes_nothing(settings: Settings) -> None:
    def ridge() -> tuple[str | None, str]:
        found = by_name(ProductionPipeline(settings, models=["ridge"]).run_complete_pipeline().models)["ridge"]
        return found.role, found.why

    ridge()
    before = deployments(settings)
    assert ridge() == ("challenger", "it challenges the champion already")
    assert deployments(settings) == before
    version = next(row[3][0] for row in before if row[:2] == ("ridge", "challenge"))
    Ledger(settings).decide("ridge", "promote", version, decided_by="test", why="it won")
    before = deployments(settings)
    assert ridge() == ("unchanged", "the training has found the champion again")
    assert deployments(settings) == before


def test_a_model_that_fails_is_reported_and_the_others_go_on(settings: Settings) -> None:
    parameters.write(settings.home / "models", "ridge", {"clip": 1e9})
    report = ProductionPipeline(settings).run_complete_pipeline()
    found = by_name(report.models)
    assert (report.run.state, report.failed) == ("done", True)
    assert found["ridge"].error == "train: clip of model 'ridge' is 1000000000.0; it must be a number from 3 to 6"
    assert (found["ridge"].version, found["gbm"].role, found["gbm"].error) == (None, "challenger", None)
    step = steps(settings, report.run.run_id)["train", "ridge"]
    assert (step.state, step.error) == ("failed", found["ridge"].error.removeprefix("train: "))
    assert {row[0] for row in deployments(settings) if row[1] == "challenge"} == {"naive", "gbm"}


def test_without_models_in_service_what_is_trained_goes_into_service(servers: Servers, tmp_path: Path) -> None:
    with persisted(servers, tmp_path, None) as settings:
        report = ProductionPipeline(settings, models=["ridge"]).run_complete_pipeline()
        found = by_name(report.models)
        assert {outcome.role for outcome in report.models} == {"champion"}, report
        assert registry.serving(tmp_path / "models") == {name: found[name].version for name in ("naive", "ridge")}
        assert [row[1] for row in deployments(settings)] == ["serve", "serve"]
        parts = registry.load_all(tmp_path / "models", Definition.load(tmp_path / "models").fingerprint)
        assert [part.name for part in parts] == ["naive", "ridge"]


def test_a_run_may_tune_first(servers: Servers, tmp_path: Path, trained: Path) -> None:
    with persisted(servers, tmp_path, trained, days=12) as settings:
        announce(settings)
        report = ProductionPipeline(settings, models=["ridge"], tune=2).run_complete_pipeline()
        assert not report.failed, report
        found = steps(settings, report.run.run_id)
    assert ("tune", "naive") not in found  # it has nothing to tune
    detail = found["tune", "ridge"].detail
    assert detail is not None
    assert detail["numbers"]["complete"] + detail["numbers"]["pruned"] == 2
    kept = parameters.read(settings.home / "models").get("ridge", {})
    assert kept == (detail["parameters"] if detail["better"] else {})


def test_everything_of_a_run_is_in_mlflow(
    servers: Servers, mlflow_server: Servers, tmp_path: Path, trained: Path
) -> None:
    from mlflow import MlflowClient  # noqa: PLC0415 - seconds that only this test is to pay

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
    assert above.data.metrics["skill/ridge"] == ridge.skill


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
    assert report.run.error == "check: 3.0 days of 1m bars: at least 7 are needed to train and judge on"
    assert steps(settings, report.run.run_id)["check", None].state == "failed"


def test_wrong_wishes_are_told_in_one_line_and_begin_no_run(settings: Settings) -> None:
    with pytest.raises(ValueError, match="no model 'crystal ball'; the models are"):
        ProductionPipeline(settings, models=["crystal ball"]).run_complete_pipeline()
    with pytest.raises(ValueError, match="no run 'x'"):
        ProductionPipeline(settings).run_complete_pipeline("x")
