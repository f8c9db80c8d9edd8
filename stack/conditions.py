"""The present condition of each component, from the supervisor's state and the component's own answer."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from observability.condition import Condition, looped
from observability.probe import asked
from settings import Settings
from stack import state
from stack.state import StackState, Status

ASK_S = 2.0


@dataclass(frozen=True)
class ComponentSummary:
    """A component's condition in a word, with the reason; `good`: no attention is needed."""

    name: str
    word: str
    why: str
    good: bool


def shown(settings: Settings) -> list[ComponentSummary]:
    """Return the summary of each component except steps; nothing if no supervisor runs here."""
    current = state.read(settings.home)
    if current is None or not current.running():
        return []
    fields = now(settings, current)
    component_summaries = []
    for name, status in current.components.items():
        if name in fields:
            component_summaries.append(ComponentSummary(name, fields[name].word, fields[name].why, fields[name].good()))
        elif not status.once:
            component_summaries.append(ComponentSummary(name, status.state, status.last_error or "", status.good()))
    return component_summaries


def now(settings: Settings, current: StackState | None) -> dict[str, Condition]:
    """Return the condition of each component that has one: neither starting nor ended.

    Those with a condition of their own are queried; the state of a supervisor that has ended is not used, nor its entry
    for a process that has ended.
    """
    if current is None or not current.running():
        return {}
    known = {name: status for name, status in current.components.items() if status.condition() is not None}
    with ThreadPoolExecutor(max_workers=16) as pool:
        return dict(zip(known, pool.map(lambda name: one(settings, name, known[name]), known), strict=True))


def one(settings: Settings, name: str, status: Status) -> Condition:
    """Return the condition of a component that has one."""
    condition = status.condition()
    assert condition is not None  # noqa: S101 - for mypy: the caller asks for no other
    identity, port = status.identity(), settings.metrics_ports.get(name)
    if status.external or (identity is None and condition.word == "looping"):
        return condition
    if identity is None or not identity.alive():
        gone = Condition(
            word="unknown", why=f"its process {status.pid} is gone, and the supervisor has not noticed yet"
        )
        return looped(gone, status.restarted_at, time.time())
    if port is None:
        return condition
    return looped(asked(port, ASK_S), status.restarted_at, time.time())
