"""Which version of a model serves: the next decision about it, made of the decisions so far.

A version has one role at a time. There is one champion until the model is retired; the champion before is the shadow,
which goes on predicting, so that it can be taken back to at once.
"""

from collections.abc import Mapping, Sequence
from math import isnan
from typing import Literal

from topics.limits import MOST_VALUE
from topics.records import Deployment, Role

MOST_CHALLENGERS = 2
"""Each costs the worker as much as the champion does."""
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

    `serve` and, with `force`, `promote` take any version, else a challenger; `rollback` takes the last of these back,
    and once more the one before. Where the features' `fingerprint` is another than that of the last decision, nothing
    is left of the roles before. `time` is epoch ms. Raises ValueError with one line where there is no such decision.
    """
    now = log[-1] if log and log[-1].fingerprint == fingerprint else None
    champion, challengers, shadow = _after(log, now, model, action, version, force)
    return Deployment(
        model,
        log[-1].number + 1 if log else 1,
        action,
        champion,
        fingerprint,
        time,
        [name for name in challengers if name not in (champion, shadow)],
        shadow if shadow != champion else None,
        decided_by,
        why,
        None if evidence is None else {name: _limited(value) for name, value in evidence.items() if not isnan(value)},
    )


def _limited(value: float) -> float:
    """Return a number as a record may carry it: wealth grows without end, and what is beyond tells no more."""
    return min(max(value, -MOST_VALUE), MOST_VALUE)


def champions(log: Sequence[Deployment]) -> list[str]:
    """Return the champion and those that a rollback leads back to, the champion last; none after a retirement."""
    found: list[str] = []
    fingerprint = ""
    for decision in log:
        if decision.fingerprint != fingerprint:
            found, fingerprint = [], decision.fingerprint
        if decision.action == "retire":
            found = []
        elif decision.action == "rollback":
            found.pop()
        elif decision.action in ("serve", "promote") and decision.champion is not None:
            found.append(decision.champion)
    return found


def roles(deployment: Deployment) -> dict[str, Role]:
    """Return the role of each version after a decision, the champion first."""
    found: dict[str, Role] = {} if deployment.champion is None else {deployment.champion: "champion"}
    found |= dict.fromkeys(deployment.challengers, "challenger")
    return found if deployment.shadow is None else found | {deployment.shadow: "shadow"}


def _after(
    log: Sequence[Deployment],
    now: Deployment | None,
    model: str,
    action: Action,
    version: str | None,
    force: bool,
) -> tuple[str | None, list[str], str | None]:
    """Return champion, challengers and shadow after the action."""
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
    return now.champion, [name for name in now.challengers if name != version], now.shadow


def _challenged(now: Deployment, version: str) -> tuple[str | None, list[str], str | None]:
    if version == now.champion or version in now.challengers:
        role = "the champion" if version == now.champion else "a challenger"
        raise ValueError(f"version {version} of model {now.model!r} is {role} already")
    if len(now.challengers) >= MOST_CHALLENGERS:
        raise ValueError(
            f"model {now.model!r} has {', '.join(now.challengers)} as challengers already: withdraw one of them first"
        )
    return now.champion, [*now.challengers, version], None if now.shadow == version else now.shadow


def _back(log: Sequence[Deployment], now: Deployment) -> tuple[str | None, list[str], str | None]:
    before = champions(log)
    if len(before) < 2:
        raise ValueError(
            f"version {now.champion} is the first of model {now.model!r} on these features: there is none to go back to"
        )
    return before[-2], now.challengers, now.champion


def _verb(action: Action) -> str:
    return "take back" if action == "rollback" else action
