"""Moving windows that indicators are made of, each over a whole series at once.

`values` [rows] is a series with its history in front, `start` its first new row; the result [new rows] is made of the
last `period` values at each. A window is put together from halves of halves, anew for each row: so there is no running
sum to drift or to keep a NaN, the bits do not depend on where the input was cut, and the loops run on whole registers.
A window with a NaN in it is NaN.
"""

import numpy as np

from features.compiled import compiled
from features.frame import Floats
from features.last_window import extreme_of, mean_and_squares_of, products_of, sum_of


@compiled
def moving_sum(values: Floats, start: int, period: int) -> Floats:
    """Return the sum of each window."""
    v = values[start - period + 1 :]
    rows = len(v) - period + 1
    if rows == 1:
        return np.full(1, sum_of(v))
    result = np.zeros(rows)
    part, other = np.empty(len(v)), np.empty(len(v))  # sums of `size` values, by their first
    for j in range(len(v)):
        part[j] = v[j]
    size, rest, offset = 1, period, 0
    while True:
        if rest & 1:
            piece = part[offset : offset + rows]
            for r in range(rows):
                result[r] += piece[r]
            offset += size
        rest >>= 1
        if rest == 0:
            return result
        count = len(v) - 2 * size + 1
        a, b = part[:count], part[size : size + count]
        for j in range(count):
            other[j] = a[j] + b[j]
        part, other = other, part
        size *= 2


@compiled
def moving_mean(values: Floats, start: int, period: int) -> Floats:
    """Return the mean of each window."""
    result = moving_sum(values, start, period)
    for r in range(len(result)):
        result[r] /= period
    return result


@compiled
def moving_mean_and_squares(values: Floats, start: int, period: int) -> tuple[Floats, Floats]:
    """Return each window's mean and sum of squared deviations from it, exactly 0 where all values are equal.

    Source: Chan, Golub and LeVeque (1979), the pairwise update.
    """
    v = values[start - period + 1 :]
    rows = len(v) - period + 1
    if rows == 1:
        center, around = mean_and_squares_of(v)
        return np.full(1, center), np.full(1, around)
    mean, deviations = np.zeros(rows), np.zeros(rows)
    part, other = np.empty(len(v)), np.empty(len(v))
    part_squares, other_squares = np.zeros(len(v)), np.empty(len(v))
    for j in range(len(v)):
        part[j] = v[j]
    size, rest, offset = 1, period, 0
    while True:
        if rest & 1:
            piece, piece_squares = part[offset : offset + rows], part_squares[offset : offset + rows]
            share = size / (offset + size)
            for r in range(rows):
                distance = piece[r] - mean[r]
                mean[r] = piece[r] if offset == 0 else mean[r] + distance * share
                between = 0.0 if offset == 0 else distance * distance * offset * share
                deviations[r] += piece_squares[r] + between
            offset += size
        rest >>= 1
        if rest == 0:
            return mean, deviations
        count = len(v) - 2 * size + 1
        a, b = part[:count], part[size : size + count]
        c, d = part_squares[:count], part_squares[size : size + count]
        for j in range(count):
            distance = b[j] - a[j]
            other[j] = a[j] + 0.5 * distance
            other_squares[j] = c[j] + d[j] + distance * distance * (0.5 * size)
        part, other = other, part
        part_squares, other_squares = other_squares, part_squares
        size *= 2


@compiled
def moving_deviation(values: Floats, start: int, period: int) -> tuple[Floats, Floats]:
    """Return each window's mean and population standard deviation."""
    mean, deviation = moving_mean_and_squares(values, start, period)
    for r in range(len(deviation)):
        deviation[r] = np.sqrt(deviation[r] / period)
    return mean, deviation


@compiled
def moving_extreme(values: Floats, start: int, period: int, sign: float) -> Floats:
    """Return the greatest (`sign` 1) or the least (-1) value of each window."""
    v = values[start - period + 1 :]
    rows = len(v) - period + 1
    if rows == 1:
        return np.full(1, extreme_of(v, sign))
    part, other = np.empty(len(v)), np.empty(len(v))
    for j in range(len(v)):
        part[j] = sign * v[j]
    size = 1
    while 2 * size <= period:
        count = len(v) - 2 * size + 1
        a, b = part[:count], part[size : size + count]
        for j in range(count):
            other[j] = b[j] if b[j] > a[j] or b[j] != b[j] else a[j]  # so that a NaN wins
        part, other = other, part
        size *= 2
    result = np.empty(rows)
    a, b = part[:rows], part[period - size : period - size + rows]
    for r in range(rows):
        result[r] = sign * (b[r] if b[r] > a[r] or b[r] != b[r] else a[r])
    return result


@compiled
def moving_max(values: Floats, start: int, period: int) -> Floats:
    """Return the greatest value of each window."""
    return moving_extreme(values, start, period, 1.0)


@compiled
def moving_min(values: Floats, start: int, period: int) -> Floats:
    """Return the least value of each window."""
    return moving_extreme(values, start, period, -1.0)


@compiled
def put(out: Floats, column: int, values: Floats) -> None:
    """Copy values into a column. (An assignment of whole arrays would do it, but takes numba seconds to compile.)"""
    row = out[column]
    for r in range(len(values)):
        row[r] = values[r]


@compiled
def squares(values: Floats) -> Floats:
    """Return the square of each value."""
    result = np.empty(len(values))
    for r in range(len(values)):
        result[r] = values[r] * values[r]
    return result


@compiled
def ratio(numerator: float, denominator: float) -> float:
    """Return the quotient, NaN where the denominator is 0: what has no answer is unknown."""
    return numerator / denominator if denominator != 0.0 else np.nan


@compiled
def joined(state: Floats, values: Floats) -> Floats:
    """Return new values with those kept in the state in front, and keep the last ones for the next call.

    `state` [1 + kept] counts the values seen, then holds the last of them; what was not seen yet is NaN.
    """
    kept = len(state) - 1
    series = np.empty(kept + len(values))
    for k in range(kept):
        series[k] = state[1 + k] if state[0] >= kept - k else np.nan
    for k in range(len(values)):
        series[kept + k] = values[k]
    state[0] += len(values)
    for k in range(kept):
        state[1 + k] = series[len(values) + k]
    return series


@compiled
def moving_place(values: Floats, start: int, period: int, still: float) -> Floats:
    """Return where the last value of each window lies between the least (0) and the greatest (100).

    It is NaN where the two are no further apart than `still`.
    """
    low, high = moving_min(values, start, period), moving_max(values, start, period)
    last = values[start:]
    for r in range(len(low)):
        span = high[r] - low[r]
        low[r] = 100.0 * (last[r] - low[r]) / span if span > still else np.nan
    return low


@compiled
def rows_since_extreme(values: Floats, start: int, period: int, sign: float) -> Floats:
    """Return how many rows ago each window had its greatest (`sign` 1) or least value (-1): the latest of equals."""
    v = values[start - period + 1 :]
    rows = len(v) - period + 1
    part, other = np.empty(len(v)), np.empty(len(v))
    part_at, other_at = np.empty(len(v)), np.empty(len(v))
    for j in range(len(v)):
        part[j] = sign * v[j]
        part_at[j] = j
    size = 1
    while 2 * size <= period:
        count = len(v) - 2 * size + 1
        a, b = part[:count], part[size : size + count]
        c, d = part_at[:count], part_at[size : size + count]
        for j in range(count):
            later = b[j] >= a[j] or b[j] != b[j]  # so that a NaN wins
            other[j] = b[j] if later else a[j]
            other_at[j] = d[j] if later else c[j]
        part, other = other, part
        part_at, other_at = other_at, part_at
        size *= 2
    result = np.empty(rows)
    last = period - size
    a, b = part[:rows], part[last : last + rows]
    c, d = part_at[:rows], part_at[last : last + rows]
    for r in range(rows):
        at = d[r] if b[r] >= a[r] else c[r]
        result[r] = (r + period - 1) - at if a[r] == a[r] and b[r] == b[r] else np.nan
    return result


@compiled
def put_difference(out: Floats, first: Floats, second: Floats) -> None:
    """Copy two series into columns 0 and 1, and the first less the second into column 2."""
    put(out, 0, first)
    put(out, 1, second)
    row = out[2]
    for r in range(len(first)):
        row[r] = first[r] - second[r]


@compiled
def moving_products(values: Floats, others: Floats, start: int, period: int) -> Floats:
    """Return each window's sum of products of two series' deviations from their means: `period` covariances.

    Exactly 0 where one of them is constant. Source: Chan, Golub and LeVeque (1979), the pairwise update.
    """
    v, w = values[start - period + 1 :], others[start - period + 1 :]
    rows = len(v) - period + 1
    if rows == 1:
        return np.full(1, products_of(v, w))
    mean_v, mean_w, products = np.zeros(rows), np.zeros(rows), np.zeros(rows)
    part_v, part_w, part = np.empty(len(v)), np.empty(len(v)), np.zeros(len(v))
    other_v, other_w, other = np.empty(len(v)), np.empty(len(v)), np.empty(len(v))
    for j in range(len(v)):
        part_v[j] = v[j]
        part_w[j] = w[j]
    size, rest, offset = 1, period, 0
    while True:
        # A loop for each array that is written: with more of them in one, the compiler leaves it one number at a time.
        if rest & 1:
            piece_v, piece_w = part_v[offset : offset + rows], part_w[offset : offset + rows]
            piece = part[offset : offset + rows]
            share = size / (offset + size)
            for r in range(rows):
                products[r] += piece[r] + (piece_v[r] - mean_v[r]) * (piece_w[r] - mean_w[r]) * (offset * share)
            for r in range(rows):
                mean_v[r] += (piece_v[r] - mean_v[r]) * share
            for r in range(rows):
                mean_w[r] += (piece_w[r] - mean_w[r]) * share
            offset += size
        rest >>= 1
        if rest == 0:
            return products
        count = len(v) - 2 * size + 1
        a, b = part_v[:count], part_v[size : size + count]
        c, d = part_w[:count], part_w[size : size + count]
        e, f = part[:count], part[size : size + count]
        for j in range(count):
            other[j] = e[j] + f[j] + (b[j] - a[j]) * (d[j] - c[j]) * (0.5 * size)
        for j in range(count):
            other_v[j] = a[j] + 0.5 * (b[j] - a[j])
        for j in range(count):
            other_w[j] = c[j] + 0.5 * (d[j] - c[j])
        part_v, other_v = other_v, part_v
        part_w, other_w = other_w, part_w
        part, other = other, part
        size *= 2


@compiled
def moving_powers(values: Floats, start: int, period: int) -> tuple[Floats, Floats, Floats]:
    """Return each window's sums of second, third and fourth powers of the deviations from its mean.

    Exactly 0 where all values are equal. Source: Pébay (2008), the pairwise updates.
    """
    v = values[start - period + 1 :]
    rows = len(v) - period + 1
    mean, second, third, fourth = np.zeros(rows), np.zeros(rows), np.zeros(rows), np.zeros(rows)
    part, other = np.empty(len(v)), np.empty(len(v))
    part2, other2 = np.zeros(len(v)), np.empty(len(v))
    part3, other3 = np.zeros(len(v)), np.empty(len(v))
    part4, other4 = np.zeros(len(v)), np.empty(len(v))
    for j in range(len(v)):
        part[j] = v[j]
    size, rest, offset = 1, period, 0
    while True:
        # A loop for each array that is written, the highest power first: see `moving_products`.
        if rest & 1:
            piece, piece2 = part[offset : offset + rows], part2[offset : offset + rows]
            piece3, piece4 = part3[offset : offset + rows], part4[offset : offset + rows]
            new, old = size / (offset + size), offset / (offset + size)
            for r in range(rows):
                distance = piece[r] - mean[r]
                step, back = distance * new, distance * old
                between = distance * step * offset * (back * back - back * step + step * step)
                squared = 6.0 * (back * back * piece2[r] + step * step * second[r])
                fourth[r] += piece4[r] + between + squared + 4.0 * (back * piece3[r] - step * third[r])
            for r in range(rows):
                distance = piece[r] - mean[r]
                step, back = distance * new, distance * old
                between = distance * step * offset * (back - step)
                third[r] += piece3[r] + between + 3.0 * (back * piece2[r] - step * second[r])
            for r in range(rows):
                distance = piece[r] - mean[r]
                second[r] += piece2[r] + distance * distance * (new * offset)
            for r in range(rows):
                mean[r] += (piece[r] - mean[r]) * new
            offset += size
        rest >>= 1
        if rest == 0:
            return second, third, fourth
        count = len(v) - 2 * size + 1
        a, b = part[:count], part[size : size + count]
        a2, b2 = part2[:count], part2[size : size + count]
        a3, b3 = part3[:count], part3[size : size + count]
        a4, b4 = part4[:count], part4[size : size + count]
        for j in range(count):
            half = 0.5 * (b[j] - a[j])
            squared = half * half
            between = squared * squared * (2.0 * size) + 6.0 * squared * (a2[j] + b2[j])
            other4[j] = a4[j] + b4[j] + between + 4.0 * half * (b3[j] - a3[j])
        for j in range(count):
            half = 0.5 * (b[j] - a[j])
            other3[j] = a3[j] + b3[j] + 3.0 * half * (b2[j] - a2[j])
        for j in range(count):
            half = 0.5 * (b[j] - a[j])
            other2[j] = a2[j] + b2[j] + half * half * (2.0 * size)
        for j in range(count):
            other[j] = a[j] + 0.5 * (b[j] - a[j])
        part, other = other, part
        part2, other2 = other2, part2
        part3, other3 = other3, part3
        part4, other4 = other4, part4
        size *= 2
