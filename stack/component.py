"""The supervisor's description of one process: its start, check and stop."""

import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from observability.condition import Condition


@dataclass(frozen=True, kw_only=True)
class Component:
    """A server or a worker; if `once`, a step that runs to its end; without `launch`, an external server.

    `launch` prepares the data folder and returns the command; it runs in a thread before every start and may block.
    `check` returns the component's condition, None if it is healthy, and raises if it does not answer properly. `needs`
    names the components that must work (or be done) before.
    """

    name: str
    launch: Callable[[], list[str]] | None
    check: Callable[[], Awaitable[Condition | None]] | None = None
    address: str = ""
    needs: tuple[str, ...] = ()
    once: bool = False
    user: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_signal: signal.Signals = signal.SIGTERM
    stop_wait_s: float = 20.0
    start_wait_s: float = 90.0


def in_order(components: tuple[Component, ...]) -> tuple[Component, ...]:
    """Return the components with needs that name only components of the table.

    Raises ValueError for a name used twice or for needs that form a circle.
    """
    names = [component.name for component in components]
    if len(set(names)) != len(names):
        raise ValueError(f"a component's name is used twice: {', '.join(names)}")
    placed: list[Component] = []
    waiting = list(components)
    while waiting:
        known = {component.name for component in placed}
        ready = [c for c in waiting if all(need in known or need not in names for need in c.needs)]
        if not ready:
            raise ValueError(f"components wait for each other: {', '.join(c.name for c in waiting)}")
        placed += ready
        waiting = [component for component in waiting if component not in ready]
    return tuple(placed)
