"""What a study has found, when it is taken, and what is then done with it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from stacks import Servers
from tuning_database import empty_database
from tuning_market import markets

from broker.admin import create_topics
from learning.deployment.ledger import Ledger
from learning.tuning.apply import apply
from learning.tuning.mean_estimate import MeanEstimate
from learning.tuning.tuning_result import TuningResult, explained
from models import training
from models.baselines.naive import Naive
from models.linear.ridge import Ridge
from models.registry import model_registry, parameters
from settings import Settings
from storage.timescale import migrate

BEST = {"clip": 3.0, "half_life": 60}


@pytest.fixture
def database(servers: Servers, request: pytest.FixtureRequest) -> Iterator[str]:
    with empty_database(servers, request.node.nodeid) as url:
        yield url


def verdict_of(gain: MeanEstimate | None, later: MeanEstimate | None) -> TuningResult:
    none: dict[str, Any] = {"later_untuned": None, "later_best": None}
    return TuningResult(
        model="ridge",
        study="study",
        complete=9,
        pruned=1,
        failed=0,
        parameters=BEST,
        untuned=MeanEstimate(0, 1),
        best=MeanEstimate(0, 1),
        gain=gain,
        later_gain=later,
        **none,
    )


@pytest.mark.parametrize(
    ("gain", "later", "better", "text"),
    [
        (MeanEstimate(0.02, 0.01), MeanEstimate(0.01, 0.02), True, "has +2.000 points of skill"),
        (MeanEstimate(0.01, 0.02), MeanEstimate(0.01, 0.02), False, "not better by one standard error"),
        (MeanEstimate(0.02, 0.01), MeanEstimate(-0.01, 0.02), False, "not better on the days that no trial used"),
        (None, None, False, "no trial of ridge is better than the untuned model"),
    ],
)
def test_the_best_is_taken_where_it_is_clearly_better_and_not_worse_later(
    gain: MeanEstimate | None, later: MeanEstimate | None, better: bool, text: str
) -> None:
    tuning_result = verdict_of(gain, later)
    assert tuning_result.better is better
    assert text in explained(tuning_result)


def trained(folder: Path) -> str:
    """Put an untuned ridge into service; return its version."""
    bars = markets()
    definition = training.define(bars)
    frames = training.features(bars, definition)
    served = [training.fit(model, definition, frames, 0) for model in (Naive, Ridge)]
    model_registry.save(folder, definition, served)
    return served[1].version


def test_where_nothing_is_in_service_the_parameters_are_kept_for_the_next_training(tmp_path: Path) -> None:
    done = apply(Settings(home=tmp_path), Ridge, verdict_of(None, None), "a test", markets(), 0)
    assert parameters.read(tmp_path / "models") == {"ridge": BEST}
    assert done.version is None
    assert done.why_not == "no models are in service: foretick train trains with these parameters"


@pytest.mark.services
def test_the_best_is_trained_on_the_features_in_service_and_challenges_the_champion(
    servers: Servers, database: str, tmp_path: Path
) -> None:
    migrate(database)
    create_topics(servers.broker)
    settings = Settings(home=tmp_path, **servers.as_stack(), database_url=SecretStr(database))
    folder, tuning_result = tmp_path / "models", verdict_of(MeanEstimate(0.02, 0.01), MeanEstimate(0.01, 0.01))
    champion = trained(folder)
    done = apply(settings, Ridge, tuning_result, "a test", markets(), 0)
    assert done.version is not None
    assert done.version != champion
    assert "model 'ridge' does not serve" in done.why_not
    assert parameters.read(folder) == {"ridge": BEST}
    origin = model_registry.provenance(folder, "ridge", done.version)
    assert origin is not None
    assert origin.parameters == BEST
    Ledger(settings).decide("ridge", "serve", champion, decided_by="test", why="a test")
    again = apply(settings, Ridge, tuning_result, "a test", markets(), 0)
    assert again.version == done.version
    assert again.deployment is not None
    assert (again.deployment.champion, again.deployment.challengers) == (champion, [done.version])
    assert (again.deployment.decided_by, again.deployment.why) == ("tuning", "a test")
    assert again.deployment.evidence == tuning_result.numbers()
