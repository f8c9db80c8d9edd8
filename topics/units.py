"""Time and interval units: epoch milliseconds (UTC) and interval names such as ``1m``."""

from functools import cache

_UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


@cache
def interval_ms(interval: str) -> int:
    """Return the length of an interval name in milliseconds.

    Raises ValueError unless the name is a positive whole number followed by s, m, h or d.

    >>> interval_ms("5m")
    300000
    """
    count, unit = interval[:-1], interval[-1:]
    if unit not in _UNIT_MS or not (count.isascii() and count.isdecimal()) or int(count) == 0:
        raise ValueError(f"interval {interval!r} is not a whole number followed by s, m, h or d (such as 1m)")
    return int(count) * _UNIT_MS[unit]


def interval_name(milliseconds: int) -> str:
    """Return the shortest name of an interval given in milliseconds, the inverse of `interval_ms`.

    Raises ValueError where no whole number of seconds fits.

    >>> interval_name(3_600_000)
    '1h'
    """
    for unit, size in reversed(_UNIT_MS.items()):
        if milliseconds > 0 and milliseconds % size == 0:
            return f"{milliseconds // size}{unit}"
    raise ValueError(f"{milliseconds} ms is no whole number of seconds")
