"""Times of a wall clock, which name no zone, to UTC. The days on which a clock is changed are the zone's own."""

import difflib
import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

NEVER, TWICE = -1, -2
"""What stands for a time that a clock never shows, for it is put forward then, and for one that it shows twice."""
_FIRST, _LAST, _DAY = 1_199_145_600_000, 4_133_980_800_000, 86_400_000
"""From 2008 to 2101 (epoch ms): rows of other times are impossible."""
_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})")


def zone_of(name: str) -> tzinfo:
    """Return the time zone of an IANA name, or of an offset from UTC. Raises ValueError that has the nearest name.

    >>> zone_of("+05:30"), zone_of("Asia/Kolkata")
    (datetime.timezone(datetime.timedelta(seconds=19800)), zoneinfo.ZoneInfo(key='Asia/Kolkata'))
    >>> zone_of("Asia/Kalkutta")
    Traceback (most recent call last):
        ...
    ValueError: there is no time zone 'Asia/Kalkutta'; the nearest is Asia/Calcutta: write Europe/Berlin, +05:30 or UTC
    """
    if match := _OFFSET.fullmatch(name):
        passed = timedelta(hours=int(match[2]), minutes=int(match[3]))
        if passed < timedelta(hours=15) and int(match[3]) < 60:
            return timezone(passed if match[1] == "+" else -passed)
    elif name in available_timezones():
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, OSError):
            pass
    near = _nearest(name)
    text = f"; the nearest is {near}" if near else ""
    raise ValueError(f"there is no time zone {name!r}{text}: write Europe/Berlin, +05:30 or UTC")


def to_utc(wall: Ints, name: str) -> Ints:
    """Return what a wall clock in that zone shows (ms, as if it were UTC) as UTC; `NEVER` and `TWICE` where it is none.

    >>> to_utc(np.array([1_704_067_200_000, 1_710_037_800_000]), "America/New_York")  # 02:30 when summer time begins
    array([1704085200000,            -1])
    """
    begins, offsets = _spans(name)
    ends = np.append(begins[1:], np.iinfo(np.int64).max)
    values, times = np.zeros(len(wall), dtype=np.int64), np.full(len(wall), NEVER, dtype=np.int64)
    # A wall time lies in the span whose clock has begun last when it shows it, or in the one before or after.
    nearest = np.searchsorted(begins + offsets, wall, side="right") - 1
    for span in (nearest - 1, nearest, nearest + 1):
        at = np.clip(span, 0, len(begins) - 1)
        moment = wall - offsets[at]
        here = (at == span) & (moment >= begins[at]) & (moment < ends[at])
        times = np.where(here, moment, times)
        values += here
    return np.where(values > 1, TWICE, times)


@cache
def _spans(name: str) -> tuple[Ints, Ints]:
    """Return when each span of one offset begins (epoch ms), and the offset (ms); the first begins before all times."""
    zone = zone_of(name)

    def offset(time: int) -> int:
        passed = datetime.fromtimestamp(time / 1_000, UTC).astimezone(zone).utcoffset()
        return int((passed or timedelta()) / timedelta(milliseconds=1))

    begins, offsets = [np.iinfo(np.int64).min // 2], [offset(_FIRST)]
    for day in range(_FIRST, _LAST, _DAY):
        if offset(day + _DAY) == offsets[-1]:
            continue
        low, high = day, day + _DAY  # the clock is changed at a whole second after the one, and not after the other
        while high - low > 1_000:
            middle = (low + high) // 2_000 * 1_000
            low, high = (middle, high) if offset(middle) == offsets[-1] else (low, middle)
        begins.append(high)
        offsets.append(offset(high))
    return np.array(begins), np.array(offsets)


def _nearest(name: str) -> str | None:
    """Return the zone whose name, or whose city, is most like a text."""
    wanted = name.strip().lower().replace(" ", "_")
    known = {
        zone.lower(): zone for zone in sorted(available_timezones(), key=lambda zone: (zone.count("/") != 1, zone))
    }
    cities: dict[str, str] = {}
    for low, zone in known.items():
        cities.setdefault(low.rpartition("/")[2], zone)
    for names in (known, cities):
        if near := difflib.get_close_matches(wanted, names, 1, 0.75):
            return names[near[0]]
    return next((zone for low, zone in known.items() if len(wanted) > 2 and low.startswith(wanted)), None)
