"""The time of a forecast's bar as the address and the buttons have it."""

from datetime import UTC, datetime

LATEST = 221_845_392_000_000  # the year 9000: a forecast of the last moment has a target that exists


def written(time: int) -> str:
    """Return a time [epoch ms] in ISO 8601, with seconds only where there are some.

    >>> written(1_748_822_400_000), written(1_748_822_401_000)
    ('2025-06-02T00:00Z', '2025-06-02T00:00:01Z')
    """
    moment = datetime.fromtimestamp(time / 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if time % 60_000 else f"{moment:%Y-%m-%dT%H:%MZ}"


def read(text: str) -> int | None:
    """Return the time [epoch ms] of ISO 8601, UTC unless it says another zone, or of epoch ms; None if it is neither.

    >>> read("2025-06-02T00:00Z"), read("1748822400000"), read("yesterday")
    (1748822400000, 1748822400000, None)
    """
    if text.isascii() and text.isdigit():
        return int(text) if len(text) <= len(str(LATEST)) and int(text) < LATEST else None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    time = round(moment.timestamp() * 1000)
    return time if 0 <= time < LATEST else None
