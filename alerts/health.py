"""How the components are, as the supervisor wrote it down last."""

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


class Health(Struct, frozen=True):
    """What was seen of one component at `time`."""

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


def read(home: Path, now: int) -> list[Health]:
    """Return how each component is at `now` (epoch ms); nothing where no supervisor runs here."""
    try:
        found = msgspec.json.decode((home / FILE).read_bytes(), type=_Stack)
    except (OSError, msgspec.MsgspecError):
        return []
    return [
        Health(name, now, status.state, status.restarts, status.last_error) for name, status in found.components.items()
    ]
