"""Any sequence of decisions keeps one champion, and a rollback undoes what the last ones did, one after another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.serving.deployment import MOST_CHALLENGERS, Action, champions, following
from topics.records import Deployment

ACTIONS: tuple[Action, ...] = ("serve", "challenge", "withdraw", "promote", "rollback", "retire")


def after(
    log: list[Deployment],
    action: Action,
    version: str | None = None,
    *,
    fingerprint: str = "f",
    force: bool = False,
) -> list[Deployment]:
    decision = following(
        log, "gbm", action, version, fingerprint=fingerprint, time=len(log), decided_by="test", why="", force=force
    )
    return [*log, decision]


def decided(*decisions: tuple[Action, str | None]) -> list[Deployment]:
    log: list[Deployment] = []
    for action, version in decisions:
        log = after(log, action, version)
    return log


def roles(log: list[Deployment]) -> tuple[str | None, list[str], str | None]:
    return log[-1].champion, log[-1].challengers, log[-1].standby


@given(
    st.lists(
        st.tuples(
            st.sampled_from(ACTIONS), st.sampled_from("abcde") | st.none(), st.sampled_from("fffg"), st.booleans()
        ),
        max_size=40,
    )
)
def test_any_sequence_of_decisions_keeps_exactly_one_champion_unless_retired(
    decisions: list[tuple[Action, str | None, str, bool]],
) -> None:
    log: list[Deployment] = []
    for action, version, fingerprint, force in decisions:
        try:
            log = after(log, action, version, fingerprint=fingerprint, force=force)
        except ValueError:
            continue
        champion, challengers, standby = roles(log)
        assert (champion is None) == (action == "retire")
        served = [name for name in (champion, standby, *challengers) if name is not None]
        assert len(set(served)) == len(served)
        assert len(challengers) <= MOST_CHALLENGERS
        assert champion is not None or not served
        assert champions(log)[-1:] == ([] if champion is None else [champion])
    assert [decision.number for decision in log] == list(range(1, len(log) + 1))


@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=8))
def test_rollbacks_lead_back_through_every_champion_to_the_first(versions: list[str]) -> None:
    log: list[Deployment] = []
    served: list[str] = []
    for version in versions:
        if served[-1:] != [version]:
            log, served = after(log, "promote", version, force=True), [*served, version]
    while len(served) > 1:
        log = after(log, "rollback")
        assert (log[-1].standby, log[-1].champion) == (served.pop(), served[-1])
    with pytest.raises(ValueError, match=f"version {versions[0]} is the first of model 'gbm'"):
        after(log, "rollback")


def test_after_a_promotion_the_previous_champion_is_the_standby() -> None:
    log = decided(("serve", "a"), ("challenge", "b"), ("challenge", "c"), ("promote", "b"))
    assert roles(log) == ("b", ["c"], "a")
    assert roles(after(log, "promote", "c")) == ("c", [], "b")
    assert roles(after(log, "withdraw", "c")) == ("b", [], "a")
    assert roles(after(log, "challenge", "a")) == ("b", ["c", "a"], None)


def test_after_a_rollback_the_withdrawn_champion_is_the_standby() -> None:
    log = decided(("serve", "a"), ("challenge", "b"), ("promote", "b"), ("rollback", None))
    assert roles(log) == ("a", [], "b")
    assert roles(after(log, "promote", "c", force=True)) == ("c", [], "a")


def test_features_of_another_definition_begin_anew() -> None:
    log = decided(("serve", "a"), ("challenge", "b"))
    log = after(log, "serve", "c", fingerprint="g")
    assert roles(log) == ("c", [], None)
    with pytest.raises(ValueError, match="first of model 'gbm' on these features"):
        after(log, "rollback", fingerprint="g")


@pytest.mark.parametrize(
    ("action", "version", "text"),
    [
        ("serve", "a", "version a of model 'gbm' is the champion already"),
        ("serve", None, "to serve needs a version of model 'gbm'"),
        ("challenge", "a", "is the champion already"),
        ("challenge", "b", "is a challenger already"),
        ("challenge", "d", "has b, c as challengers already: withdraw one of them first"),
        ("promote", "x", "version x is no challenger of model 'gbm': b, c challenge it"),
        ("withdraw", "a", "version a is no challenger"),
        ("rollback", None, "there is none to go back to"),
    ],
)
def test_what_cannot_be_decided_is_said_in_one_line(action: Action, version: str | None, text: str) -> None:
    log = decided(("serve", "a"), ("challenge", "b"), ("challenge", "c"))
    with pytest.raises(ValueError, match=text):
        after(log, action, version)


@pytest.mark.parametrize("action", ["rollback", "retire"])
def test_a_model_that_does_not_serve_is_neither_retired_nor_taken_back(action: Action) -> None:
    for log in ([], decided(("serve", "a"), ("retire", None))):
        with pytest.raises(ValueError, match="does not serve"):
            after(log, action)


def test_a_challenger_needs_a_champion() -> None:
    with pytest.raises(ValueError, match="there is no champion beside whom to challenge b"):
        after([], "challenge", "b")
