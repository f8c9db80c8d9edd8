"""A regression of log variances that is refitted at each UTC day's end, from sums with exponential forgetting."""

from dataclasses import dataclass, fields
from math import exp, log
from typing import Self

import numpy as np

from features.compiled import compiled_and_kept
from features.frame import Floats, Ints
from models.json_type import JSON
from models.least_squares import DAY_MS


@compiled_and_kept
def inputs(past: Floats, floor: Floats, times: Ints, harmonics: int) -> Floats:
    """Return 1, the logarithms of `past` [n, W], at least `floor` [n], and sine and cosine of the time of day: [n, F].

    A row whose past or floor is unknown is NaN throughout.
    """
    windows = past.shape[1]
    x = np.full((len(past), 1 + windows + 2 * harmonics), np.nan)
    for row in range(len(past)):
        if np.isnan(past[row]).any() or np.isnan(floor[row]):
            continue
        x[row, 0] = 1.0
        for column in range(windows):
            x[row, 1 + column] = log(max(past[row, column], floor[row]))
        angle = 2 * np.pi * (times[row] % DAY_MS) / DAY_MS
        for order in range(harmonics):
            x[row, 1 + windows + 2 * order] = np.sin((order + 1) * angle)
            x[row, 2 + windows + 2 * order] = np.cos((order + 1) * angle)
    return x


@dataclass(kw_only=True)
class Regression:
    """The state of one symbol's regressions, as arrays that `walk` changes in place.

    `gram` [H, F, F] and `cross` [H, F] are sums over its own rows, `ratio` [H, 2] the sum of ratios of realised
    variances to the exponential of the output, and their number; `weights` [H, F] and `factor` [H] were fitted at the
    last day's end. `day` [1] is the number of the day, -1 before the first row.
    """

    gram: Floats
    cross: Floats
    ratio: Floats
    weights: Floats
    factor: Floats
    day: Ints

    @classmethod
    def start(cls, gram: Floats, cross: Floats, ratio: Floats) -> Self:
        """Return the initial state, without the prior's sums."""
        weights = np.array([np.linalg.solve(*part) for part in zip(gram, cross, strict=True)])
        factor = ratio[:, 0] / ratio[:, 1]
        none = np.array([-1], dtype=np.int64)
        return cls(
            gram=np.zeros(gram.shape),
            cross=np.zeros(cross.shape),
            ratio=np.zeros(ratio.shape),
            weights=weights,
            factor=factor,
            day=none,
        )

    @classmethod
    def of(cls, state: JSON) -> Self:
        """Read the output of `to_json`."""
        return cls(**{field.name: np.array(state[field.name]) for field in fields(cls)})

    def to_json(self) -> JSON:
        """Return it as plain lists."""
        return {field.name: getattr(self, field.name).tolist() for field in fields(self)}

    def walk(
        self,
        rows: Floats,
        old: int,
        at: Ints,
        realised: Floats,
        days: Ints,
        gram: Floats,
        cross: Floats,
        ratio: Floats,
        half_life: float,
    ) -> Floats:
        """Return the variances of a bar [n, H] of the rows from `old` on.

        `rows` [old + n, 1 + F + H] are the least variance, the inputs and the exponent that was said, which is written
        for the new rows. `realised` and `at` [old + n, H] are what came, NaN if unknown or learnt before, and at
        which new row. `days` [n]. `gram`, `cross` and `ratio` are the prior's sums. `half_life` is in days.
        """
        forget = 0.5 ** (1 / half_life)
        return _walk(
            self.gram,
            self.cross,
            self.ratio,
            self.weights,
            self.factor,
            self.day,
            rows,
            old,
            at,
            realised,
            days,
            gram,
            cross,
            ratio,
            forget,
        )


@compiled_and_kept
def _walk(  # noqa: PLR0913 - numba takes arrays and numbers, not records
    gram: Floats,
    cross: Floats,
    ratio: Floats,
    weights: Floats,
    factor: Floats,
    day: Ints,
    rows: Floats,
    old: int,
    at: Ints,
    realised: Floats,
    days: Ints,
    prior_gram: Floats,
    prior_cross: Floats,
    prior_ratio: Floats,
    forget: float,
) -> Floats:
    horizons, inputs = weights.shape
    first = np.zeros(horizons, dtype=np.int64)
    result = np.full((len(rows) - old, horizons), np.nan)
    for row in range(old, len(rows)):
        for column in range(horizons):
            while first[column] < row and at[first[column], column] <= row - old:
                place = first[column]
                came = realised[place, column]
                if not np.isnan(came) and not np.isnan(rows[place, 1]):
                    x = rows[place, 1 : 1 + inputs]
                    label = log(max(came, rows[place, 0]))
                    for name in range(inputs):
                        cross[column, name] += x[name] * label
                        for other in range(inputs):
                            gram[column, name, other] += x[name] * x[other]
                    ratio[column, 0] += came / exp(rows[place, 1 + inputs + column])
                    ratio[column, 1] += 1.0
                first[column] += 1
        if day[0] >= 0 and days[row - old] != day[0]:
            for column in range(horizons):
                weights[column] = np.linalg.solve(
                    prior_gram[column] + gram[column], prior_cross[column] + cross[column]
                )
                factor[column] = (prior_ratio[column, 0] + ratio[column, 0]) / (
                    prior_ratio[column, 1] + ratio[column, 1]
                )
            gram *= forget
            cross *= forget
            ratio *= forget
        day[0] = days[row - old]
        if not np.isnan(rows[row, 1]):
            for column in range(horizons):
                total = 0.0
                for name in range(inputs):
                    total += weights[column, name] * rows[row, 1 + name]
                rows[row, 1 + inputs + column] = total
                result[row - old, column] = factor[column] * exp(total)
    return result
