"""What a soak is judged by. Pure: looks and lines in, figures and findings out."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median

GROWTH, SLACK_MIB = 1.10, 16.0
"""Memory is flat where a component's last quarter is no higher than its second by this share and so many MiB."""
WORKED_OFF = 200
"""Kafka records, of all topics together, that a reader may be behind while it keeps up: a second of the run's rate."""
QUARTERS = 4


@dataclass(frozen=True, kw_only=True)
class Look:
    """The stack at one moment: seconds since the beginning, MiB by component, records behind (None: unknown)."""

    at: float
    memory: Mapping[str, float]
    behind: int | None
    restarts: int
    unwell: Mapping[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class Figures:
    """What was found. Memory in MiB, lag in Kafka records of all topics together, each by quarter of the run."""

    minutes: float
    pace: str
    slow_from_s: float
    slow_until_s: float
    memory: dict[str, list[float]]
    lag_median: list[float]
    lag_most: list[int]
    lag_most_while_slow: int
    worked_off_s: float | None
    restarts: int
    unwell: dict[str, int]
    rows: dict[str, int] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    explained: dict[str, int] = field(default_factory=dict)
    unexplained: dict[str, int] = field(default_factory=dict)
    streamed: int = 0
    pulled: int = 0
    trainings: int = 0

    def as_json(self) -> dict[str, object]:
        """Return the figures as plain values."""
        return asdict(self)


def figures(looks: Sequence[Look], minutes: float, pace: str, slow: tuple[float, float]) -> Figures:
    """Return what the looks of a run say; `slow` is when the database was slow, in seconds of the run."""
    length = minutes * 60 / QUARTERS
    quarters = [[look for look in looks if n * length <= look.at < (n + 1) * length] for n in range(QUARTERS)]
    names = sorted({name for look in looks for name in look.memory})
    memory = {
        name: [round(median([look.memory[name] for look in q if name in look.memory] or [0.0]), 1) for q in quarters]
        for name in names
    }
    lags = [[look.behind for look in quarter if look.behind is not None] or [0] for quarter in quarters]
    unwell: defaultdict[str, int] = defaultdict(int)
    for look in looks:
        for name, state in look.unwell.items():
            unwell[f"{name} {state}"] += 1
    return Figures(
        minutes=minutes,
        pace=pace,
        slow_from_s=slow[0],
        slow_until_s=slow[1],
        memory=memory,
        lag_median=[median(lag) for lag in lags],
        lag_most=[max(lag) for lag in lags],
        lag_most_while_slow=max((look.behind or 0 for look in looks if slow[0] <= look.at <= slow[1]), default=0),
        worked_off_s=worked_off(looks, slow[1]),
        restarts=max((look.restarts for look in looks), default=0),
        unwell=dict(unwell),
    )


def worked_off(looks: Sequence[Look], since: float) -> float | None:
    """Return how long after `since` the readers had caught up; None if they had not."""
    for look in looks:
        if look.at >= since and look.behind is not None and look.behind <= WORKED_OFF:
            return round(look.at - since, 1)
    return None


def findings(result: Figures, ours: Sequence[str]) -> list[str]:
    """Return what is not as it is to be, a line each; `ours` are the components whose memory must be flat."""
    lines = []
    for name in ours:
        _, second, _, last = result.memory.get(name, [0.0] * QUARTERS)
        if not second:
            lines.append(f"{name}: its memory was not seen")
        elif last > second * GROWTH + SLACK_MIB:
            lines.append(f"{name}: {last:.0f} MiB in the last quarter, {second:.0f} in the second")
    if result.worked_off_s is None:
        lines.append(f"the lag was never again {WORKED_OFF} records or less after the database was slow")
    if result.lag_most_while_slow <= WORKED_OFF:
        lines.append("the database was not slow enough to be felt: nothing was shown")
    if result.restarts:
        lines.append(f"{result.restarts} restarts")
    lines += result.missing
    lines += [f"{count} times unexplained: {line}" for line, count in result.unexplained.items()]
    if not result.streamed or result.pulled < result.minutes:
        lines.append(f"the API streamed {result.streamed} events, the page was shown {result.pulled} times")
    return lines
