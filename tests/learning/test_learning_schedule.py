"""A training is due by the bars' time: at cron's times and after drift, never within the cooldown."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from learning.training.schedule import StreamState, due, planned_after
from settings import Settings
from topics.records import Drift

DAY, HOUR = 86_400_000, 3_600_000
SUNDAY = 1_748_142_000_000  # 2025-05-25 03:00 UTC
WEEKLY = "0 3 * * 0"


def settings(**changed: object) -> Settings:
    return Settings(**{"retrain_cron": WEEKLY, "retrain_cooldown_hours": 24.0, **changed})


def seen(newest: int, last_run: int | None = None, first: int = SUNDAY - DAY, history: int = 30 * DAY) -> StreamState:
    return StreamState(newest, newest - history, first, last_run)


def alarm(time: int, kind: str = "errors") -> Drift:
    return Drift(
        model="gbm", version="v1", kind=kind, detector="adwin", time=time, statistic=3.0, limit=2.0, interval="1m"
    )


def asked(results: tuple[str, str] | None) -> str | None:
    return None if results is None else results[0]


def test_at_the_first_look_no_long_past_time_counts_and_the_next_one_does() -> None:
    first = SUNDAY + 1
    assert due(settings(), seen(first, first=first), [], 7) is None
    assert due(settings(), seen(first + 7 * DAY - 2, first=first), [], 7) is None
    results = due(settings(), seen(first + 7 * DAY, first=first), [], 7)
    assert results == ("cron", "0 3 * * 0: 2025-06-01 03:00 has passed")


def test_after_a_run_the_next_time_counts_and_one_that_was_slept_through_counts_once() -> None:
    assert due(settings(), seen(SUNDAY + 6 * DAY, last_run=SUNDAY + 60_000), [], 7) is None
    late = SUNDAY + 24 * DAY
    assert asked(due(settings(), seen(late, last_run=SUNDAY), [], 7)) == "cron"
    assert due(settings(), seen(late + DAY, last_run=late), [], 7) is None


def test_a_run_ahead_of_the_bars_keeps_schedule_and_drift_off_until_they_are_there() -> None:
    """So does `replay --no-retrain`, with a run that did nothing at the last bar that it will send."""
    end = SUNDAY + 21 * DAY + 7 * HOUR
    for newest in range(SUNDAY - 6 * DAY, end + 1, DAY):
        assert due(settings(), seen(newest, last_run=end), [alarm(newest)], 7) is None
    assert due(settings(), seen(end + 6 * DAY, last_run=end), [alarm(end)], 7) is None
    assert asked(due(settings(), seen(end + 7 * DAY, last_run=end), [], 7)) == "cron"
    assert asked(due(settings(), seen(end + 2 * DAY, last_run=end), [alarm(end + DAY)], 7)) == "drift"


def test_drift_counts_once_and_waits_for_the_cooldown() -> None:
    raised, run = SUNDAY + 5 * HOUR, SUNDAY + HOUR
    alarms = [alarm(raised), alarm(raised - HOUR, "features")]
    assert due(settings(), seen(run + 24 * HOUR - 1, last_run=run), alarms, 7) is None
    results = due(settings(), seen(run + 24 * HOUR, last_run=run), alarms, 7)
    assert results == (
        "drift",
        "features of gbm v1: adwin 3 beyond 2 at 2025-05-25 07:00, and 1 more",
    )
    assert due(settings(), seen(run + 3 * DAY, last_run=run + 25 * HOUR), alarms, 7) is None
    assert due(settings(retrain_on_drift=False), seen(run + 24 * HOUR, last_run=run), alarms, 7) is None


def test_before_the_first_run_there_is_no_cooldown_and_old_alarms_do_not_count() -> None:
    assert asked(due(settings(), seen(SUNDAY - HOUR, first=SUNDAY - DAY), [alarm(SUNDAY - 2 * HOUR)], 7)) == "drift"
    assert due(settings(), seen(SUNDAY - HOUR, first=SUNDAY - 2 * HOUR), [alarm(SUNDAY - 2 * HOUR)], 7) is None


def test_what_is_due_waits_for_enough_history() -> None:
    assert due(settings(), seen(SUNDAY + DAY, history=7 * DAY - 1), [alarm(SUNDAY)], 7) is None
    assert asked(due(settings(), seen(SUNDAY + DAY, history=7 * DAY), [], 7)) == "cron"


def test_without_a_cron_expression_no_run_is_due() -> None:
    assert due(settings(retrain_cron=""), seen(SUNDAY + 900 * DAY), [], 7) is None


def test_times_are_utc() -> None:
    at = planned_after("30 12 1 * *", SUNDAY)
    assert datetime.fromtimestamp(at / 1_000, UTC).isoformat() == "2025-06-01T12:30:00+00:00"


@pytest.mark.parametrize("text", [WEEKLY, "*/15 * * * *", "0 3 1,15 * mon-fri", "@daily"])
def test_cron_expressions_are_taken(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("FORETICK_RETRAIN_CRON", text)
    assert Settings().retrain_cron == text


def test_the_word_never_switches_the_schedule_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORETICK_RETRAIN_CRON", "never")
    assert Settings().retrain_cron == ""


@pytest.mark.parametrize("text", ["soon", "0 3 * *", "61 3 * * 0", "* * * * * *", "0 0 31 2 *", "H 3 * * 0"])
def test_an_invalid_cron_expression_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("FORETICK_RETRAIN_CRON", text)
    with pytest.raises(ValidationError) as caught:
        Settings()
    (problem,) = caught.value.errors()
    assert problem["loc"] == ("retrain_cron",)
    assert problem["msg"] == (
        f"{text!r} names no time in cron's syntax, such as '0 3 * * 0' (minute, hour, day, month, weekday); "
        "never: for no training by schedule"
    )
