"""One window alone, as a live bar needs it: the numbers of `features.windows`, bit for bit, in far fewer steps.

A window of `period` values is made of parts whose sizes are the powers of two in `period`, the smallest first; each
is put together from halves. Where many windows overlap their halves are shared; here there is nothing to share.
"""

import numpy as np

from features.compiled import compiled
from features.frame import Floats


@compiled
def sum_of(v: Floats) -> float:
    """Return the sum of the values."""
    part = np.empty(len(v))
    result, size, rest, offset = 0.0, 1, len(v), 0
    while rest:
        if rest & 1:
            for j in range(size):
                part[j] = v[offset + j]
            left = size // 2
            while left:
                for j in range(left):
                    part[j] = part[2 * j] + part[2 * j + 1]
                left //= 2
            result += part[0]
            offset += size
        rest >>= 1
        size *= 2
    return result


@compiled
def mean_and_squares_of(v: Floats) -> tuple[float, float]:
    """Return the values' mean and sum of squared deviations from it."""
    part, squares = np.empty(len(v)), np.empty(len(v))
    mean, deviations, size, rest, offset = 0.0, 0.0, 1, len(v), 0
    while rest:
        if rest & 1:
            for j in range(size):
                part[j] = v[offset + j]
                squares[j] = 0.0
            left, merged = size // 2, 1
            while left:
                for j in range(left):
                    distance = part[2 * j + 1] - part[2 * j]
                    squares[j] = squares[2 * j] + squares[2 * j + 1] + distance * distance * (0.5 * merged)
                    part[j] = part[2 * j] + 0.5 * distance
                left, merged = left // 2, merged * 2
            share = size / (offset + size)
            distance = part[0] - mean
            between = 0.0 if offset == 0 else distance * distance * offset * share
            mean = part[0] if offset == 0 else mean + distance * share
            deviations += squares[0] + between
            offset += size
        rest >>= 1
        size *= 2
    return mean, deviations


@compiled
def products_of(v: Floats, w: Floats) -> float:
    """Return the sum of products of the two series' deviations from their means."""
    part_v, part_w, part = np.empty(len(v)), np.empty(len(v)), np.empty(len(v))
    mean_v, mean_w, products, size, rest, offset = 0.0, 0.0, 0.0, 1, len(v), 0
    while rest:
        if rest & 1:
            for j in range(size):
                part_v[j], part_w[j], part[j] = v[offset + j], w[offset + j], 0.0
            left, merged = size // 2, 1
            while left:
                for j in range(left):
                    step_v, step_w = part_v[2 * j + 1] - part_v[2 * j], part_w[2 * j + 1] - part_w[2 * j]
                    part[j] = part[2 * j] + part[2 * j + 1] + step_v * step_w * (0.5 * merged)
                    part_v[j] = part_v[2 * j] + 0.5 * step_v
                    part_w[j] = part_w[2 * j] + 0.5 * step_w
                left, merged = left // 2, merged * 2
            share = size / (offset + size)
            products += part[0] + (part_v[0] - mean_v) * (part_w[0] - mean_w) * (offset * share)
            mean_v += (part_v[0] - mean_v) * share
            mean_w += (part_w[0] - mean_w) * share
            offset += size
        rest >>= 1
        size *= 2
    return products


@compiled
def greatest_of(v: Floats, sign: float) -> float:
    """Return the greatest (`sign` 1) or least (-1) of the values, NaN where one is."""
    result = v[0]
    for j in range(1, len(v)):
        if sign * v[j] > sign * result or np.isnan(v[j]):
            result = v[j]
    return float(result)
