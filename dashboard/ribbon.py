"""The regime of each bar as runs of equal state."""

from collections.abc import Iterable
from dataclasses import dataclass

from topics.units import interval_ms


@dataclass(frozen=True)
class Run:
    """A state that held from `start` to `end` [ms, exclusive]."""

    state: str
    start: float
    end: float


def runs(states: Iterable[tuple[float, str]], interval: str) -> list[Run]:
    """Join bars (time, state), ascending in time, to runs; a missing bar ends a run, so that a gap stays a gap.

    >>> runs([(0, "calm"), (60_000, "calm")], "1m")
    [Run(state='calm', start=0, end=120000)]
    """
    step = interval_ms(interval)
    found: list[Run] = []
    for time, state in states:
        if found and found[-1].state == state and found[-1].end == time:
            found[-1] = Run(state, found[-1].start, time + step)
        else:
            found.append(Run(state, time, time + step))
    return found
