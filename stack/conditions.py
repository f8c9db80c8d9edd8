"""How each component is at this moment: what the supervisor wrote down, and what the component itself says to that."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from settings import Settings
from stack import state
from stack.state import StackState, Status
from stream.condition import Condition, looped
from stream.probe import asked

ASK_S = 2.0


@dataclass(frozen=True)
class Shown:
    """A component in a word, with why; `good`: nobody needs to look."""

    name: str
    word: str
    why: str
    good: bool


def shown(settings: Settings) -> list[Shown]:
    """Return what is to be shown of each component but the steps; nothing where no supervisor runs here."""
    current = state.read(settings.home)
    if current is None or not current.running():
        return []
    told = now(settings, current)
    found = []
    for name, status in current.components.items():
        if name in told:
            found.append(Shown(name, told[name].word, told[name].why, told[name].good()))
        elif not status.once:
            found.append(Shown(name, status.state, status.last_error or "", status.good()))
    return found


def now(settings: Settings, current: StackState | None) -> dict[str, Condition]:
    """Return the condition of each component that has one: neither begins nor has ended.

    Those that can tell are asked; what a supervisor that is gone wrote last is not believed, nor what it says of a
    process that is gone.
    """
    if current is None or not current.running():
        return {}
    known = {name: status for name, status in current.components.items() if status.told() is not None}
    with ThreadPoolExecutor(max_workers=16) as pool:
        return dict(zip(known, pool.map(lambda name: one(settings, name, known[name]), known), strict=True))


def one(settings: Settings, name: str, status: Status) -> Condition:
    """Return the condition of a component that has one."""
    told = status.told()
    assert told is not None  # noqa: S101 - for mypy: the caller asks for no other
    identity, port = status.identity(), settings.metrics_ports.get(name)
    if status.external or (identity is None and told.word == "looping"):
        return told
    if identity is None or not identity.alive():
        gone = Condition("unknown", f"its process {status.pid} is gone, and the supervisor has not said so yet")
        return looped(gone, status.restarted_at, time.time())
    if port is None:
        return told
    return looped(asked(port, ASK_S), status.restarted_at, time.time())
