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
from models import provenance, registry
from models.ensemble import Ensemble
from models.predictor import Predictor
from models.reference import Reference
from models.training import features
from sources.bars import read_bars
from stack import sample
from stream.deployments import Decisions, Follower
from stream.lineup import Lineup
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
    return registry.serving(folder)["gbm"]


@pytest.fixture
def second(folder_and_second: tuple[Path, dict[str, str]]) -> str:
    return folder_and_second[1]["gbm"]


def started(folder: Path, *log: Deployment) -> Lineup:
    lineup = Lineup(folder, "1m", 45.0)
    lineup.start({"gbm": list(log)} if log else {})
    return lineup


def deployment(lineup: Lineup, number: int, champion: str | None, **parts: object) -> Deployment:
    return Deployment("gbm", number, "promote", champion, lineup.fingerprint, 0, **parts)  # type: ignore[arg-type]


def roles(lineup: Lineup, model: str = "gbm") -> Roles:
    return {one.version: one.role for one in lineup.predictor.served if one.model.name == model}


def told(events: Sequence[ModelEvent]) -> list[tuple[str, str, str | None, int]]:
    return [(one.event, one.version, one.role, one.number) for one in events if one.model == "gbm"]


def corrupt(folder: Path, version: str) -> None:
    (folder / "gbm" / version / "booster.txt").write_text("nothing")


class Outbox:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[Struct] = []

    async def send(self, frames: Sequence[tuple[Topic, str, Sequence[Struct]]]) -> None:
        self.sent += [record for _, _, records in frames for record in records]


def taken(lineup: Lineup, *made: Deployment) -> tuple[Predictor, list[tuple[str, str, str | None, int]]]:
    """Return the stage's predictor after deployments that come at once, and what was told of them."""
    stage, outbox = Predictions(lineup.predictor, lineup.fingerprint, 1), Outbox()
    follower = Follower("nowhere", lineup, stage, outbox, Decisions(b"key"))  # type: ignore[arg-type]

    async def take() -> None:
        for one in made:
            await follower.take(one)
        await asyncio.gather(*follower._loading)

    asyncio.run(take())
    return stage.fold, told(outbox.sent)  # type: ignore[arg-type]


def test_without_a_log_what_was_trained_serves(folder: Path, first: str) -> None:
    lineup = started(folder)
    assert {one.model.name: one.version for one in lineup.predictor.served} == registry.serving(folder)
    assert told(lineup.started) == [("loaded", first, "champion", 0)]
    (folder / "serving.json").unlink()
    with pytest.raises(ValueError, match="no models in service"):
        started(folder)


def test_with_a_log_what_was_decided_serves_in_its_role(folder: Path, first: str, second: str) -> None:
    fingerprint = started(folder).fingerprint
    made = Deployment("gbm", 4, "promote", second, fingerprint, 0, shadow=first)
    lineup = started(folder, made)
    assert roles(lineup) == {second: "champion", first: "shadow"}
    assert set(told(lineup.started)) == {("loaded", second, "champion", 4), ("loaded", first, "shadow", 4)}
    assert roles(started(folder, replace(made, champion=None, shadow=None))) == {}
    assert roles(started(folder, replace(made, fingerprint="another"))) == {first: "champion"}


@pytest.mark.parametrize("shadow", [True, False])
def test_a_champion_that_cannot_be_loaded_at_a_start_is_refused_and_the_one_before_serves(
    folder: Path, first: str, second: str, shadow: bool
) -> None:
    fingerprint = started(folder).fingerprint
    corrupt(folder, second)
    registry.serve(folder, registry.serving(folder) | {"gbm": second})
    before = Deployment("gbm", 1, "serve", first, fingerprint, 0)
    made = Deployment("gbm", 2, "promote", second, fingerprint, 0, shadow=first if shadow else None)
    lineup = started(folder, before, made)
    assert roles(lineup) == {first: "champion"}
    assert told(lineup.started) == [("refused", second, "champion", 2), ("loaded", first, "champion", 2)]


def test_a_deployment_changes_the_roles_and_a_challenger_that_cannot_be_loaded_is_refused_alone(
    folder: Path, first: str, second: str
) -> None:
    lineup = started(folder)
    corrupt(folder, second)
    _, events = taken(lineup, deployment(lineup, 1, first, challengers=[second]))
    assert events == [("refused", second, "challenger", 1), ("loaded", first, "champion", 1)]
    assert roles(lineup) == {first: "champion"}
    _, events = taken(lineup, deployment(lineup, 2, second, shadow=first))
    assert events == [("refused", second, "champion", 2)]
    assert roles(lineup) == {first: "champion"}


def test_a_decision_that_takes_another_back_is_not_kept_waiting_by_what_that_one_loads(
    folder: Path, first: str, second: str
) -> None:
    lineup = started(folder)
    taken(lineup, deployment(lineup, 1, first))
    fold, events = taken(lineup, deployment(lineup, 2, second, shadow=first), deployment(lineup, 3, first))
    assert events == [("loaded", first, "champion", 3)]
    assert fold is lineup.predictor
    assert roles(lineup) == {first: "champion"}
    _, events = taken(lineup, deployment(lineup, 3, first), deployment(lineup, 2, second))
    assert events == []


def test_what_is_for_other_features_is_refused_whole(folder: Path, first: str, second: str) -> None:
    lineup = started(folder)
    _, events = taken(lineup, replace(deployment(lineup, 1, second), fingerprint="another"))
    assert events == [("refused", second, "champion", 1)]
    assert roles(lineup) == {first: "champion"}


def test_a_model_of_a_new_name_and_a_combination_are_deployed_like_others(folder: Path) -> None:
    lineup = started(folder)
    version = registry.store(folder, Ensemble(lineup.features.names, fingerprint=lineup.fingerprint)).name
    made = Deployment("ensemble", 1, "serve", version, lineup.fingerprint, 0)
    fold, _ = taken(lineup, made)
    assert [one.model.name for one in fold.served] == ["naive", "online", "gbm", "ensemble"]
    alone = [Deployment(model, 1, "retire", None, lineup.fingerprint, 0) for model in ("online", "gbm", "naive")]
    fold, _ = taken(lineup, *alone)
    # The last expert cannot go while the ensemble stays.
    assert [one.model.name for one in fold.served] == ["naive", "ensemble"]
    fold, _ = taken(lineup, Deployment("oracle", 1, "serve", "v1", lineup.fingerprint, 0))
    assert [one.model.name for one in fold.served] == ["naive", "ensemble"]


def test_a_version_tells_its_age_and_how_unlike_its_reference_a_row_is(folder: Path, first: str) -> None:
    lineup = started(folder)
    bars = [frame[:3_000] for frame in read_bars(sample.FILES, "1m")]
    frames = features(bars, lineup.features.definition)
    reference = Reference.fit(frames, lineup.features.names)
    reference.save(folder)
    model = registry.load(folder, "gbm", first, lineup.fingerprint)
    registry.store(folder, model, provenance.of(bars, lineup.fingerprint, 0, reference=reference.id))
    lineup = started(folder)
    (found,) = [one for one in lineup.predictor.served if one.model.name == "gbm"]
    assert found.fresh_until == max(int(frame.time[-1]) for frame in bars) + 45 * DAY_MS
    predictor, frame = lineup.predictor, frames[0]
    _, predictions = predictor.step(predictor.initial(frame.symbol), FeatureFrame.of(frame[-20:].records()))
    unlike = {one.model: one.dissimilarity for one in predictions[-3:]}
    assert unlike["naive"] is unlike["online"] is None
    assert unlike["gbm"] == pytest.approx(reference.dissimilarity(frame.values[-1:])[0], abs=5e-4)
    (folder / "references" / f"{reference.id}.safetensors").unlink()
    assert roles(started(folder)) == {first: "champion"}
