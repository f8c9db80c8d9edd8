"""The matching, as a pure fold."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from alert_records import MINUTE, START, outcome, prediction, regime
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from alerts.rules import matching
from alerts.rules.fold import MOST_SERIES, State
from alerts.rules.matching import Key
from alerts.rules.quiet_hours import parse as quiet
from alerts.rules.rule import Rule, When
from topics.records import Alert, Drift, Gap, ModelEvent

ABOVE = Rule(name="big-move", on="prediction", when=When("above", "mean", 0.001), horizon=15, version=3)


def fold(rule: Rule, records: Sequence[Struct], states: dict[Key, State] | None = None) -> list[Alert]:
    """Return the alerts of the records, one batch each, so that every state goes through bytes and back."""
    kept = {} if states is None else states
    results: list[Alert] = []
    for record in records:
        changed, alerts = matching.run(matching.distribute([rule], {rule.on: [record]}), kept)
        kept |= {key: matching.load(matching.dump(state)) for key, state in changed.items()}
        results += alerts
    return results


def minutes(alerts: Sequence[Alert]) -> list[int]:
    return [(alert.time - START) // MINUTE for alert in alerts]


def change(rule: Rule, **fields: Any) -> Rule:
    return msgspec.structs.replace(rule, **fields)


def test_an_alert_has_the_fields_and_the_message_of_its_record() -> None:
    (alert,) = fold(ABOVE, [prediction(0, 0.00123)])
    assert alert.alert_id.startswith("big-move-3-")
    assert (alert.symbol, alert.time, alert.severity) == ("BTCUSDT", START, "warning")
    assert (alert.model, alert.interval, alert.horizon, alert.value, alert.rule_version) == (
        "ensemble",
        "1m",
        15,
        0.00123,
        3,
    )
    assert alert.message == (
        "BTCUSDT at 64,000.00: ensemble forecasts 64,000.00, 90% between 63,808.29 and 64,192.29, "
        "for 2025-06-15 15:23 UTC (15m ahead); mean 12.3 bp (above 10 bp)"
    )


def test_only_records_of_the_rules_symbols_model_horizon_and_the_champion_match() -> None:
    rule = change(ABOVE, symbols=("BTC*",), model="ensemble")
    others = [
        prediction(0, symbol="ETHUSDT"),
        prediction(1, model="naive"),
        prediction(2, role="challenger"),
        prediction(3, role="standby"),
        prediction(4, horizons=(1, 5, 60)),
        prediction(5, None),
        prediction(6, 0.001),
    ]
    assert fold(rule, others) == []
    assert minutes(fold(rule, [*others, prediction(7)])) == [7]


def test_without_hysteresis_every_match_alerts() -> None:
    assert minutes(fold(ABOVE, [prediction(m) for m in range(4)])) == [0, 1, 2, 3]


def test_with_hysteresis_a_rule_alerts_once_until_the_value_has_come_back() -> None:
    means = [0.0005, 0.0011, 0.0012, 0.0009, 0.0011, 0.0005, 0.0011]
    rule = change(ABOVE, rearm=0.0005)
    assert minutes(fold(rule, [prediction(m, mean) for m, mean in enumerate(means)])) == [1, 6]
    below = change(ABOVE, when=When("below", "mean", -0.001), rearm=0.0)
    assert minutes(fold(below, [prediction(m, -mean) for m, mean in enumerate([*means, 0.0, 0.002])])) == [1, 8]


def test_each_model_and_horizon_has_a_hysteresis_of_its_own() -> None:
    rule = change(ABOVE, horizon=None, rearm=0.0)
    records = [prediction(m, model=model, horizons=(1, 15)) for m in range(2) for model in ("naive", "ensemble")]
    assert [(a.model, a.horizon) for a in fold(rule, records)] == [
        ("naive", 1),
        ("naive", 15),
        ("ensemble", 1),
        ("ensemble", 15),
    ]


def test_a_cooldown_counts_the_matches_that_it_suppresses() -> None:
    alerts = fold(change(ABOVE, cooldown_ms=10 * MINUTE), [prediction(m) for m in range(25)])
    assert minutes(alerts) == [0, 10, 20]
    assert [alert.suppressed for alert in alerts] == [0, 9, 9]


def test_a_cooldown_holds_for_all_models_of_a_symbol_and_for_no_other_symbol() -> None:
    rule = change(ABOVE, cooldown_ms=10 * MINUTE)
    records = [prediction(0), prediction(1, model="naive"), prediction(1, symbol="ETHUSDT")]
    assert [(a.symbol, a.model) for a in fold(rule, records)] == [("BTCUSDT", "ensemble"), ("ETHUSDT", "ensemble")]


def test_quiet_hours_are_of_the_zone_and_may_go_past_midnight() -> None:
    hours = [prediction(m) for m in range(0, 24 * 60, 60)]  # from 15:07 UTC, which is 17:07 in Berlin
    night = fold(change(ABOVE, quiet=quiet("22:00-07:00", "Europe/Berlin")), hours)
    assert minutes(night) == [60 * h for h in (0, 1, 2, 3, 4, *range(14, 24))]
    noon = fold(change(ABOVE, quiet=quiet("12:00-16:00")), hours)
    assert minutes(noon) == [60 * h for h in range(1, 21)]
    assert noon[0].suppressed == 1


def test_confidence_and_signal_are_needed_for_a_match() -> None:
    sure = [prediction(m, p_up=p) for m, p in enumerate((0.5, 0.55, 0.64, 0.36, None, 0.9))]
    assert minutes(fold(change(ABOVE, min_confidence=0.125), sure)) == [2, 3, 5]
    signals = [prediction(m, mean) for m, mean in enumerate((0.0012, 0.0015, 0.003))]
    assert minutes(fold(change(ABOVE, min_signal=1.5), signals)) == [1, 2]


def test_becomes_alerts_at_the_change_and_not_at_the_first_record() -> None:
    states = ["turbulent", "turbulent", "calm", "turbulent", "turbulent", "trending_up", "turbulent"]
    records = [regime(m, state) for m, state in enumerate(states)]
    assert minutes(fold(Rule(name="r", on="regime", when=When("becomes", "state", word="turbulent")), records)) == [
        3,
        6,
    ]
    assert minutes(fold(Rule(name="r", on="regime", when=When("changes", "state")), records)) == [2, 3, 5, 6]
    assert minutes(fold(Rule(name="r", on="regime", when=When("is", "state", word="calm")), records)) == [2]


def test_coverage_is_known_of_a_full_window_only() -> None:
    rule = Rule(name="c", on="outcome", when=When("below", "coverage", 0.8), window=10, horizon=15)
    hits: list[bool | None] = [False, False, True, True, True, None, True, True, True, True, True, False, False, False]
    alerts = fold(rule, [outcome(m, hit) for m, hit in enumerate(hits)])
    assert [(a.time - START) // MINUTE - 15 for a in alerts] == [13]
    assert alerts[0].value == 0.7


def test_the_two_skills_are_of_the_sums_of_the_window() -> None:
    """Of pinball losses only those that have the naive model's beside them count, of errors all."""
    records = [outcome(m, True, naive_pinball=None if m == 5 else 0.0004) for m in range(12)]
    pinball = fold(Rule(name="p", on="outcome", when=When("below", "pinball_skill", 0.0), window=10), records)
    assert [(a.time - START) // MINUTE - 15 for a in pinball] == [10, 11]
    assert [a.value for a in pinball] == [pytest.approx(1 - 0.0005 / 0.0004)] * 2
    mae = fold(Rule(name="m", on="outcome", when=When("below", "mae_skill", 0.0), window=10), records)
    assert [(a.time - START) // MINUTE - 15 for a in mae] == [9, 10, 11]
    assert [a.value for a in mae] == [-1.0] * 3
    assert pinball[0].message.endswith("pinball_skill -0.25 (below 0)")


def test_a_skill_against_no_loss_is_unknown() -> None:
    records = [outcome(m, True, naive_pinball=0.0) for m in range(12)]
    for operator in ("above", "below"):
        assert fold(Rule(name="p", on="outcome", when=When(operator, "pinball_skill", -1.0), window=10), records) == []


def test_an_alert_about_a_record_without_a_symbol_has_the_symbol_all() -> None:
    event = ModelEvent(
        model="ensemble",
        version="v2",
        event="refused",
        fingerprint="f",
        time=START,
        reason="its inputs are not these features",
    )
    (alert,) = fold(
        Rule(name="m", on="model-event", when=When("is", "event", word="refused"), message="{model}: {reason}"), [event]
    )
    assert (alert.symbol, alert.message) == ("ALL", "ensemble: its inputs are not these features")
    drift = Drift(
        model="ensemble",
        version="v2",
        kind="errors",
        detector="adwin",
        time=START,
        statistic=3.0,
        limit=2.0,
        interval="1m",
        symbol="BTCUSDT",
        horizon=15,
    )
    (alert,) = fold(Rule(name="d", on="drift", when=When("any"), horizon=15), [drift])
    assert (alert.symbol, alert.horizon) == ("BTCUSDT", 15)


def test_an_alert_about_a_gap_has_the_time_of_its_end() -> None:
    gap = Gap(symbol="BTCUSDT", venue="binance", start=START, end=START + 90_000, reason="reconnected", trades=12)
    alerts = fold(Rule(name="g", on="gap", when=When("above", "duration", 60_000.0)), [gap])
    assert [(a.time, a.value) for a in alerts] == [(START + 90_000, 90_000.0)]
    assert alerts[0].message.startswith("BTCUSDT: trades of binance are missing over 90 s, 2025-06-15 15:07 UTC to ")


def test_the_series_of_one_symbol_are_bounded() -> None:
    states: dict[Key, State] = {}
    events = [
        ModelEvent(model="m", version=f"v{n}", event="loaded", fingerprint="f", time=START + n)
        for n in range(MOST_SERIES + 10)
    ]
    assert len(fold(Rule(name="m", on="model-event", when=When("any")), events, states)) == len(events)
    (state,) = states.values()
    assert len(state.series) == MOST_SERIES


WALK = st.lists(
    st.tuples(st.integers(0, 200), st.sampled_from(["ensemble", "naive"]), st.sampled_from([0.0, 0.0011, 0.002])),
    max_size=60,
)
RULES = st.builds(
    lambda cooldown, rearm: change(ABOVE, cooldown_ms=cooldown * MINUTE, rearm=rearm),
    st.integers(0, 50),
    st.sampled_from([None, 0.0005]),
)


@given(RULES, WALK)
def test_there_are_never_two_alerts_about_a_symbol_within_a_cooldown(rule: Rule, walk: list[Any]) -> None:
    times = sorted(alert.time for alert in fold(rule, [prediction(m, mean, model=model) for m, model, mean in walk]))
    assert all(later - earlier >= rule.cooldown_ms for earlier, later in pairwise(times))


@given(RULES, WALK, st.integers(0, 60), st.integers(0, 60))
def test_a_record_delivered_again_makes_no_second_alert(rule: Rule, walk: list[Any], cut: int, back: int) -> None:
    records = [prediction(m, mean, model=model) for m, model, mean in walk]
    once = {alert.alert_id for alert in fold(rule, records)}
    start = max(0, min(cut, len(records)) - back)
    assert fold(rule, [*records, *records[start:]]) == fold(rule, records)
    states: dict[Key, State] = {}
    before = fold(rule, records[:cut], states)
    older = dict(states)
    first, second = fold(rule, records[cut:], states), fold(rule, records[cut:], older)
    assert first == second
    assert {alert.alert_id for alert in (*before, *first)} == once


@given(RULES, WALK, st.lists(st.integers(1, 20), max_size=10))
def test_how_the_records_are_cut_into_batches_changes_nothing(rule: Rule, walk: list[Any], cuts: list[int]) -> None:
    records = [prediction(m, mean, model=model) for m, model, mean in walk]
    states: dict[Key, State] = {}
    results: list[Alert] = []
    rest = records
    for cut in [*cuts, len(records)]:
        changed, alerts = matching.run(matching.distribute([rule], {rule.on: rest[:cut]}), states)
        states |= changed
        results += alerts
        rest = rest[cut:]
    assert {alert.alert_id for alert in results} == {alert.alert_id for alert in fold(rule, records)}


def test_another_version_of_a_rule_makes_other_ids() -> None:
    (one,), (other,) = fold(ABOVE, [prediction(0)]), fold(change(ABOVE, version=4), [prediction(0)])
    assert one.alert_id != other.alert_id


@pytest.mark.parametrize("name", ["m", "m2"])
def test_each_record_and_symbol_gives_another_alert_id(name: str) -> None:
    rule = change(ABOVE, name=name)
    ids = {alert.alert_id for alert in fold(rule, [prediction(m, symbol=s) for m in range(3) for s in ("A", "B")])}
    assert len(ids) == 6
