"""The page says live only while rows arrive, and always what it does not know."""

from datetime import UTC, datetime
from typing import Any

import pytest

from dashboard.clock import Clock
from dashboard.live.freshness import Evidence, Kind, PageHealth, decide, late, stale_after
from observability.lag import length as duration
from stack.conditions import ComponentSummary

JUNE = datetime(2025, 6, 3, 12, 0, tzinfo=UTC).timestamp() * 1000
NOW = {"bar": JUNE, "bar_age_s": 5.0}
"""A bar that has ended just now by the clock."""
PAST = {"bar": JUNE, "bar_age_s": 300 * 86_400.0}


def decided(**known: Any) -> PageHealth:
    return decide(Evidence(limit_s=90.0, **known), Clock())


@pytest.mark.parametrize(
    ("known", "kind", "label"),
    [
        ({"read": False, "has_series": False}, "connecting", "connecting"),
        ({"error": "No answer from x.", "read": False, "watched_s": 9.0}, "unreachable", "database unreachable"),
        ({"error": "No answer from x.", "age_s": 1.0, **NOW}, "unreachable", "database unreachable"),
        ({"answer_age_s": 9.0, "age_s": 1.0, "forecast_age_s": 1.0, **NOW}, "unreachable", "database silent"),
        ({"failure": "KeyError.", "age_s": 1.0, "forecast_age_s": 1.0, **NOW}, "unreachable", "not understood"),
        ({"has_series": False, "watched_s": 9.0}, "empty", "no data"),
        ({"age_s": 1.0, "forecast_age_s": 1.0, **NOW}, "live", "live"),
        ({"watched_s": 5.0, **NOW}, "live", "live"),
        ({"watched_s": 5.0}, "waiting", "waiting"),
        ({"watched_s": 5.0, **PAST}, "waiting", "waiting"),
        ({"watched_s": 91.0, **PAST}, "stale", "stale"),
        ({"age_s": 91.0, "forecast_age_s": 91.0, **NOW}, "stale", "stale"),
        ({"age_s": 1.0, "forecast_age_s": 1.0, **PAST}, "replay", "replay of 3 June 2025"),
        ({"age_s": 1.0, "forecast_age_s": 1.0, "bar": JUNE, "bar_age_s": 1_200.0}, "replay", "catching up"),
        ({"age_s": 1.0, "forecast_age_s": 65.0, "behind": 77, **PAST}, "stale", "forecasts late"),
        ({"age_s": 1.0, "forecast_age_s": 65.0, "behind": 77, **NOW}, "stale", "forecasts late"),
        ({"age_s": 1.0, "forecast_age_s": 1.0, "behind": 77, **PAST}, "replay", "replay of 3 June 2025"),
        ({"age_s": 1.0, "forecast_age_s": 61.0, "behind": 1, **NOW}, "live", "live"),
    ],
)
def test_the_state_follows_from_what_is_known(known: dict[str, Any], kind: Kind, label: str) -> None:
    health = decided(**known)
    assert (health.kind, health.label) == (kind, label)


@pytest.mark.parametrize("known", [NOW, PAST, {"bar": JUNE, "bar_age_s": 91.0}])
@pytest.mark.parametrize("answer_age_s", [0.0, 60.0])
@pytest.mark.parametrize("behind", [0, 77])
def test_live_is_only_what_is_of_now_and_answered_and_forecast(
    known: dict[str, float], answer_age_s: float, behind: int
) -> None:
    health = decided(age_s=0.0, forecast_age_s=65.0, answer_age_s=answer_age_s, behind=behind, **known)
    assert (health.kind == "live") == (known is NOW and not answer_age_s and not behind)


def test_a_replay_that_outruns_its_forecasts_says_by_how_much() -> None:
    assert "forecasts 77 bars behind" in decided(age_s=1.0, forecast_age_s=1.0, behind=77, **PAST).detail


def test_a_forecast_of_an_earlier_bar_is_late() -> None:
    assert [late(behind) for behind in (None, 0, 2, 3)] == [False, False, False, True]


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
    health = decided(
        age_s=1.0,
        forecast_age_s=forecast_age_s,
        watched_s=999.0,
        components=[ComponentSummary(*one) for one in components],
        **NOW,
    )
    assert (health.kind, health.label) == (kind, label)
    assert says in health.detail


def test_an_unreachable_database_is_named() -> None:
    assert decided(error="No answer from db:1.", age_s=1.0).detail.startswith("No answer from db:1.")


def test_without_an_arrival_the_age_is_at_least_the_time_watched() -> None:
    assert "at least 2 min" in decided(watched_s=120.0).detail


def test_an_empty_database_says_what_to_do() -> None:
    health = decided(has_series=False)
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
