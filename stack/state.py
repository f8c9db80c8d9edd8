"""The supervisor's state of each component, in a file for `status` and a second `up`."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, get_args

from observability.condition import LOOP_S, Condition, Word
from stack.process import Identity

Life = Literal["starting", "running", "restarting", "failed", "stopped", "done"]
"""The states of a process; `running` is for a step of the set-up."""
State = Life | Word
ON_THE_WAY = ("starting", "running", "done")
FILE = "state.json"


@dataclass(kw_only=True)
class Status:
    """One component; times in seconds since 1970, and `create_time` distinguishes its pid from a later process's.

    `why`, `since`, `until` and `works` are its condition's, if the state is one; `restarted_at` has the restarts of the
    last minutes, to detect a loop.
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
        """Return whether it is healthy, or starting."""
        return self.state in ON_THE_WAY or (self.works and self.state != "looping")

    def ready(self) -> bool:
        """Return whether it works, or is a finished step."""
        return self.works or self.state == "done"

    def take(self, condition: Condition) -> bool:
        """Set a condition; return whether anything changed."""
        known = (self.state, self.why, self.since, self.until, self.works)
        self.state, self.why, self.since, self.until, self.works = (
            *(condition.word, condition.why, condition.since, condition.until, condition.works),
        )
        return known != (self.state, self.why, self.since, self.until, self.works)

    def condition(self) -> Condition | None:
        """Return the condition, None while the process starts or stops."""
        if self.state in get_args(Life):
            return None
        return Condition(word=self.state, why=self.why, since=self.since, until=self.until, works=self.works)  # type: ignore[arg-type] # of what is neither beginning nor ending, as the line above sees to

    def restarted(self, now: float) -> None:
        """Count a restart."""
        self.restarts += 1
        self.restarted_at = [time for time in self.restarted_at if now - time <= LOOP_S] + [now]

    def identity(self) -> Identity | None:
        """Return the process, None when there is none."""
        return None if self.pid is None or self.create_time is None else Identity(self.pid, self.create_time)

    def given_up(self) -> bool:
        """Return whether it is no longer retried: an external server may come back by itself."""
        return self.state == "failed" and not self.external


@dataclass
class StackState:
    """The supervisor's process and its components."""

    supervisor: Identity
    components: dict[str, Status] = field(default_factory=dict)
    problem: str | None = None
    """When and why this could not be written last; None if it always could."""

    def running(self) -> bool:
        """Return whether the supervisor that wrote this still runs."""
        return self.supervisor.alive()


def write(home: Path, state: StackState) -> None:
    """Write the state atomically."""
    path = home / FILE
    new = path.with_suffix(".new")
    with new.open("w") as file:
        json.dump(asdict(state), file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def read(home: Path) -> StackState | None:
    """Return the state written last, None if there is no readable one."""
    try:
        result = json.loads((home / FILE).read_text())
        components = {name: Status(**status) for name, status in result["components"].items()}
        return StackState(Identity(**result["supervisor"]), components, result.get("problem"))
    except (OSError, ValueError, TypeError, KeyError):
        return None
