"""Looks at the running stack again and again: what must hold whatever comes."""

import re
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench.fuzz.impossible_rows import impossible
from bench.fuzz.pages import garbled, unanswered
from bench.fuzz.stack import FuzzedStack
from stack import state

WITHIN_S = 60.0
"""In which a witness' predictions are stored after their bars were sent, on a machine with other work too; at an eighth
of it the fuzz waits, so that it is no flood that is measured."""
NOT_GOOD_S = 60.0
EVERY_S = 5.0
TABLES_EVERY_S = 60.0
DECIDED = "SELECT * FROM model_deployments ORDER BY model, number"
NEWEST = """
SELECT (extract(epoch FROM min(newest)) * 1000)::int8 FROM (
    SELECT (SELECT max(time) FROM prediction_rows AS p WHERE p.series_id = s.series_id) AS newest
    FROM series AS s WHERE symbol = ANY(%s) AND interval = '1m' AND horizon = 1 AND model = 'naive'
) AS each
"""
BAD_LINE = re.compile(r"^\S+ \S+ CRITICAL |^Traceback \(most recent call last\)", re.MULTILINE)


@dataclass
class Logs:
    """The logs' new lines; what is in them when it is made is known."""

    folder: Path
    places: dict[Path, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.bad()

    def bad(self) -> list[str]:
        """Return the lines of level CRITICAL and the tracebacks since the call before."""
        lines = []
        for path in sorted(self.folder.glob("*.log")):
            if path.name in ("kafka.log", "postgres.log", "redis.log"):
                continue
            with path.open("rb") as file:
                file.seek(self.places.get(path, 0))
                text = file.read().decode(errors="replace")
                self.places[path] = file.tell()
            lines += [
                f"{path.name}: {text[match.start() : match.start() + 1_500]}" for match in BAD_LINE.finditer(text)
            ]
        return lines


@dataclass(kw_only=True)
class Look:
    """What is wrong, if anything. `sent_time` says up to which bar the witnesses' input has gone in, epoch ms."""

    world: FuzzedStack
    witnesses: tuple[str, ...]
    sent_time: Callable[[], int]
    slowest_s: float = 0.0
    near: bool = True
    memory: dict[str, dict[str, float]] = field(default_factory=dict)
    sql_s: float = 0.0

    def __post_init__(self) -> None:
        self._logs = Logs(self.world.home / "logs")
        self._components = self.world.components()
        self._decided = self.world.asked(DECIDED)
        self._listed = self._serving()
        self._sent: deque[tuple[float, int]] = deque()
        self._not_good: dict[str, float] = {}
        self._tables = time.monotonic()

    def wrong(self, everything: bool = False) -> list[str]:
        """Return what does not hold, a line each."""
        lines = self._processes() + self._logs.bad() + self._behind()
        since = time.monotonic() - self._tables
        if everything or since > max(TABLES_EVERY_S, 10 * self.sql_s):
            begun = time.monotonic()
            lines += impossible(self.world.asked) + unanswered(self.world)
            self._tables, self.sql_s = time.monotonic(), time.monotonic() - begun
            if self.world.asked(DECIDED) != self._decided:
                lines.append(f"model_deployments has changed: {self.world.asked(DECIDED)}")
        if everything:
            lines += garbled(self.world)
        if everything and (listed := self._serving()) != self._listed:
            lines.append(f"models list says {listed} and said {self._listed}")
        return lines

    def remember(self, when: str) -> None:
        """Note the memory of now."""
        self.memory[when] = self.world.memory()

    def _serving(self) -> list[list[str]]:
        """Return model, role and version of what serves; its age is by the newest bar of all, and so changes."""
        return [line.split()[:3] for line in self.world.foretick("models", "list").splitlines()]

    def _processes(self) -> list[str]:
        lines = []
        values = self.world.components()
        if values != self._components:
            changed = {name: (self._components.get(name), one) for name, one in values.items()}
            lines.append(f"processes and restarts have changed: { {n: c for n, c in changed.items() if c[0] != c[1]} }")
        current = state.read(self.world.home)
        for name, one in (current.components if current else {}).items():
            if one.good():
                self._not_good.pop(name, None)
            elif time.monotonic() - self._not_good.setdefault(name, time.monotonic()) > NOT_GOOD_S:
                lines.append(f"{name} is {one.state} {one.why} for over {NOT_GOOD_S:.0f} s")
        return lines

    def _behind(self) -> list[str]:
        """Return whether a witness' predictions are late; note how late they are."""
        now, sent = time.monotonic(), self.sent_time()
        ((newest,),) = self.world.asked(NEWEST, list(self.witnesses))
        stored = int(newest or 0)
        self._sent.append((now, sent))
        while self._sent and self._sent[0][1] <= stored:
            self._sent.popleft()
        late = now - self._sent[0][0] if self._sent else 0.0
        self.slowest_s = max(self.slowest_s, late)
        self.near = late < WITHIN_S / 8
        return [f"a witness' predictions are {late:.0f} s late ({stored} of {sent})"] if late > WITHIN_S else []
