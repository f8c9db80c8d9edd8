"""The page says live only while rows arrive, and always what it does not know."""

import pytest

from dashboard.live.freshness import Kind, decide, stale_after
from observability.lag import length as duration
from stack.conditions import ComponentSummary


@pytest.mark.parametrize(
    ("error", "read", "has_series", "age_s", "watched_s", "kind", "label"),
    [
        (None, False, False, None, 0.0, "connecting", "connecting"),
        ("No answer from x.", False, False, None, 9.0, "unreachable", "database unreachable"),
        ("No answer from x.", True, True, 1.0, 9.0, "unreachable", "database unreachable"),
        (None, True, False, None, 9.0, "empty", "no data"),
        (None, True, True, 1.0, 999.0, "live", "live"),
        (None, True, True, None, 5.0, "live", "waiting"),
        (None, True, True, None, 91.0, "stale", "stale"),
        (None, True, True, 91.0, 999.0, "stale", "stale"),
    ],
)
def test_the_state_follows_from_what_is_known(
    error: str | None, read: bool, has_series: bool, age_s: float | None, watched_s: float, kind: Kind, label: str
) -> None:
    known = {"error": error, "read": read, "has_series": has_series, "watched_s": watched_s}
    health = decide(**known, age_s=age_s, forecast_age_s=age_s, limit_s=90.0)
    assert (health.kind, health.label) == (kind, label)


@pytest.mark.parametrize(
    ("forecast_age_s", "components", "kind", "label", "says"),
    [
        (5.0, [("worker", "healthy", "", True)], "live", "live", "last row 1 s ago"),
        (5.0, [("worker", "lagging", "behind on bars for 9 s, by 9 rows", True)], "live", "live", "last row 1 s ago"),
        (5.0, [("trainer", "unknown", "no answer", False)], "live", "live", "last row 1 s ago"),
        (
            5.0,
            [("worker", "looping", "4 restarts", False)],
            "stale",
            "worker looping",
            "worker is looping: 4 restarts.",
        ),
        (5.0, [("persist", "restarting", "", False)], "stale", "persist restarting", "persist is restarting."),
        (200.0, [], "stale", "no forecasts", "no new forecast for 3 min"),
        (None, [], "stale", "no forecasts", "no new forecast for at least 16 min"),
        (200.0, [("worker", "stuck", "x", False)], "stale", "no forecasts", "worker is stuck: x."),
    ],
)
def test_bars_over_a_forecaster_that_has_stopped_are_not_live(
    forecast_age_s: float | None, components: list[tuple[str, str, str, bool]], kind: Kind, label: str, says: str
) -> None:
    health = decide(
        error=None,
        read=True,
        has_series=True,
        age_s=1.0,
        forecast_age_s=forecast_age_s,
        watched_s=999.0,
        limit_s=90.0,
        components=[ComponentSummary(*one) for one in components],
    )
    assert (health.kind, health.label) == (kind, label)
    assert says in health.detail


def test_an_unreachable_database_is_named() -> None:
    health = decide(
        error="No answer from db:1.", read=True, has_series=True, age_s=1, forecast_age_s=1, watched_s=1, limit_s=9
    )
    assert health.detail.startswith("No answer from db:1.")


def test_what_was_never_seen_to_arrive_is_at_least_so_old() -> None:
    health = decide(error=None, read=True, has_series=True, age_s=None, forecast_age_s=None, watched_s=120, limit_s=90)
    assert "at least 2 min" in health.detail


def test_an_empty_database_says_what_to_do() -> None:
    health = decide(error=None, read=True, has_series=False, age_s=None, forecast_age_s=None, watched_s=1, limit_s=9)
    assert "./foretick up" in health.detail
    assert "./foretick replay" in health.detail


def test_a_live_minute_is_not_stale_before_the_next_is_due() -> None:
    assert stale_after("1m") > 60
    assert stale_after("1s") >= 30
    assert stale_after("1d") > 86_400


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59.9, "59 s"), (60, "1 min"), (7_200, "2 h"), (1e6, "11 d")]
)
def test_a_length_of_time_is_said_in_its_largest_unit(seconds: float, text: str) -> None:
    assert duration(seconds) == text
