"""The model monitor's decisions: promote a winner, withdraw a loser, revert a refused version."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from learning.monitoring.e_test import ChampionChallengerTest
from learning.monitoring.scorer import Pair
from models.serving.deployment import Action
from settings import Settings
from topics.records import Deployment, ModelEvent

DAY_MS = 86_400_000


class Decision(NamedTuple):
    """The arguments of `learning.deployment.ledger.Ledger.decide`, after deployment `number` of the model."""

    model: str
    number: int
    action: Action
    version: str | None
    decided_by: str
    why: str
    evidence: Mapping[str, float] | None = None


def due(
    deployments: Iterable[Deployment],
    refused: Iterable[ModelEvent],
    trials: Mapping[Pair, ChampionChallengerTest],
    newest: int,
    settings: Settings,
) -> list[Decision]:
    """Return the decisions due now, at most one per model.

    `refused` are the versions that a worker could not put into service; only those of a model's newest deployment
    count. `newest` is the time of the newest bar (epoch ms): a challenger's days are counted in event time.
    """
    events = list(refused)
    decisions = []
    for one in deployments:
        if one.champion is not None:
            against = [event for event in events if (event.model, event.number) == (one.model, one.number)]
            decision = _refused(one, against) or _tried(one, trials, newest, settings)
            decisions += [decision] if decision else []
    return decisions


def _refused(one: Deployment, events: list[ModelEvent]) -> Decision | None:
    for event in events:
        why = f"a worker refused version {event.version}: {event.reason or 'no reason given'}"
        if event.version == one.champion:
            return Decision(one.model, one.number, "rollback", None, "a worker's refusal", why)
        if event.version in one.challengers:
            return Decision(one.model, one.number, "withdraw", event.version, "a worker's refusal", why)
    return None


def _tried(
    one: Deployment, trials: Mapping[Pair, ChampionChallengerTest], newest: int, settings: Settings
) -> Decision | None:
    against = {name: trials.get(Pair(one.model, one.champion or "", name)) for name in one.challengers}
    known = {name: trial for name, trial in against.items() if trial is not None}
    verdicts = {name: trial.result for name, trial in known.items() if trial.result is not None}
    won = [name for name, verdict in verdicts.items() if verdict.outcome == "won"]
    if won and settings.promote:
        best = max(won, key=lambda name: verdicts[name].evidence["e_value"])
        verdict = verdicts[best]
        return _judged(
            one, "promote", best, f"better than {one.champion}: {_evidence_text(verdict.evidence)}", verdict.evidence
        )
    for name, trial in known.items():
        if name in verdicts and verdicts[name].outcome == "lost":
            why, evidence = (
                f"worse than {one.champion}: {_evidence_text(verdicts[name].evidence)}",
                verdicts[name].evidence,
            )
            return _judged(one, "withdraw", name, why, evidence)
        if name not in won and trial.first is not None and newest - trial.first > settings.challenger_days * DAY_MS:
            why = f"not shown to be better within {settings.challenger_days:g} days: {_evidence_text(trial.summary())}"
            return _judged(one, "withdraw", name, why, trial.summary())
    return None


def _judged(one: Deployment, action: Action, version: str, why: str, evidence: Mapping[str, float]) -> Decision:
    return Decision(one.model, one.number, action, version, "sequential test", why, evidence)


def _evidence_text(evidence: Mapping[str, float]) -> str:
    gains = ", ".join(
        f"{value:+.2%} at {name.removeprefix('gain_')}" for name, value in evidence.items() if name.startswith("gain_")
    )
    mean = f"{evidence['weighted_gain']:+.2%}" if "weighted_gain" in evidence else "unknown"
    return (
        f"e-value {evidence['e_value']:.3g} ({evidence['e_value_against']:.3g} against it) after "
        f"{evidence['bars']:,.0f} bars, weighted gain {mean} (more than {evidence['margin']:.2%} asked), {gains}"
    )
