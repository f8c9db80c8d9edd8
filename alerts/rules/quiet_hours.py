"""Quiet hours: of the day, in a time zone."""

from datetime import UTC, datetime
from functools import lru_cache
from re import fullmatch
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from alerts.rules.rule import Quiet

_CLOCK = r"([01][0-9]|2[0-3]):([0-5][0-9])"


@lru_cache(64)
def zone(name: str) -> ZoneInfo:
    """Return the time zone of that name. Raises ValueError if there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"there is no time zone {name!r}: write it as UTC or Europe/Berlin") from None


def parse(text: str, zone_name: str = "UTC") -> Quiet:
    """Return the quiet hours written as ``22:00-07:00``; they may extend past midnight. Raises ValueError."""
    match = fullmatch(f"{_CLOCK}-{_CLOCK}", text.strip())
    if match is None:
        raise ValueError(f"{text!r} are no quiet hours: write them as 22:00-07:00")
    start, end = int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])
    if start == end:
        raise ValueError(f"quiet hours {text!r} begin when they end")
    zone(zone_name)
    return Quiet(start, end, zone_name)


def is_quiet(quiet: Quiet | None, time: int) -> bool:
    """Return whether an epoch time (ms) lies in the quiet hours."""
    if quiet is None:
        return False
    local = datetime.fromtimestamp(time / 1000, UTC).astimezone(zone(quiet.zone))
    minute = local.hour * 60 + local.minute
    if quiet.start < quiet.end:
        return quiet.start <= minute < quiet.end
    return minute >= quiet.start or minute < quiet.end


def show(quiet: Quiet) -> str:
    """Return quiet hours as text."""
    return f"{quiet.start // 60:02d}:{quiet.start % 60:02d}-{quiet.end // 60:02d}:{quiet.end % 60:02d} {quiet.zone}"
