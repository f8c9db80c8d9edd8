"""The state of a page by what its readers said last."""

from typing import Any

import pytest

from dashboard.polled_reader import Reading
from dashboard.reader_health import STALE_S, nothing, page_health

FRESH: Reading[Any] = Reading(1, 0.5, None)
UNREAD: Reading[Any] = Reading(None, None, None)
AWAY: Reading[Any] = Reading(None, None, "No answer <b>.")
OLD: Reading[Any] = Reading(1, 125.0, "No answer.")
STUCK: Reading[Any] = Reading(1, STALE_S + 1, None)


@pytest.mark.parametrize(
    ("readings", "something", "kind", "words"),
    [
        ([FRESH, FRESH], True, "live", ""),
        ([FRESH, FRESH], False, "empty", "train"),
        ([UNREAD, FRESH], False, "connecting", "Reading"),
        ([AWAY, FRESH], False, "unreachable", "No answer <b>."),
        ([AWAY, FRESH], True, "stale", "No answer <b>. Nothing of it is shown."),
        ([OLD, FRESH], True, "stale", "No answer. What is shown of it is 2 min old."),
        ([OLD, AWAY], True, "unreachable", "What is shown of it is 2 min old."),
        ([STUCK, FRESH], True, "stale", "Nothing was read for 16 s"),
        ([OLD, STUCK], True, "stale", "is 2 min old. Nothing of the rest was read for 16 s"),
    ],
)
def test_nothing_old_is_shown_as_if_it_were_of_now(
    readings: list[Reading[Any]], something: bool, kind: str, words: str
) -> None:
    health = page_health(readings, something, "train something")
    assert health.kind == kind
    assert words in health.detail


def test_commands_are_suggested_only_where_nothing_is_stored() -> None:
    empty = nothing(page_health([FRESH], something=False, empty="Train."), "No training yet", ("foretick <up>",))
    assert "No training yet" in empty
    assert "foretick &lt;up&gt;" in empty
    away = nothing(page_health([AWAY], something=False, empty="Train."), "No training yet", ("foretick <up>",))
    assert "No answer &lt;b&gt;." in away
    assert "foretick" not in away
