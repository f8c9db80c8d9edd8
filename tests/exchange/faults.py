"""What can go wrong, on command: the state of every fault, and how long it lasts."""

import random
import time
from dataclasses import dataclass, field
from typing import Any

NAMES = ("drop", "stall", "duplicate", "reorder", "half", "busy", "down", "forget")
WINDOW = 40
"""Messages that are shuffled together: at 500 trades a second of a symbol less than a tenth of one."""


@dataclass
class Faults:
    """Until when (monotonic seconds) each lasts, how often each was, and how many messages were cut in half.

    ``drop``: connections are cut, and none is taken. ``stall``: sockets that are open say nothing any more, forever;
    new ones do. ``duplicate``, ``reorder``: messages of the sockets. ``half``: the next message of each socket is cut
    off. ``busy``: REST says 429, and for how long; ``down``: REST says 503. ``forget``: as drop, and REST does not have
    what was traded meanwhile.
    """

    until: dict[str, float] = field(default_factory=dict)
    luck: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311 - no secret
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(NAMES, 0))
    halves: int = 0

    def begin(self, name: str, seconds: float) -> None:
        """Let a fault last for so many seconds from now on."""
        self.until[name] = time.monotonic() + seconds
        self.counts[name] += 1

    def on(self, name: str) -> bool:
        """Return whether a fault lasts."""
        return time.monotonic() < self.until.get(name, 0.0)

    def left(self, name: str) -> float:
        """Return for how many seconds a fault lasts still."""
        return max(self.until.get(name, 0.0) - time.monotonic(), 0.0)

    @property
    def refuses(self) -> bool:
        """Whether no connection is taken."""
        return self.on("drop") or self.on("forget")


@dataclass(eq=False, kw_only=True)
class Socket:
    """One connection's streams, and what it does wrong: `mute` since a stall, `halved` where a message is to be cut."""

    connection: Any
    streams: set[str] = field(default_factory=set)
    combined: bool = False
    mute: bool = False
    halved: bool = False
    late: list[str] = field(default_factory=list)

    def outgoing(self, messages: list[str], faults: Faults) -> list[str]:
        """Return what is to be sent now, with the faults that last."""
        if self.mute:
            return []
        out = self.late + messages
        self.late = []
        if faults.on("reorder"):
            out, self.late = out[:-3], out[-3:]  # the last few come with the next
            for start in range(0, len(out), WINDOW):
                part = out[start : start + WINDOW]
                faults.luck.shuffle(part)
                out[start : start + WINDOW] = part
        if faults.on("duplicate"):
            out = [copy for message in out for copy in [message] * faults.luck.choice((1, 1, 2, 3))]
        if self.halved and out:
            self.halved = False
            faults.halves += 1
            place = len(out) // 2
            out[place] = out[place][: len(out[place]) // 2]
        return out
