"""Whether what the page shows is current: one decision, made of what is known."""

from dataclasses import dataclass
from typing import Literal

from topics.units import interval_ms

Kind = Literal["connecting", "unreachable", "empty", "stale", "live"]

TO_FILL = "Start the pipeline with ./foretick up, or replay a file with ./foretick replay FILE."
TO_MEND = "Either the replay has come to its end, or something has stopped: ./foretick status tells."
STALE_INTERVALS = 1.5
SHORTEST_STALE_S = 30.0


@dataclass(frozen=True)
class Health:
    """The state of the page: a word for the badge, and a sentence that says what it means or what to do."""

    kind: Kind
    label: str
    detail: str


def stale_after(interval: str) -> float:
    """Return after how many seconds without a new row a series is stale: a live one has a bar every interval."""
    return max(SHORTEST_STALE_S, STALE_INTERVALS * interval_ms(interval) / 1000)


def decide(
    *, error: str | None, read: bool, has_series: bool, age_s: float | None, watched_s: float, limit_s: float
) -> Health:
    """Return the page's state.

    `error` is why the database cannot be read, `read` whether it ever was, `age_s` the seconds since a row of the
    series was seen to arrive (None: none since the page began to watch, `watched_s` ago), `limit_s` when that is stale.
    """
    if error is not None:
        return Health("unreachable", "database unreachable", f"{error} Trying again every few seconds.")
    if not read:
        return Health("connecting", "connecting", "Reading the database.")
    if not has_series:
        return Health("empty", "no data", f"The database holds no bars yet. {TO_FILL}")
    silence = watched_s if age_s is None else age_s
    ago = f"no new row for {'at least ' if age_s is None else ''}{duration(silence)}"
    if silence > limit_s:
        return Health("stale", "stale", f"{ago[0].upper()}{ago[1:]}: this is the last that is known. {TO_MEND}")
    if age_s is None:
        return Health("live", "waiting", f"{ago} yet".replace(" at least", ""))
    return Health("live", "live", f"last row {duration(silence)} ago")


def duration(seconds: float) -> str:
    """Return a length of time in its largest unit.

    >>> duration(95)
    '1 min'
    """
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"
