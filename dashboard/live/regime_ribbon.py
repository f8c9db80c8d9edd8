"""The regime of each bar as runs of equal state."""

from collections.abc import Iterable
from dataclasses import dataclass

from topics.units import interval_ms


@dataclass(frozen=True)
class RegimeSpan:
    """A state that held from `start` to `end` [ms, exclusive]."""

    state: str
    start: float
    end: float


def runs(states: Iterable[tuple[float, str]], interval: str) -> list[RegimeSpan]:
    """Join bars (time, state), ascending in time, to runs; a missing bar ends a run, so that a gap stays a gap.

    >>> runs([(0, "calm"), (60_000, "calm")], "1m")
    [RegimeSpan(state='calm', start=0, end=120000)]
    """
    step = interval_ms(interval)
    regime_spans: list[RegimeSpan] = []
    for time, state in states:
        if regime_spans and regime_spans[-1].state == state and regime_spans[-1].end == time:
            regime_spans[-1] = RegimeSpan(state, regime_spans[-1].start, time + step)
        else:
            regime_spans.append(RegimeSpan(state, time, time + step))
    return regime_spans
