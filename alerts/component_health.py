"""The components' states, as last written by the supervisor."""

from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from topics.limits import Count, Name, Time

ComponentState = Literal[
    "starting",
    "running",
    "restarting",
    "failed",
    "stopped",
    "done",
    "healthy",
    "waiting",
    "lagging",
    "looping",
    "stuck",
    "unknown",
]
FILE = "state.json"
COMPONENTS = (
    *("kafka", "postgres", "redis", "mlflow", "worker", "persist", "watch", "trainer", "alerts", "dashboard", "api"),
    *("prepare", "train", "deploy", "sample"),
)
"""The states that the supervisor may write: its table is in `stack.component_table`, which reads all servers'
settings."""


class ComponentHealth(Struct, frozen=True, kw_only=True):
    """The state of one component at `time`."""

    component: Name
    time: Time
    state: ComponentState
    restarts: Count = 0
    error: str | None = None


class _Status(Struct):
    state: ComponentState
    restarts: Count = 0
    last_error: str | None = None


class _Stack(Struct):
    components: dict[str, _Status]


def read(home: Path, now: int) -> list[ComponentHealth]:
    """Return each component's state at `now` (epoch ms); nothing if no supervisor runs here."""
    try:
        stack = msgspec.json.decode((home / FILE).read_bytes(), type=_Stack)
    except (OSError, msgspec.MsgspecError):
        return []
    return [
        ComponentHealth(component=name, time=now, state=status.state, restarts=status.restarts, error=status.last_error)
        for name, status in stack.components.items()
    ]
