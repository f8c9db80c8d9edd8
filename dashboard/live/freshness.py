"""Decides whether the page's data are current."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from observability.lag import length
from stack.conditions import ComponentSummary
from topics.units import interval_ms

Kind = Literal["connecting", "unreachable", "empty", "stale", "live"]

ON_THE_WAY = ("kafka", "postgres", "worker", "persist")
"""The components that a forecast passes on its way to the page."""
TO_FILL = "Start the pipeline with ./foretick up, or replay a file with ./foretick replay FILE."
TO_MEND = "Either the replay has ended, or something has stopped: see ./foretick status."
STALE_INTERVALS = 1.5
SHORTEST_STALE_S = 30.0


@dataclass(frozen=True)
class PageHealth:
    """The state of the page: a word for the badge, and a sentence about its meaning or what to do."""

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
    components: Sequence[ComponentSummary] = (),
) -> PageHealth:
    """Return the page's state.

    `error` is why the database cannot be read, `read` whether it ever was, `age_s` the seconds since a row of the
    series was seen to arrive (None: none since the page began to watch, `watched_s` ago), `forecast_age_s` the same of
    its forecasts, `limit_s` when that is stale. Bars that come over a forecaster that has stopped are not live, nor is
    what comes while one of the `components` on its way says that it does not do its work.
    """
    if error is not None:
        return PageHealth("unreachable", "database unreachable", f"{error} Trying again every few seconds.")
    if not read:
        return PageHealth("connecting", "connecting", "Reading the database.")
    if not has_series:
        return PageHealth("empty", "no data", f"The database has no bars yet. {TO_FILL}")
    bad = next((one for one in components if one.name in ON_THE_WAY and not one.good), None)
    text = f" {bad.name} is {bad.word}{f': {bad.why}' if bad.why else ''}." if bad else ""
    still = _stale(age_s, forecast_age_s, watched_s, limit_s, text)
    if still is not None:
        return still
    if bad is not None:
        return PageHealth("stale", f"{bad.name} {bad.word}", f"{text.strip()} ./foretick doctor shows what to do.")
    label, detail = ("waiting", f"no new row for {length(watched_s)} yet") if age_s is None else ("live", "")
    return PageHealth("live", label, detail or f"last row {length(age_s or 0.0)} ago")


def _stale(
    age_s: float | None, forecast_age_s: float | None, watched_s: float, limit_s: float, text: str
) -> PageHealth | None:
    """Return the state if rows, or forecasts for rows, have been missing for too long; else None."""
    silence = watched_s if age_s is None else age_s
    if silence > limit_s:
        ago = f"No new row for {'at least ' if age_s is None else ''}{length(silence)}"
        return PageHealth("stale", "stale", f"{ago}: these are the last known data.{text} {TO_MEND}")
    unheard = watched_s if forecast_age_s is None else forecast_age_s
    if unheard <= limit_s:
        return None
    least = "at least " if forecast_age_s is None else ""
    detail = f"New bars arrive, but no new forecast for {least}{length(unheard)}.{text} {TO_MEND}"
    return PageHealth("stale", "no forecasts", detail)
