"""The interval of a file's bars, told by the steps between them and by the file's name; rows that stand beside it.

A quiet pair has no row for a minute without a trade: the commonest step may be two minutes, the interval is one.
"""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from sources.columns import Array
from sources.errors import SourceError
from sources.times import DAY, UNREADABLE
from topics.units import interval_ms, interval_name

SECOND = 1_000
MOST_BESIDE = 0.05
"""The share of steps that may be no whole number of intervals: rows that are shifted, or impossible."""
FEWEST_STEPS = 20
"""Steps of which one must be the interval itself: bars of a quiet pair follow each other at times."""
MOST_DISTINCT, MOST_CANDIDATES = 100_000, 100
"""Different times that are counted, and steps that are looked at as the interval: those of bars are few."""
FEWEST_SHIFTED = 5
"""Rows that stand beside the interval by the same time: fewer are impossible ones, not a shift of the venue's."""


@dataclass
class Steps:
    """What is counted of a file's times: the steps between neighbouring rows of one symbol, and the times of day."""

    steps: Counter[int] = field(default_factory=Counter)
    of_day: Counter[int] = field(default_factory=Counter)

    def add(self, time: Array, groups: Array) -> None:
        """Count the times [n] of a chunk; `groups` [n] tells the symbols apart."""
        for group in np.unique(groups):
            known = time[(groups == group) & (time != UNREADABLE)]
            moves = np.diff(known)
            if len(moves) and not (moves > 0).all():
                moves = np.diff(np.unique(known))
            _count(self.steps, moves)
            _count(self.of_day, known % DAY)

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
        if (values == values[0]).all():
            counter[int(values[0])] += len(values)
            return
        found, counts = np.unique(values, return_counts=True)
        counter.update(dict(zip(found.tolist(), counts.tolist(), strict=True)))


def decide(steps: Counter[int], named: tuple[str, bool] | None, file: str) -> tuple[str, str]:
    """Return the interval, and in words what tells it.

    `named` is what the file's name says, and whether with its unit. Raises SourceError where nothing tells it, or where
    the name and the rows contradict each other.
    """
    if named is not None and _may_be(steps, *named):
        return named[0], "the file's name" + (" and the steps of its rows" if steps else "")
    if not steps:
        raise SourceError(f"{file}: one row does not tell the interval of its bars; give it with --interval")
    found = _observed(steps)
    if found is None or found % SECOND:
        raise SourceError(
            f"{file}: its rows are {commonest(steps) / 1_000:g} s apart most often, and many others in no whole number "
            "of that; give the interval with --interval"
        )
    if named is not None and named[1]:
        raise SourceError(
            f"{file}: the name says {named[0]}, but the rows are {interval_name(found)} apart: give the true one with "
            "--interval"
        )
    return interval_name(found), "the steps of its rows"


def commonest(steps: Counter[int]) -> int:
    """Return the most common step; of equally common ones the shortest, so that the others are gaps."""
    return max(steps, key=lambda step: (steps[step], -step))


def _may_be(steps: Counter[int], name: str, with_unit: bool) -> bool:
    """Tell whether rows with these steps can be of the interval that a file's name says.

    Of many steps one is the interval itself; and of any, where the name has but a number.
    """
    size = interval_ms(name)
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
    """Tell whether nearly all steps are a whole number of intervals of that size."""
    return _beside(steps, size) <= MOST_BESIDE * steps.total()
