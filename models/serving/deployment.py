"""Derives the next decision about a model from the previous ones.

A version has one role at a time. There is one champion until the model is retired; the previous champion is the
standby, which continues to predict, so that a rollback takes effect at once.
"""

from collections.abc import Mapping, Sequence
from math import isnan
from typing import Literal

from topics.limits import MOST_VALUE
from topics.records import Deployment, Role

MOST_CHALLENGERS = 2
"""Each costs the worker as much as the champion."""
Action = Literal["serve", "challenge", "withdraw", "promote", "rollback", "retire"]


def following(
    log: Sequence[Deployment],
    model: str,
    action: Action,
    version: str | None = None,
    *,
    fingerprint: str,
    time: int,
    decided_by: str,
    why: str,
    evidence: Mapping[str, float] | None = None,
    force: bool = False,
) -> Deployment:
    """Return the decision that follows the log of a model, its decisions in their order.

    `serve` and, with `force`, `promote` take any version, else a challenger; `rollback` reverts the last of these, and
    once more the one before. If the features' `fingerprint` differs from that of the last decision, the previous roles
    are dropped. `time` is epoch ms. Raises ValueError with one line if there is no such decision.
    """
    now = log[-1] if log and log[-1].fingerprint == fingerprint else None
    champion, challengers, standby = _after(log, now, model, action, version, force)
    return Deployment(
        model=model,
        number=log[-1].number + 1 if log else 1,
        action=action,
        champion=champion,
        fingerprint=fingerprint,
        time=time,
        challengers=[name for name in challengers if name not in (champion, standby)],
        standby=standby if standby != champion else None,
        decided_by=decided_by,
        why=why,
        evidence=None
        if evidence is None
        else {name: _limited(value) for name, value in evidence.items() if not isnan(value)},
    )


def _limited(value: float) -> float:
    """Return a number as a record may carry it: wealth grows without bound, and is limited to the largest value."""
    return min(max(value, -MOST_VALUE), MOST_VALUE)


def champions(log: Sequence[Deployment]) -> list[str]:
    """Return the champion and those that a rollback leads back to, the champion last; none after a retirement."""
    results: list[str] = []
    fingerprint = ""
    for decision in log:
        if decision.fingerprint != fingerprint:
            results, fingerprint = [], decision.fingerprint
        if decision.action == "retire":
            results = []
        elif decision.action == "rollback":
            results.pop()
        elif decision.action in ("serve", "promote") and decision.champion is not None:
            results.append(decision.champion)
    return results


def roles(deployment: Deployment) -> dict[str, Role]:
    """Return the role of each version after a decision, the champion first."""
    values: dict[str, Role] = {} if deployment.champion is None else {deployment.champion: "champion"}
    values |= dict.fromkeys(deployment.challengers, "challenger")
    return values if deployment.standby is None else values | {deployment.standby: "standby"}


def _after(
    log: Sequence[Deployment],
    now: Deployment | None,
    model: str,
    action: Action,
    version: str | None,
    force: bool,
) -> tuple[str | None, list[str], str | None]:
    """Return champion, challengers and standby after the action."""
    if action in ("rollback", "retire"):
        if now is None or now.champion is None:
            raise ValueError(f"model {model!r} does not serve: there is nothing to {_verb(action)}")
        return _back(log, now) if action == "rollback" else (None, [], None)
    if version is None:
        raise ValueError(f"to {action} needs a version of model {model!r}")
    if action == "serve" or (action == "promote" and force):
        if now is not None and now.champion == version:
            raise ValueError(f"version {version} of model {model!r} is the champion already")
        return (version, [], None) if now is None else (version, now.challengers, now.champion)
    if now is None or now.champion is None:
        raise ValueError(f"model {model!r} does not serve: there is no champion beside whom to {action} {version}")
    if action == "challenge":
        return _challenged(now, version)
    if version not in now.challengers:
        there = f"{', '.join(now.challengers)} challenge it" if now.challengers else "it has none"
        raise ValueError(f"version {version} is no challenger of model {model!r}: {there}")
    if action == "promote":
        return version, now.challengers, now.champion
    return now.champion, [name for name in now.challengers if name != version], now.standby


def _challenged(now: Deployment, version: str) -> tuple[str | None, list[str], str | None]:
    if version == now.champion or version in now.challengers:
        role = "the champion" if version == now.champion else "a challenger"
        raise ValueError(f"version {version} of model {now.model!r} is {role} already")
    if len(now.challengers) >= MOST_CHALLENGERS:
        raise ValueError(
            f"model {now.model!r} has {', '.join(now.challengers)} as challengers already: withdraw one of them first"
        )
    return now.champion, [*now.challengers, version], None if now.standby == version else now.standby


def _back(log: Sequence[Deployment], now: Deployment) -> tuple[str | None, list[str], str | None]:
    before = champions(log)
    if len(before) < 2:
        raise ValueError(
            f"version {now.champion} is the first of model {now.model!r} on these features: there is none to go back to"
        )
    return before[-2], now.challengers, now.champion


def _verb(action: Action) -> str:
    return "take back" if action == "rollback" else action
