"""Matches a batch of records with all rules: assigns records to each (rule, symbol), and folds."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec
from msgspec import Struct

from alerts.rules.fold import State, step
from alerts.rules.observation import Observation, observations
from alerts.rules.rule import Rule
from topics.records import Alert


class Key(NamedTuple):
    """The key of a state."""

    rule: str
    version: int
    subject: str


Work = dict[Key, tuple[Rule, list[Observation]]]
_states = msgspec.msgpack.Decoder(State)


def distribute(rules: Sequence[Rule], records: Mapping[str, Iterable[Struct]]) -> Work:
    """Return the observations of each (rule, symbol), in order; `records` are by the name of their kind."""
    work: Work = {}
    for rule in rules:
        for record in records.get(rule.on, ()):
            for seen in observations(rule, record):
                key = Key(rule.name, rule.version, seen.subject)
                work.setdefault(key, (rule, []))[1].append(seen)
    return work


def run(work: Work, states: Mapping[Key, State]) -> tuple[dict[Key, State], list[Alert]]:
    """Fold; return the states that changed, and the alerts in the order of their time."""
    changed: dict[Key, State] = {}
    alerts: list[Alert] = []
    for key, (rule, seen) in work.items():
        before = state = states.get(key, State())
        for observation in seen:
            state, alert = step(rule, state, observation)
            if alert is not None:
                alerts.append(alert)
        if state is not before:
            changed[key] = state
    return changed, sorted(alerts, key=lambda alert: alert.time)


def load(state: bytes) -> State:
    """Return a state from its bytes."""
    return _states.decode(state)


def dump(state: State) -> bytes:
    """Return a state's bytes."""
    return msgspec.msgpack.encode(state)
