"""The sums of a batch's scores by series, hour and role, so that queries need not sum the outcomes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from storage.surrogate_keys import Key

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Letters = npt.NDArray[np.uint8]
HOUR_MS, HOUR_S, LETTERS = 3_600_000, 3_600, 256
CHAMPION, SCORED = b"cs"
MODEL = 2
"""The place of the model in a series' key."""


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """The columns of outcomes: letters as the table has them, hits as 0 and 1; NaN is unknown. `key` is of a row."""

    series: Ints
    times: Ints
    statuses: Letters
    roles: Letters
    pinball: Floats
    error: Floats
    naive_error: Floats
    interval_hit: Floats
    direction_hit: Floats
    key: Callable[[int], Key]


@dataclass(frozen=True)
class Sums:
    """Columns of `score_sums`, and the series and hours of all outcomes, scored or not; hours in seconds from 1970."""

    columns: tuple[Sequence[int] | Sequence[str] | Sequence[float | None], ...]
    touched: tuple[list[int], list[int]]


def sums(of: Outcomes) -> Sums:
    """Return the sums of a batch's scores."""
    hours = of.times // HOUR_MS
    # A series and hour is one number: a sort of these is much cheaper than one of pairs.
    first, span = int(hours.min()), int(hours.max() - hours.min()) + 1
    places = of.series * span + (hours - first)
    every = np.unique(places)
    touched = (every // span).tolist(), ((every % span + first) * HOUR_S).tolist()
    rows = np.flatnonzero(of.statuses == SCORED)
    if not len(rows):
        return Sums((), touched)
    pinball, error, naive_error, interval, direction = (
        column[rows] for column in (of.pinball, of.error, of.naive_error, of.interval_hit, of.direction_hit)
    )
    naive = _naive(of, rows)
    groups, members = np.unique(places[rows] * LETTERS + of.roles[rows], return_inverse=True)
    size, place = len(groups), groups // LETTERS

    def count(mask: npt.NDArray[np.bool_]) -> list[int]:
        result: list[int] = np.bincount(members[mask], minlength=size).tolist()
        return result

    def total(values: Floats, mask: npt.NDArray[np.bool_]) -> list[float | None]:
        result = np.bincount(members[mask], values[mask], size).tolist()
        return [value if known else None for value, known in zip(result, count(mask), strict=True)]

    known, pair = ~np.isnan(pinball), ~np.isnan(pinball) & ~np.isnan(naive)
    errors = ~np.isnan(error) & ~np.isnan(naive_error)
    return Sums(
        (
            ((place % span + first) * HOUR_S).tolist(),
            (place // span).tolist(),
            [chr(letter) for letter in groups % LETTERS],
            count(np.ones(len(rows), dtype=np.bool_)),
            count(pair),
            count(known & ~pair),
            count(~np.isnan(interval)),
            count(interval == 1),
            count(~np.isnan(direction)),
            count(direction == 1),
            total(pinball, pair),
            total(naive, pair),
            total(error, errors),
            total(naive_error, errors),
        ),
        touched,
    )


def _naive(of: Outcomes, rows: Ints) -> Floats:
    """Return the loss of the naive champion's newest version at the bar of each row, NaN if there is none."""
    series, times, pinball = of.series[rows], of.times[rows], of.pinball[rows]
    _, first, members = np.unique(series, return_index=True, return_inverse=True)
    keys = [of.key(int(row)) for row in rows[first]]
    numbers: dict[Key, int] = {}
    market = np.array([numbers.setdefault((*key[:MODEL], key[-1]), len(numbers)) for key in keys], dtype=np.int64)
    is_naive = np.array([key[MODEL] == "naive" for key in keys])
    moments, moment = np.unique(times, return_inverse=True)
    bars = market[members] * len(moments) + moment
    chosen = np.flatnonzero(is_naive[members] & (of.roles[rows] == CHAMPION))
    chosen = chosen[np.lexsort((series[chosen], bars[chosen]))]
    chosen = chosen[np.append(bars[chosen][1:] != bars[chosen][:-1], True)[: len(chosen)]]
    values = np.full(len(rows), np.nan)
    if len(chosen):
        at = np.minimum(np.searchsorted(bars[chosen], bars), len(chosen) - 1)
        same = bars[chosen][at] == bars
        values[same] = pinball[chosen][at[same]]
    return values
