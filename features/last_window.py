"""A single window: the same values as `features.windows`, bit for bit, in a fraction of the time.

A live bar needs one window of each period. Windows are combined from halves, as there.
"""

import numpy as np

from features.compiled import compiled, scratch
from features.frame import Floats


@compiled
def sum_of(v: Floats, period: int) -> float:
    """Return the sum of the first `period` values."""
    part = scratch(period // 2 + 1)
    left, odd = period // 2, period & 1
    total = 0.0
    if odd:
        total += v[0]
    a, b = v[odd:], v[odd + left :]
    for k in range(left):
        part[k] = a[k] + b[k]
    while left:
        odd = left & 1
        if odd:
            total += part[0]
        left //= 2
        a, b = part[odd:], part[odd + left :]
        for k in range(left):
            part[k] = a[k] + b[k]
    return total


@compiled
def mean_and_squares_of(v: Floats, period: int) -> tuple[float, float]:
    """Return the mean of the first `period` values and the sum of the squared deviations from it."""
    part, squares = scratch(period // 2 + 1), scratch(period // 2 + 1)
    left, odd, of = period // 2, period & 1, 2
    mean, deviations, seen = 0.0, 0.0, 0
    if odd:
        mean, seen = v[0], 1
    a, b = v[odd:], v[odd + left :]
    for k in range(left):
        distance = b[k] - a[k]
        part[k] = a[k] + 0.5 * distance
        squares[k] = distance * distance * 0.5
    while left:
        odd = left & 1
        if odd:
            share = of / (seen + of)
            distance = part[0] - mean
            mean += distance * share
            deviations += squares[0] + distance * distance * (seen * share)
            seen += of
        left //= 2
        a, b, c, d = part[odd:], part[odd + left :], squares[odd:], squares[odd + left :]
        for k in range(left):
            distance = b[k] - a[k]
            squares[k] = c[k] + d[k] + distance * distance * (0.5 * of)
            part[k] = a[k] + 0.5 * distance
        of *= 2
    return mean, deviations


@compiled
def greatest_of(v: Floats, period: int) -> float:
    """Return the greatest of the first `period` values, NaN if one is NaN."""
    best: float = v[0]
    for k in range(1, period):
        value = v[k]
        best = value if value > best or value != value else best  # noqa: PLR0124 - NaN
    return best


@compiled
def least_of(v: Floats, period: int) -> float:
    """Return the least of the first `period` values, NaN if one is NaN."""
    best: float = v[0]
    for k in range(1, period):
        value = v[k]
        best = value if value < best or value != value else best  # noqa: PLR0124 - NaN
    return best


@compiled
def rows_since_extreme_of(v: Floats, period: int, sign: float) -> float:
    """Return how many rows before the last the greatest (`sign` 1) or least (-1) lies: the latest of equals."""
    best, at = sign * v[0], 0
    for k in range(1, period):
        value = sign * v[k]
        if value >= best or value != value:  # noqa: PLR0124 - NaN
            best, at = value, k
    return float(period - 1 - at) if best == best else np.nan  # noqa: PLR0124 - NaN


@compiled
def products_of(v: Floats, w: Floats, period: int) -> float:
    """Return the sum of products of the two series' deviations from their means over the first `period` values."""
    size = period // 2 + 1
    part_v, part_w, part = scratch(size), scratch(size), scratch(size)
    left, odd, of = period // 2, period & 1, 2
    mean_v, mean_w, products, seen = 0.0, 0.0, 0.0, 0
    if odd:
        mean_v, mean_w, seen = v[0], w[0], 1
    a, b, c, d = v[odd:], v[odd + left :], w[odd:], w[odd + left :]
    for k in range(left):
        step_v, step_w = b[k] - a[k], d[k] - c[k]
        part[k] = step_v * step_w * 0.5
        part_v[k] = a[k] + 0.5 * step_v
        part_w[k] = c[k] + 0.5 * step_w
    while left:
        odd = left & 1
        if odd:
            share = of / (seen + of)
            products += part[0] + (part_v[0] - mean_v) * (part_w[0] - mean_w) * (seen * share)
            mean_v += (part_v[0] - mean_v) * share
            mean_w += (part_w[0] - mean_w) * share
            seen += of
        left //= 2
        a, b, c, d = part_v[odd:], part_v[odd + left :], part_w[odd:], part_w[odd + left :]
        e, f = part[odd:], part[odd + left :]
        for k in range(left):
            step_v, step_w = b[k] - a[k], d[k] - c[k]
            part[k] = e[k] + f[k] + step_v * step_w * (0.5 * of)
            part_v[k] = a[k] + 0.5 * step_v
            part_w[k] = c[k] + 0.5 * step_w
        of *= 2
    return products


@compiled
def powers_of(v: Floats, period: int) -> tuple[float, float, float, float]:
    """Return the first `period` values' mean, and the sums of second, third and fourth powers of the deviations."""
    size = period // 2 + 1
    part, part2, part3, part4 = scratch(size), scratch(size), scratch(size), scratch(size)
    left, odd, of = period // 2, period & 1, 2
    mean, second, third, fourth, seen = 0.0, 0.0, 0.0, 0.0, 0
    if odd:
        mean, seen = v[0], 1
    a, b = v[odd:], v[odd + left :]
    for k in range(left):
        half = 0.5 * (b[k] - a[k])
        squared = half * half
        part4[k] = squared * squared * 2.0
        part3[k] = 0.0
        part2[k] = squared * 2.0
        part[k] = a[k] + half
    while left:
        odd = left & 1
        if odd:
            new, old = of / (seen + of), seen / (seen + of)
            distance = part[0] - mean
            step, back = distance * new, distance * old
            between = distance * step * seen * (back * back - back * step + step * step)
            squared = 6.0 * (back * back * part2[0] + step * step * second)
            fourth += part4[0] + between + squared + 4.0 * (back * part3[0] - step * third)
            third += part3[0] + distance * step * seen * (back - step) + 3.0 * (back * part2[0] - step * second)
            second += part2[0] + distance * distance * (new * seen)
            mean += distance * new
            seen += of
        left //= 2
        a, b, a2, b2 = part[odd:], part[odd + left :], part2[odd:], part2[odd + left :]
        a3, b3, a4, b4 = part3[odd:], part3[odd + left :], part4[odd:], part4[odd + left :]
        for k in range(left):
            half = 0.5 * (b[k] - a[k])
            squared = half * half
            between = squared * squared * (2.0 * of) + 6.0 * squared * (a2[k] + b2[k])
            part4[k] = a4[k] + b4[k] + between + 4.0 * half * (b3[k] - a3[k])
            part3[k] = a3[k] + b3[k] + 3.0 * half * (b2[k] - a2[k])
            part2[k] = a2[k] + b2[k] + squared * (2.0 * of)
            part[k] = a[k] + half
        of *= 2
    return mean, second, third, fourth
