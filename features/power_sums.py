"""Moving sums of higher powers of the deviations from the mean. See `features.windows`."""

from features.compiled import compiled, scratch
from features.frame import Floats
from features.last_window import powers_of
from features.windows import fill, put


@compiled
def _halves4(part: Floats, part2: Floats, part3: Floats, part4: Floats, left: int, of: int, result: Floats) -> None:
    later, later2, later3, later4 = part[left:], part2[left:], part3[left:], part4[left:]
    for k in range(len(result)):
        half = 0.5 * (later[k] - part[k])
        squared = half * half
        between = squared * squared * (2.0 * of) + 6.0 * squared * (part2[k] + later2[k])
        result[k] = part4[k] + later4[k] + between + 4.0 * half * (later3[k] - part3[k])


@compiled
def _halves3(part: Floats, part2: Floats, part3: Floats, left: int, result: Floats) -> None:
    later, later2, later3 = part[left:], part2[left:], part3[left:]
    for k in range(len(result)):
        half = 0.5 * (later[k] - part[k])
        result[k] = part3[k] + later3[k] + 3.0 * half * (later2[k] - part2[k])


@compiled
def _halves2(part: Floats, part2: Floats, left: int, of: int, result: Floats) -> None:
    later, later2 = part[left:], part2[left:]
    for k in range(len(result)):
        half = 0.5 * (later[k] - part[k])
        result[k] = part2[k] + later2[k] + half * half * (2.0 * of)


@compiled
def _halves(part: Floats, left: int, result: Floats) -> None:
    later = part[left:]
    for k in range(len(result)):
        result[k] = part[k] + 0.5 * (later[k] - part[k])


@compiled
def moving_powers(
    values: Floats, start: int, period: int, mean: Floats, second: Floats, third: Floats, fourth: Floats
) -> None:
    """Fill each window's mean, and its sums of second, third and fourth powers of the deviations from it.

    Exactly 0 where all values are equal. `period` is at least 2. Source: Pébay (2008), the pairwise updates.
    """
    source, rows = values[start - period + 1 :], len(mean)
    if rows == 1:
        mean[0], second[0], third[0], fourth[0] = powers_of(source, period)
        return
    size = rows + period - 1
    part, part2, part3, part4 = scratch(size), scratch(size), scratch(size), scratch(size)
    other, other2, other3, other4 = scratch(size), scratch(size), scratch(size), scratch(size)
    put(source, part)
    for powers in (part2, part3, part4, mean, second, third, fourth):
        fill(0.0, powers)
    left, of, seen = period, 1, 0
    while True:
        if left & 1:
            new, old = of / (seen + of), seen / (seen + of)
            for r in range(rows):
                distance = part[r] - mean[r]
                step, back = distance * new, distance * old
                between = distance * step * seen * (back * back - back * step + step * step)
                squared = 6.0 * (back * back * part2[r] + step * step * second[r])
                fourth[r] += part4[r] + between + squared + 4.0 * (back * part3[r] - step * third[r])
            for r in range(rows):
                distance = part[r] - mean[r]
                step, back = distance * new, distance * old
                between = distance * step * seen * (back - step)
                third[r] += part3[r] + between + 3.0 * (back * part2[r] - step * second[r])
            for r in range(rows):
                distance = part[r] - mean[r]
                second[r] += part2[r] + distance * distance * (new * seen)
            for r in range(rows):
                mean[r] += (part[r] - mean[r]) * new
            part, part2, part3, part4, seen = part[1:], part2[1:], part3[1:], part4[1:], seen + of
        left //= 2
        if left == 0:
            return
        count = rows + left - 1
        other, other2, other3, other4 = other[:count], other2[:count], other3[:count], other4[:count]
        _halves4(part, part2, part3, part4, left, of, other4)
        _halves3(part, part2, part3, left, other3)
        _halves2(part, part2, left, of, other2)
        _halves(part, left, other)
        part, other = other, part
        part2, other2 = other2, part2
        part3, other3 = other3, part3
        part4, other4 = other4, part4
        of *= 2
