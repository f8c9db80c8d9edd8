"""What plays after a start and after each deployment, without a server."""

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from deploying import home_with_second_versions
from msgspec import Struct
from msgspec.structs import replace

from features.frame import FeatureFrame
from models.combine.ensemble import Ensemble
from models.drift.reference import Reference
from models.registry import model_registry, provenance
from models.serving.predictor import Predictor
from models.training import features
from sources.reading.bars import read_bars
from stack import sample
from stream.deployments import Decisions, DeploymentConsumer
from stream.model_server import ModelServer
from stream.stages import Predictions
from topics.catalog import DAY_MS, Topic
from topics.records import Deployment, ModelEvent

Roles = dict[str, str]


@pytest.fixture(scope="module")
def folder_and_second(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    return home_with_second_versions(trained, tmp_path_factory.mktemp("lineup"))


@pytest.fixture
def folder(folder_and_second: tuple[Path, dict[str, str]], tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder_and_second[0], tmp_path / "models"))


@pytest.fixture
def first(folder: Path) -> str:
    return model_registry.serving(folder)["gbm"]


@pytest.fixture
def second(folder_and_second: tuple[Path, dict[str, str]]) -> str:
    return folder_and_second[1]["gbm"]


def started(folder: Path, *log: Deployment) -> ModelServer:
    model_server = ModelServer(folder, "1m", 45.0)
    model_server.start({"gbm": list(log)} if log else {})
    return model_server


def deployment(model_server: ModelServer, number: int, champion: str | None, **parts: object) -> Deployment:
    return Deployment(
        model="gbm",
        number=number,
        action="promote",
        champion=champion,
        fingerprint=model_server.fingerprint,
        time=0,
        **parts,
    )


def roles(model_server: ModelServer, model: str = "gbm") -> Roles:
    return {one.version: one.role for one in model_server.predictor.served if one.model.name == model}


def told(events: Sequence[ModelEvent]) -> list[tuple[str, str, str | None, int]]:
    return [(one.event, one.version, one.role, one.number) for one in events if one.model == "gbm"]


def corrupt(folder: Path, version: str) -> None:
    (folder / "gbm" / version / "booster.txt").write_text("nothing")


class SentRecords:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[Struct] = []

    async def send(self, frames: Sequence[tuple[Topic, str, Sequence[Struct]]]) -> None:
        self.sent += [record for _, _, records in frames for record in records]


def taken(model_server: ModelServer, *made: Deployment) -> tuple[Predictor, list[tuple[str, str, str | None, int]]]:
    """Return the stage's predictor after deployments that come at once, and what was told of them."""
    stage, writer = Predictions(model_server.predictor, model_server.fingerprint, 1), SentRecords()
    follower = DeploymentConsumer("nowhere", model_server, stage, writer, Decisions(b"key"))

    async def take() -> None:
        for one in made:
            await follower.take(one)
        await asyncio.gather(*follower._loading)

    asyncio.run(take())
    return stage.fold, told(writer.sent)


def test_without_a_log_what_was_trained_serves(folder: Path, first: str) -> None:
    model_server = started(folder)
    assert {one.model.name: one.version for one in model_server.predictor.served} == model_registry.serving(folder)
    assert told(model_server.started) == [("loaded", first, "champion", 0)]
    (folder / "serving.json").unlink()
    with pytest.raises(ValueError, match="no models in service"):
        started(folder)


def test_with_a_log_what_was_decided_serves_in_its_role(folder: Path, first: str, second: str) -> None:
    fingerprint = started(folder).fingerprint
    made = Deployment(
        model="gbm", number=4, action="promote", champion=second, fingerprint=fingerprint, time=0, standby=first
    )
    model_server = started(folder, made)
    assert roles(model_server) == {second: "champion", first: "standby"}
    assert set(told(model_server.started)) == {("loaded", second, "champion", 4), ("loaded", first, "standby", 4)}
    assert roles(started(folder, replace(made, champion=None, standby=None))) == {}
    assert roles(started(folder, replace(made, fingerprint="another"))) == {first: "champion"}


@pytest.mark.parametrize("standby", [True, False])
def test_a_champion_that_cannot_be_loaded_at_a_start_is_refused_and_the_one_before_serves(
    folder: Path, first: str, second: str, standby: bool
) -> None:
    fingerprint = started(folder).fingerprint
    corrupt(folder, second)
    model_registry.serve(folder, model_registry.serving(folder) | {"gbm": second})
    before = Deployment(model="gbm", number=1, action="serve", champion=first, fingerprint=fingerprint, time=0)
    made = Deployment(
        model="gbm",
        number=2,
        action="promote",
        champion=second,
        fingerprint=fingerprint,
        time=0,
        standby=first if standby else None,
    )
    model_server = started(folder, before, made)
    assert roles(model_server) == {first: "champion"}
    assert told(model_server.started) == [("refused", second, "champion", 2), ("loaded", first, "champion", 2)]


def test_a_deployment_changes_the_roles_and_a_challenger_that_cannot_be_loaded_is_refused_alone(
    folder: Path, first: str, second: str
) -> None:
    model_server = started(folder)
    corrupt(folder, second)
    _, events = taken(model_server, deployment(model_server, 1, first, challengers=[second]))
    assert events == [("refused", second, "challenger", 1), ("loaded", first, "champion", 1)]
    assert roles(model_server) == {first: "champion"}
    _, events = taken(model_server, deployment(model_server, 2, second, standby=first))
    assert events == [("refused", second, "champion", 2)]
    assert roles(model_server) == {first: "champion"}


def test_a_decision_that_takes_another_back_is_not_kept_waiting_by_what_that_one_loads(
    folder: Path, first: str, second: str
) -> None:
    model_server = started(folder)
    taken(model_server, deployment(model_server, 1, first))
    fold, events = taken(
        model_server, deployment(model_server, 2, second, standby=first), deployment(model_server, 3, first)
    )
    assert events == [("loaded", first, "champion", 3)]
    assert fold is model_server.predictor
    assert roles(model_server) == {first: "champion"}
    _, events = taken(model_server, deployment(model_server, 3, first), deployment(model_server, 2, second))
    assert events == []


def test_what_is_for_other_features_is_refused_whole(folder: Path, first: str, second: str) -> None:
    model_server = started(folder)
    _, events = taken(model_server, replace(deployment(model_server, 1, second), fingerprint="another"))
    assert events == [("refused", second, "champion", 1)]
    assert roles(model_server) == {first: "champion"}


def test_a_model_of_a_new_name_and_a_combination_are_deployed_like_others(folder: Path) -> None:
    model_server = started(folder)
    version = model_registry.store(
        folder, Ensemble(model_server.features.names, fingerprint=model_server.fingerprint)
    ).name
    made = Deployment(
        model="ensemble", number=1, action="serve", champion=version, fingerprint=model_server.fingerprint, time=0
    )
    fold, _ = taken(model_server, made)
    assert [one.model.name for one in fold.served] == ["naive", "online", "gbm", "ensemble"]
    alone = [
        Deployment(model=model, number=1, action="retire", champion=None, fingerprint=model_server.fingerprint, time=0)
        for model in ("online", "gbm", "naive")
    ]
    fold, _ = taken(model_server, *alone)
    # The last expert cannot go while the ensemble stays.
    assert [one.model.name for one in fold.served] == ["naive", "ensemble"]
    fold, _ = taken(
        model_server,
        Deployment(
            model="oracle", number=1, action="serve", champion="v1", fingerprint=model_server.fingerprint, time=0
        ),
    )
    assert [one.model.name for one in fold.served] == ["naive", "ensemble"]


def test_a_version_tells_its_age_and_how_unlike_its_reference_a_row_is(folder: Path, first: str) -> None:
    model_server = started(folder)
    bars = [frame[:3_000] for frame in read_bars(sample.FILES, "1m")]
    frames = features(bars, model_server.features.definition)
    reference = Reference.fit(frames, model_server.features.names)
    reference.save(folder)
    model = model_registry.load(folder, "gbm", first, model_server.fingerprint)
    model_registry.store(folder, model, provenance.of(bars, model_server.fingerprint, 0, reference=reference.id))
    model_server = started(folder)
    (served_model,) = [one for one in model_server.predictor.served if one.model.name == "gbm"]
    assert served_model.fresh_until == max(int(frame.time[-1]) for frame in bars) + 45 * DAY_MS
    predictor, frame = model_server.predictor, frames[0]
    _, predictions = predictor.step(predictor.initial(frame.symbol), FeatureFrame.of(frame[-20:].records()))
    unlike = {one.model: one.dissimilarity for one in predictions[-3:]}
    assert unlike["naive"] is unlike["online"] is None
    assert unlike["gbm"] == pytest.approx(reference.dissimilarity(frame.values[-1:])[0], abs=5e-4)
    (folder / "references" / f"{reference.id}.safetensors").unlink()
    assert roles(started(folder)) == {first: "champion"}
