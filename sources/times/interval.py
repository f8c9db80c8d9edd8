"""The interval of a file's bars, by the steps between them and the file's name; rows that are off the interval.

A quiet pair has no row for a minute without a trade: the commonest step may be two minutes, the interval is one.
"""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from sources.errors import SourceError, UnknownFormatError
from sources.markets.file_name import month_in
from sources.tables.columns import Array
from sources.times.timestamps import DAY, UNREADABLE
from topics.units import interval_ms, interval_name

SECOND = 1_000
MONTH = 28 * DAY
"""The shortest month (ms)."""
FEWEST_ALIKE = 3
"""Steps that, where all are one multiple of the named interval, are no gaps of a quiet pair."""
MOST_BESIDE = 0.05
"""The share of steps that may be no whole number of intervals: rows that are shifted, or impossible."""
FEWEST_STEPS = 20
"""Steps of which one must be the interval itself: bars of a quiet pair follow each other at times."""
MOST_DISTINCT, MOST_CANDIDATES = 100_000, 100
"""Different times that are counted, and steps that are looked at as the interval: those of bars are few."""
FEW = 2_000
"""Times that are sorted sooner than a day's seconds are counted."""
FEWEST_SHIFTED = 5
"""Rows that stand beside the interval by the same time: fewer are impossible ones, not a shift of the venue's."""


@dataclass
class Steps:
    """What is counted of a file's times: the steps between neighbouring rows of one symbol, and the times of day."""

    steps: Counter[int] = field(default_factory=Counter)
    of_day: Counter[int] = field(default_factory=Counter)

    def add(self, time: Array, groups: Array) -> None:
        """Count the times [n] of a chunk; `groups` [n] tells the symbols apart."""
        alike = len(groups) > 0 and (groups == groups[0]).all()
        for group in groups[:1] if alike else np.unique(groups):
            known = time[time != UNREADABLE] if alike else time[(groups == group) & (time != UNREADABLE)]
            moves = np.diff(known)
            if len(moves) and not (moves > 0).all():
                moves = np.diff(np.unique(known))
            _count(self.steps, moves)
            _count_of_day(self.of_day, known % DAY)

    def shifts(self, interval: int) -> frozenset[int]:
        """Return by how many ms rows may stand after the start of their interval and still mean it.

        All where each row has the last second of its interval; else those that at least `FEWEST_SHIFTED` rows have,
        where most rows stand at the start: after maintenance Binance's minutes began at another second.
        """
        beside: Counter[int] = Counter()
        for time, rows in self.of_day.items():
            beside[time % interval] += rows
        total, aligned = beside.total(), beside[0]
        ends = {shift for shift in beside if interval - shift <= SECOND}
        if not aligned and sum(beside[shift] for shift in ends) >= (1 - MOST_BESIDE) * total:
            return frozenset(ends)
        if 2 * aligned < total:
            return frozenset()
        return frozenset(shift for shift, rows in beside.items() if shift and rows >= FEWEST_SHIFTED)


def _count(counter: Counter[int], values: Array) -> None:
    if len(values) and len(counter) < MOST_DISTINCT:
        others = values[values != values[0]]  # few, where the rows are regular
        counter[int(values[0])] += len(values) - len(others)
        result, counts = np.unique(others, return_counts=True)
        counter.update(dict(zip(result.tolist(), counts.tolist(), strict=True)))


def _count_of_day(counter: Counter[int], values: Array) -> None:
    """Count times of the day (ms): many whole seconds are counted without sorting them."""
    seconds, beyond = np.divmod(values, SECOND)
    if len(values) < FEW or beyond.any() or len(counter) >= MOST_DISTINCT:
        _count(counter, values)
        return
    counts = np.bincount(seconds)
    result = np.flatnonzero(counts)
    counter.update(dict(zip((result * SECOND).tolist(), counts[result].tolist(), strict=True)))


def decide(steps: Counter[int], named: tuple[str, bool] | None, file: str, rows: int = 1) -> tuple[str, str]:
    """Return the interval, and in words the evidence for it.

    `named` is what the file's name says, and whether with its unit; `rows` how many there are. Raises SourceError if
    nothing tells it, or where the name and the rows contradict each other.
    """
    if (word := month_in(file)) is not None and (not steps or commonest(steps) >= MONTH):
        raise SourceError(
            f"{file}: {word} in its name is months, and bars of those are not served: the longest interval is 1d; "
            "where it is minutes, give --interval"
        )
    if named is not None and _may_be(steps, *named):
        return named[0], "the file's name" + (" and the steps of its rows" if steps else "")
    if not steps and not rows:
        raise UnknownFormatError(f"{file}: the file has a header and no rows")
    if not steps and rows > 1:
        raise SourceError(
            f"{file}: no two of its {rows} rows are of one symbol and different times, which would tell the interval; "
            "give it with --interval where the times are right"
        )
    if not steps:
        raise SourceError(f"{file}: one row does not determine the interval of its bars; give it with --interval")
    result = _observed(steps)
    if result is None or result % SECOND:
        raise SourceError(
            f"{file}: its rows are {commonest(steps) / 1_000:g} s apart most often, and many others in no whole number "
            "of that; give the interval with --interval"
        )
    if named is not None and named[1]:
        raise SourceError(
            f"{file}: the name says {named[0]}, but the rows are {interval_name(result)} apart: give the true one with "
            "--interval"
        )
    return interval_name(result), "the steps of its rows"


def commonest(steps: Counter[int]) -> int:
    """Return the most common step; of equally common ones the shortest, so that the others are gaps."""
    return max(steps, key=lambda step: (steps[step], -step))


def _may_be(steps: Counter[int], name: str, with_unit: bool) -> bool:
    """Return whether rows with these steps can be of the interval that a file's name says.

    Of many steps one is the interval itself; and of any, where the name has but a number. Few that are all alike are
    not of a quiet pair.
    """
    size = interval_ms(name)
    if len(steps) == 1 and size not in steps and steps.total() >= FEWEST_ALIKE:
        return False
    seldom = size in steps or steps.total() < (FEWEST_STEPS if with_unit else 1)
    return seldom and 2 * _beside(steps, size) <= steps.total()


def _observed(steps: Counter[int]) -> int | None:
    """Return the largest step that occurs and of which nearly all others are a whole number; else the commonest, where
    most are a whole number of it.
    """
    fitting = [step for step, _ in steps.most_common(MOST_CANDIDATES) if _fits(steps, step)]
    if fitting:
        return max(fitting)
    most = commonest(steps)
    return most if 2 * _beside(steps, most) < steps.total() else None


def _beside(steps: Counter[int], size: int) -> int:
    return sum(rows for step, rows in steps.items() if step % size)


def _fits(steps: Counter[int], size: int) -> bool:
    """Return whether nearly all steps are a whole number of intervals of that size."""
    return _beside(steps, size) <= MOST_BESIDE * steps.total()
