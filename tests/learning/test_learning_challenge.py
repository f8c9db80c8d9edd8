"""Who may be challenged by a training, by whom, and what becomes of the challengers before."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from learning.deployment.challenge import challenge, champions
from models.serving.deployment import Action, following
from topics.records import Deployment

HERE = "definition"


@dataclass
class Log:
    """The ledger in memory: the same decisions, told to nobody."""

    decisions: list[Deployment] = field(default_factory=list)
    fingerprint: str = HERE

    def latest(self) -> dict[str, Deployment]:
        return {one.model: one for one in self.decisions}

    def decide(self, model: str, action: Action, version: str, *, decided_by: str, why: str) -> Deployment:
        log = [one for one in self.decisions if one.model == model]
        fields = {"fingerprint": self.fingerprint, "time": len(self.decisions), "decided_by": decided_by, "why": why}
        self.decisions.append(following(log, model, action, version, **fields))
        return self.decisions[-1]


@dataclass
class Version:
    name: str
    version: str


@pytest.fixture
def log() -> Any:
    made = Log()
    for model in ("naive", "ridge"):
        made.decide(model, "serve", "first", decided_by="test", why="")
    return made


def test_those_in_service_are_trained_where_none_is_named(log: Any) -> None:
    assert champions(log, ()) == ["naive", "ridge"]
    assert champions(log, ("ridge",)) == ["ridge"]


def test_a_model_without_a_champion_is_told(log: Any) -> None:
    text = "model 'har' has no champion to challenge, in service are naive, ridge: train it without --as-challenger"
    with pytest.raises(ValueError, match=f"^{text}$"):
        champions(log, ("ridge", "har"))
    log.fingerprint = "another"  # the features in service are others by now
    with pytest.raises(ValueError, match="no model is in service: train without --as-challenger"):
        champions(log, ())


def test_a_version_challenges_and_the_champion_stays(log: Any) -> None:
    made = challenge(log, Version("ridge", "second"), "trained on May")
    assert isinstance(made, Deployment)
    assert (made.action, made.champion, made.challengers, made.decided_by, made.why) == (
        *("challenge", "first", ["second"], "foretick train", "trained on May"),
    )
    assert log.latest()["naive"].challengers == []


@pytest.mark.parametrize(("version", "role"), [("first", "champion"), ("second", "challenger")])
def test_one_that_is_there_already_is_told_and_nothing_decided(log: Any, version: str, role: str) -> None:
    log.decide("ridge", "challenge", "second", decided_by="test", why="")
    before = len(log.decisions)
    assert challenge(log, Version("ridge", version), "") == role
    assert len(log.decisions) == before


def test_the_oldest_challenger_goes_where_there_are_enough(log: Any) -> None:
    for version in ("second", "third", "fourth"):
        challenge(log, Version("ridge", version), "")
    assert [(one.action, one.challengers) for one in log.decisions[2:]] == [
        ("challenge", ["second"]),
        ("challenge", ["second", "third"]),
        ("withdraw", ["third"]),
        ("challenge", ["third", "fourth"]),
    ]
