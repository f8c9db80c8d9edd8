"""Moving windows for the indicators, each over a whole series at once.

`values` [rows] is a series with its history in front, `start` its first new row; the result [new rows] is computed from
the last `period` values at each. A window is combined from halves, its first half added to its second, separately for
each row: so there is no running sum to drift or to keep a NaN, the bits do not depend on where the input was cut, and
the loops are vectorised. Of an odd number the first is set aside and added at the end. A window that contains a NaN is
NaN.

Each array that is written has a loop of its own: the compiler does not vectorise a loop that writes several.
"""

import numpy as np

from features.compiled import compiled, scratch
from features.frame import Floats
from features.last_window import mean_and_squares_of, products_of, sum_of


@compiled
def put(values: Floats, result: Floats) -> None:
    """Copy the values. (An assignment of whole arrays would do it, but takes numba seconds to compile.)"""
    for r in range(len(result)):
        result[r] = values[r]


@compiled
def fill(value: float, result: Floats) -> None:
    """Set every number to the value."""
    for r in range(len(result)):
        result[r] = value


@compiled
def square(values: Floats, result: Floats) -> None:
    """Fill the square of each value."""
    for r in range(len(result)):
        result[r] = values[r] * values[r]


@compiled
def difference(first: Floats, second: Floats, result: Floats) -> None:
    """Fill the first less the second."""
    for r in range(len(result)):
        result[r] = first[r] - second[r]


@compiled
def ratio(numerator: float, denominator: float) -> float:
    """Return the quotient, NaN if the denominator is 0: an undefined quotient is unknown."""
    return numerator / denominator if denominator != 0.0 else np.nan


@compiled
def joined(state: Floats, values: Floats, series: Floats) -> None:
    """Fill the series with the values kept in the state followed by the new ones, and keep the last ones for the next
    call.

    `state` [1 + kept] counts the values seen, then holds the last of them; those not seen yet are NaN. `series` is long
    enough for both.
    """
    kept, seen, last, new = len(state) - 1, state[0], state[1:], series[len(state) - 1 :]
    for k in range(kept):
        series[k] = last[k]
    for k in range(int(max(kept - seen, 0.0))):
        series[k] = np.nan
    for k in range(len(values)):
        new[k] = values[k]
    state[0] = seen + len(values)
    newest = series[len(values) :]
    for k in range(kept):
        last[k] = newest[k]


@compiled
def _add(values: Floats, result: Floats) -> None:
    for r in range(len(result)):
        result[r] += values[r]


@compiled
def _sums(a: Floats, b: Floats, result: Floats) -> None:
    for k in range(len(result)):
        result[k] = a[k] + b[k]


@compiled
def moving_sum(values: Floats, start: int, period: int, result: Floats) -> None:
    """Fill the sum of each window."""
    source, rows, left = values[start - period + 1 :], len(result), period
    if rows == 1:
        result[0] = sum_of(source, period)
        return
    size = rows + period // 2
    part, other = scratch(size), scratch(size)
    fill(0.0, result)
    while True:
        if left & 1:
            _add(source, result)
            source = source[1:]
        left //= 2
        if left == 0:
            return
        part = part[: rows + left - 1]
        _sums(source, source[left:], part)
        source = part
        part, other = other, part


@compiled
def moving_mean(values: Floats, start: int, period: int, result: Floats) -> None:
    """Fill the mean of each window."""
    moving_sum(values, start, period, result)
    for r in range(len(result)):
        result[r] /= period


@compiled
def _means(a: Floats, b: Floats, result: Floats) -> None:
    for k in range(len(result)):
        result[k] = a[k] + 0.5 * (b[k] - a[k])


@compiled
def _products(v: Floats, w: Floats, left: int, result: Floats) -> None:
    a, b, c, d = v, v[left:], w, w[left:]
    for k in range(len(result)):
        result[k] = (b[k] - a[k]) * (d[k] - c[k]) * 0.5


@compiled
def _more_products(part: Floats, v: Floats, w: Floats, left: int, of: int, result: Floats) -> None:
    a, b, c, d, e, f = v, v[left:], w, w[left:], part, part[left:]
    between = 0.5 * of
    for k in range(len(result)):
        result[k] = e[k] + f[k] + (b[k] - a[k]) * (d[k] - c[k]) * between


@compiled
def _add_products(
    part: Floats, v: Floats, w: Floats, mean_v: Floats, mean_w: Floats, between: float, result: Floats
) -> None:
    for r in range(len(result)):
        result[r] += part[r] + (v[r] - mean_v[r]) * (w[r] - mean_w[r]) * between


@compiled
def _add_mean(part: Floats, share: float, mean: Floats) -> None:
    for r in range(len(mean)):
        mean[r] += (part[r] - mean[r]) * share


@compiled
def moving_mean_and_squares(values: Floats, start: int, period: int, mean: Floats, deviations: Floats) -> None:
    """Fill each window's mean and sum of squared deviations from it, exactly 0 where all values are equal.

    `period` is at least 2. Source: Chan, Golub and LeVeque (1979), the pairwise update.
    """
    source, rows = values[start - period + 1 :], len(mean)
    if rows == 1:
        mean[0], deviations[0] = mean_and_squares_of(source, period)
        return
    size = rows + period // 2
    part, other, squares, other_squares = scratch(size), scratch(size), scratch(size), scratch(size)
    fill(0.0, mean)
    fill(0.0, deviations)
    left, of, seen = period // 2, 2, 0
    if period & 1:
        put(source, mean)
        source, seen = source[1:], 1
    part, squares = part[: rows + left - 1], squares[: rows + left - 1]
    _means(source, source[left:], part)
    _products(source, source, left, squares)
    while True:
        if left & 1:
            share = of / (seen + of)
            _add_products(squares, part, part, mean, mean, seen * share, deviations)
            _add_mean(part, share, mean)
            part, squares, seen = part[1:], squares[1:], seen + of
        left //= 2
        if left == 0:
            return
        other, other_squares = other[: rows + left - 1], other_squares[: rows + left - 1]
        _means(part, part[left:], other)
        _more_products(squares, part, part, left, of, other_squares)
        part, other = other, part
        squares, other_squares = other_squares, squares
        of *= 2


@compiled
def moving_deviation(values: Floats, start: int, period: int, mean: Floats, deviation: Floats) -> None:
    """Fill each window's mean and population standard deviation."""
    moving_mean_and_squares(values, start, period, mean, deviation)
    for r in range(len(deviation)):
        deviation[r] = np.sqrt(deviation[r] / period)


@compiled
def moving_products(values: Floats, others: Floats, start: int, period: int, result: Floats) -> None:
    """Fill each window's sum of products of two series' deviations from their means: `period` covariances.

    Exactly 0 where one of them is constant. `period` is at least 2.
    Source: Chan, Golub and LeVeque (1979), the pairwise update.
    """
    v, w, rows = values[start - period + 1 :], others[start - period + 1 :], len(result)
    if rows == 1:
        result[0] = products_of(v, w, period)
        return
    size = rows + period // 2
    part, part_v, part_w, mean_v = scratch(size), scratch(size), scratch(size), scratch(rows)
    other, other_v, other_w, mean_w = scratch(size), scratch(size), scratch(size), scratch(rows)
    fill(0.0, result)
    fill(0.0, mean_v)
    fill(0.0, mean_w)
    left, of, seen = period // 2, 2, 0
    if period & 1:
        put(v, mean_v)
        put(w, mean_w)
        v, w, seen = v[1:], w[1:], 1
    count = rows + left - 1
    part, part_v, part_w = part[:count], part_v[:count], part_w[:count]
    _means(v, v[left:], part_v)
    _means(w, w[left:], part_w)
    _products(v, w, left, part)
    while True:
        if left & 1:
            share = of / (seen + of)
            _add_products(part, part_v, part_w, mean_v, mean_w, seen * share, result)
            _add_mean(part_v, share, mean_v)
            _add_mean(part_w, share, mean_w)
            part, part_v, part_w, seen = part[1:], part_v[1:], part_w[1:], seen + of
        left //= 2
        if left == 0:
            return
        count = rows + left - 1
        other, other_v, other_w = other[:count], other_v[:count], other_w[:count]
        _means(part_v, part_v[left:], other_v)
        _means(part_w, part_w[left:], other_w)
        _more_products(part, part_v, part_w, left, of, other)
        part, other = other, part
        part_v, other_v = other_v, part_v
        part_w, other_w = other_w, part_w
        of *= 2
