"""The state of a page by what its readers said last: nothing old is shown as if it were of now."""

from collections.abc import Sequence
from html import escape
from typing import Any

from dashboard.live.freshness import PageHealth
from dashboard.polled_reader import Reading
from evaluation.eta import format_duration
from settings.places import typed

STALE_S = 15.0
"""A reader that has said nothing for this long is stuck: its source may be frozen."""


def page_health(readings: Sequence[Reading[Any]], something: bool, empty: str) -> PageHealth:
    """Return the page's state; `something` is whether there is anything to show, `empty` what to do if not."""
    failing = [reading for reading in readings if reading.error]
    ages = [reading.age_s for reading in readings if reading.age_s is not None]
    if not something:
        return _without(failing, len(ages) < len(readings), empty)
    silent = [one.age_s for one in readings if not one.error and one.age_s is not None and one.age_s > STALE_S]
    said = [_failed(one) for one in failing]
    if silent:
        rest = " of the rest" if failing else ""
        said.append(f"Nothing{rest} was read for {format_duration(max(silent))}: what is shown is as old.")
    if len(failing) == len(readings):
        return PageHealth("unreachable", "no answer", " ".join(said))
    if said:
        return PageHealth("stale", "in part" if failing else "stale", " ".join(said))
    return PageHealth("live", "up to date", "")


def _without(failing: Sequence[Reading[Any]], reading: bool, empty: str) -> PageHealth:
    """Return the state of a page with nothing to show."""
    if failing:
        return PageHealth("unreachable", "no answer", " ".join(str(one.error) for one in failing))
    if reading:
        return PageHealth("connecting", "reading", "Reading what there is.")
    return PageHealth("empty", "no data", empty)


def _failed(reading: Reading[Any]) -> str:
    old = (
        "Nothing of it is shown."
        if reading.age_s is None
        else f"What is shown of it is {format_duration(reading.age_s)} old."
    )
    return f"{reading.error} {old}"


def nothing(health: PageHealth, title: str, commands: Sequence[str]) -> str:
    """Return the text in place of the page while there is nothing to draw."""
    titles = {"empty": title, "unreachable": "No answer", "connecting": "Reading"}
    shown = "".join(f"<code>{escape(typed(command))}</code>" for command in commands) if health.kind == "empty" else ""
    head = f"<h2>{escape(titles.get(health.kind, 'Reading'))}</h2>"
    return f'<div class="blank {health.kind}">{head}<p>{escape(health.detail)}</p>{shown}</div>'
