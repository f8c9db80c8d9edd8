"""Whether what the page shows is current: one decision, made of what is known."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from stack.conditions import Shown
from stream.condition import seconds
from topics.units import interval_ms

Kind = Literal["connecting", "unreachable", "empty", "stale", "live"]

ON_THE_WAY = ("kafka", "postgres", "worker", "persist")
"""The components that a forecast passes on its way to the page."""
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
    *,
    error: str | None,
    read: bool,
    has_series: bool,
    age_s: float | None,
    forecast_age_s: float | None,
    watched_s: float,
    limit_s: float,
    components: Sequence[Shown] = (),
) -> Health:
    """Return the page's state.

    `error` is why the database cannot be read, `read` whether it ever was, `age_s` the seconds since a row of the
    series was seen to arrive (None: none since the page began to watch, `watched_s` ago), `forecast_age_s` the same of
    its forecasts, `limit_s` when that is stale. Bars that come over a forecaster that has stopped are not live, nor is
    what comes while one of the `components` on its way says that it does not do its work.
    """
    if error is not None:
        return Health("unreachable", "database unreachable", f"{error} Trying again every few seconds.")
    if not read:
        return Health("connecting", "connecting", "Reading the database.")
    if not has_series:
        return Health("empty", "no data", f"The database holds no bars yet. {TO_FILL}")
    bad = next((one for one in components if one.name in ON_THE_WAY and not one.good), None)
    said = f" {bad.name} is {bad.word}{f': {bad.why}' if bad.why else ''}." if bad else ""
    still = _stale(age_s, forecast_age_s, watched_s, limit_s, said)
    if still is not None:
        return still
    if bad is not None:
        return Health("stale", f"{bad.name} {bad.word}", f"{said.strip()} ./foretick doctor tells what to do.")
    label, detail = ("waiting", f"no new row for {seconds(watched_s)} yet") if age_s is None else ("live", "")
    return Health("live", label, detail or f"last row {seconds(age_s or 0.0)} ago")


def _stale(
    age_s: float | None, forecast_age_s: float | None, watched_s: float, limit_s: float, said: str
) -> Health | None:
    """Return the state where rows, or forecasts beside rows, have not come for too long; else None."""
    silence = watched_s if age_s is None else age_s
    if silence > limit_s:
        ago = f"No new row for {'at least ' if age_s is None else ''}{seconds(silence)}"
        return Health("stale", "stale", f"{ago}: this is the last that is known.{said} {TO_MEND}")
    unheard = watched_s if forecast_age_s is None else forecast_age_s
    if unheard <= limit_s:
        return None
    least = "at least " if forecast_age_s is None else ""
    detail = f"New bars come, but no new forecast for {least}{seconds(unheard)}.{said} {TO_MEND}"
    return Health("stale", "no forecasts", detail)
