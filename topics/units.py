"""Time and interval units: epoch milliseconds (UTC), and the names of intervals, such as ``1m`` or ``tick-500``."""

import re
from functools import lru_cache
from typing import Literal, NamedTuple

from topics.suggestions import unknown

_UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_WHOLE = r"[1-9][0-9]{0,11}"
# One spelling of each number: two names of one interval would be two series of the same bars.
_DECIMAL = rf"(?:{_WHOLE}(?:\.[0-9]{{0,7}}[1-9])?|0\.[0-9]{{0,7}}[1-9])"
_FILLED = rf"(?:(?:tick|dollar)-{_WHOLE}|(?:volume|range)-{_DECIMAL})"
INTERVAL = rf"^(?:[1-9][0-9]{{0,4}}[smhd]|{_FILLED})$(?!\n)"
"""The names that a record may carry, as JSON Schema writes it: see `topics.limits`."""
_TIME, _OTHER = re.compile(r"[1-9][0-9]{0,11}[smhd]"), re.compile(_FILLED)

Kind = Literal["time", "tick", "volume", "dollar", "range"]


class Measure(NamedTuple):
    """The threshold that ends a bar: a time (ms), a number of trades (tick), a base volume, a quote volume (dollar), or
    a range from high to low in basis points of the open.
    """

    kind: Kind
    size: float


@lru_cache(4_096)  # bounded, since producers choose the names
def measure(interval: str) -> Measure:
    """Return the threshold of an interval of that name.

    Raises ValueError if it is no such name.

    >>> measure("5m"), measure("volume-0.5")
    (Measure(kind='time', size=300000), Measure(kind='volume', size=0.5))
    """
    if _TIME.fullmatch(interval):
        return Measure("time", int(interval[:-1]) * _UNIT_MS[interval[-1]])
    if not _OTHER.fullmatch(interval):
        kind, dash, size = interval.partition("-")
        if dash and size and kind not in _KINDS:
            raise ValueError(f"interval {interval!r}: {unknown('kind of bars', kind, _KINDS)}")
        raise ValueError(
            f"interval {interval!r} is none of 1m (s, h, d), tick-500, dollar-1000000, volume-2.5 and range-10, with "
            "any positive number: whole, or for volume and range with decimals that do not end in 0"
        )
    kind, _, size = interval.partition("-")
    return Measure(_KINDS[kind], float(size))


_KINDS: dict[str, Kind] = {"tick": "tick", "volume": "volume", "dollar": "dollar", "range": "range"}


def is_time(interval: str) -> bool:
    """Return whether the bars of that interval are cut by time; raises ValueError if it is no interval's name."""
    return measure(interval).kind == "time"


@lru_cache(4_096)  # likewise
def interval_ms(interval: str) -> int:
    """Return the length of a time interval's name in milliseconds.

    Raises ValueError unless the name is a positive whole number followed by s, m, h or d.

    >>> interval_ms("5m")
    300000
    """
    if not _TIME.fullmatch(interval):
        raise ValueError(f"interval {interval!r} is not a whole number followed by s, m, h or d (such as 1m)")
    return int(measure(interval).size)


def interval_name(milliseconds: int) -> str:
    """Return the shortest name of an interval given in milliseconds, the inverse of `interval_ms`.

    Raises ValueError unless it is a whole number of seconds.

    >>> interval_name(3_600_000)
    '1h'
    """
    for unit, size in reversed(_UNIT_MS.items()):
        if milliseconds > 0 and milliseconds % size == 0:
            return f"{milliseconds // size}{unit}"
    raise ValueError(f"{milliseconds} ms is no whole number of seconds")
