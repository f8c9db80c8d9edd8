"""One window alone: the numbers that `features.windows` gives for it, bit for bit, in a third of the time.

A live bar needs one window of each period. They are put together from halves, as there.
"""

import numpy as np

from features.compiled import compiled
from features.frame import Floats


@compiled
def sum_of(v: Floats) -> float:
    """Return the sum of all values."""
    part = np.empty(len(v) // 2 + 1)
    total, size, rest, offset = 0.0, 1, len(v), 0
    while rest:
        if rest & 1:
            if size == 1:
                part[0] = v[offset]
            else:
                half = size // 2
                for j in range(half):
                    part[j] = v[offset + 2 * j] + v[offset + 2 * j + 1]
                while half > 1:
                    half //= 2
                    for j in range(half):
                        part[j] = part[2 * j] + part[2 * j + 1]
            total += part[0]
            offset += size
        rest >>= 1
        size *= 2
    return total


@compiled
def mean_and_squares_of(v: Floats) -> tuple[float, float]:
    """Return the mean of all values and the sum of the squared deviations from it."""
    part, squares = np.empty(len(v)), np.empty(len(v))
    mean, deviations, size, rest, offset = 0.0, 0.0, 1, len(v), 0
    while rest:
        if rest & 1:
            for j in range(size):
                part[j] = v[offset + j]
                squares[j] = 0.0
            of, left = 1, size
            while left > 1:
                left //= 2
                for j in range(left):
                    distance = part[2 * j + 1] - part[2 * j]
                    part[j] = part[2 * j] + 0.5 * distance
                    squares[j] = squares[2 * j] + squares[2 * j + 1] + distance * distance * (0.5 * of)
                of *= 2
            if offset == 0:
                mean, deviations = part[0], squares[0]
            else:
                share = size / (offset + size)
                distance = part[0] - mean
                mean += distance * share
                deviations += squares[0] + distance * distance * offset * share
            offset += size
        rest >>= 1
        size *= 2
    return mean, deviations


@compiled
def extreme_of(v: Floats, sign: float) -> float:
    """Return the greatest (`sign` 1) or the least (-1) value, NaN if one is NaN."""
    best: float = sign * v[0]
    for j in range(1, len(v)):
        value = sign * v[j]
        best = value if value > best or np.isnan(value) else best
    return sign * best


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
