"""What the supervisor knows of each component, written where `status` and a second `up` read it."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, get_args

from stack.process import Identity
from stream.condition import LOOP_S, Condition, Word

Life = Literal["starting", "running", "restarting", "failed", "stopped", "done"]
"""How far a process is; `running` is a step of the set-up."""
State = Life | Word
ON_THE_WAY = ("starting", "running", "done")
FILE = "state.json"


@dataclass
class Status:
    """One component; times in seconds since 1970, and `create_time` tells its pid from a later process'.

    `why`, `since`, `until` and `works` are its condition's, where the state is one; `restarted_at` holds the restarts
    of the last minutes, those that make a loop.
    """

    state: State
    address: str = ""
    once: bool = False
    external: bool = False
    pid: int | None = None
    create_time: float | None = None
    started_at: float | None = None
    restarts: int = 0
    last_error: str | None = None
    why: str = ""
    since: float | None = None
    until: float | None = None
    works: bool = False
    restarted_at: list[float] = field(default_factory=list)

    def good(self) -> bool:
        """Tell whether it is well, or on its way."""
        return self.state in ON_THE_WAY or (self.works and self.state != "looping")

    def ready(self) -> bool:
        """Tell whether it works, or was a step and is done."""
        return self.works or self.state == "done"

    def take(self, found: Condition) -> bool:
        """Take a condition over; tell whether anything is new."""
        known = (self.state, self.why, self.since, self.until, self.works)
        self.state, self.why, self.since, self.until, self.works = (
            *(found.word, found.why, found.since, found.until, found.works),
        )
        return known != (self.state, self.why, self.since, self.until, self.works)

    def told(self) -> Condition | None:
        """Return the condition, None while the process only begins or ends."""
        if self.state in get_args(Life):
            return None
        return Condition(self.state, self.why, self.since, self.until, self.works)  # type: ignore[arg-type]

    def restarted(self, now: float) -> None:
        """Count a restart."""
        self.restarts += 1
        self.restarted_at = [time for time in self.restarted_at if now - time <= LOOP_S] + [now]

    def identity(self) -> Identity | None:
        """Return the process, None when there is none."""
        return None if self.pid is None or self.create_time is None else Identity(self.pid, self.create_time)

    def given_up(self) -> bool:
        """Tell whether nobody tries any more: a server of somebody else's may come back by itself."""
        return self.state == "failed" and not self.external


@dataclass
class StackState:
    """The supervisor's process and its components."""

    supervisor: Identity
    components: dict[str, Status] = field(default_factory=dict)
    problem: str | None = None
    """When and why this could not be written last; None where it always could."""

    def running(self) -> bool:
        """Tell whether the supervisor that wrote this still runs."""
        return self.supervisor.alive()


def write(home: Path, state: StackState) -> None:
    """Write the state; a reader sees the old one or the new one, never a part."""
    path = home / FILE
    new = path.with_suffix(".new")
    with new.open("w") as file:
        json.dump(asdict(state), file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def read(home: Path) -> StackState | None:
    """Return the state written last, None when there is none that can be read."""
    try:
        found = json.loads((home / FILE).read_text())
        components = {name: Status(**status) for name, status in found["components"].items()}
        return StackState(Identity(**found["supervisor"]), components, found.get("problem"))
    except (OSError, ValueError, TypeError, KeyError):
        return None
