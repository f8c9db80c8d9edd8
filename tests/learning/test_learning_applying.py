"""What a study has found, when it is taken, and what is then done with it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from stacks import Servers
from tuning_database import empty_database
from tuning_market import markets

from learning.applying import apply
from learning.ledger import Ledger
from learning.objective import Worth
from learning.verdict import Verdict, explained
from models import parameters, registry, training
from models.naive import Naive
from models.ridge import Ridge
from settings import Settings
from storage.timescale import migrate
from stream.admin import create_topics

BEST = {"clip": 3.0, "half_life": 60}


@pytest.fixture
def database(servers: Servers, request: pytest.FixtureRequest) -> Iterator[str]:
    with empty_database(servers, request.node.nodeid) as url:
        yield url


def verdict_of(gain: Worth | None, later: Worth | None) -> Verdict:
    none: dict[str, Any] = {"later_untuned": None, "later_best": None}
    return Verdict("ridge", "study", 9, 1, 0, BEST, Worth(0, 1), Worth(0, 1), gain, later_gain=later, **none)


@pytest.mark.parametrize(
    ("gain", "later", "better", "said"),
    [
        (Worth(0.02, 0.01), Worth(0.01, 0.02), True, "has +2.000 points of skill"),
        (Worth(0.01, 0.02), Worth(0.01, 0.02), False, "not better by one standard error"),
        (Worth(0.02, 0.01), Worth(-0.01, 0.02), False, "not better on the days that no trial saw"),
        (None, None, False, "no trial of ridge is better than the untuned model"),
    ],
)
def test_the_best_is_taken_where_it_is_clearly_better_and_not_worse_later(
    gain: Worth | None, later: Worth | None, better: bool, said: str
) -> None:
    found = verdict_of(gain, later)
    assert found.better is better
    assert said in explained(found)


def trained(folder: Path) -> str:
    """Put an untuned ridge into service; return its version."""
    bars = markets()
    definition = training.define(bars)
    frames = training.features(bars, definition)
    served = [training.fit(model, definition, frames, 0) for model in (Naive, Ridge)]
    registry.save(folder, definition, served)
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
    folder, found = tmp_path / "models", verdict_of(Worth(0.02, 0.01), Worth(0.01, 0.01))
    champion = trained(folder)
    done = apply(settings, Ridge, found, "a test", markets(), 0)
    assert done.version is not None
    assert done.version != champion
    assert "model 'ridge' does not serve" in done.why_not
    assert parameters.read(folder) == {"ridge": BEST}
    origin = registry.provenance(folder, "ridge", done.version)
    assert origin is not None
    assert origin.parameters == BEST
    Ledger(settings).decide("ridge", "serve", champion, decided_by="test", why="a test")
    again = apply(settings, Ridge, found, "a test", markets(), 0)
    assert again.version == done.version
    assert again.deployment is not None
    assert (again.deployment.champion, again.deployment.challengers) == (champion, [done.version])
    assert (again.deployment.decided_by, again.deployment.why) == ("tuning", "a test")
    assert again.deployment.evidence == found.numbers()
