"""Each forecast gets exactly one outcome, the one that a plain recomputation over the whole series gives."""

from collections.abc import Sequence

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_data import MINUTE, START
from msgspec.structs import replace

from models.scoring import outcomes
from models.scoring.outcomes import OutcomesState
from topics.records import HORIZONS, QUANTILES, Forecast, Outcome, Prediction


def forecast(rng: np.random.Generator, horizon: int) -> Forecast:
    kind = rng.integers(5)
    if kind == 0:
        return Forecast(horizon=horizon)
    mean = 0.0 if kind == 1 else float(rng.normal(0, 1e-3))
    return Forecast(
        horizon=horizon,
        mean=mean,
        scale=1e-3,
        quantiles=sorted(rng.normal(0, 1e-3 * horizon**0.5, len(QUANTILES)).tolist()),
        p_up=0.5,
    )


def predictions_of(rows: int, gaps: float, seed: int, models: Sequence[str] = ("naive", "gbm")) -> list[Prediction]:
    """Return random predictions of several models over a random walk that often stands still, with bars missing."""
    rng = np.random.default_rng(seed)
    times = START + MINUTE * np.flatnonzero(rng.random(rows) >= gaps)
    prices = 100 * np.exp(np.cumsum(rng.normal(0, 1e-3, len(times)) * (rng.random(len(times)) < 0.7)))
    return [
        Prediction(
            symbol="COIN",
            interval="1m",
            time=time,
            model=model,
            version="v1",
            fingerprint="f",
            price=price,
            forecasts=[forecast(rng, horizon) for horizon in HORIZONS],
        )
        for time, price in zip(times.tolist(), prices.tolist(), strict=True)
        for model in models
    ]


def in_parts(predictions: Sequence[Prediction], cuts: Sequence[int]) -> list[Outcome]:
    state, results = outcomes.initial(), []
    for first, end in zip([0, *cuts], [*cuts, len(predictions)], strict=True):
        state, part = outcomes.step(OutcomesState.loads(state.dumps()), predictions[first:end])
        results += part
    return results


def plainly(predictions: Sequence[Prediction]) -> dict[tuple[str, int, int], Outcome]:
    """Recompute every outcome by looking at the whole series at once."""
    closes = pd.Series({item.time: item.price for item in predictions})
    expected = {}
    for item in predictions:
        for output in item.forecasts:
            target = item.time + output.horizon * MINUTE
            if target > closes.index[-1]:
                continue
            head = ("COIN", "1m", item.time, item.model, item.version, output.horizon, target)
            if target not in closes.index:
                expected[item.model, item.time, output.horizon] = Outcome(*head, "stale")
                continue
            value = float(np.log(closes[target] / item.price))
            if output.mean is None or output.quantiles is None:
                expected[item.model, item.time, output.horizon] = Outcome(*head, "unscored", value)
                continue
            miss = value - np.array(output.quantiles)
            levels = np.array(QUANTILES)
            expected[item.model, item.time, output.horizon] = Outcome(
                *head,
                "scored",
                value,
                abs(value - output.mean),
                abs(value),
                float(np.mean(np.where(miss >= 0, levels * miss, (levels - 1) * miss))),
                output.quantiles[0] <= value <= output.quantiles[-1],
                None if value == 0 or output.mean == 0 else (value > 0) == (output.mean > 0),
            )
    for (model, time, horizon), item in expected.items():
        naive = expected.get(("naive", time, horizon))
        if naive is not None:
            expected[model, time, horizon] = replace(item, naive_pinball=naive.pinball)
    return expected


@pytest.mark.parametrize("gaps", [0.0, 0.1, 0.6])
def test_outcomes_equal_a_plain_recomputation(gaps: float) -> None:
    predictions = predictions_of(600, gaps, seed=1)
    _, results = outcomes.step(outcomes.initial(), predictions)
    expected = plainly(predictions)
    assert len(results) == len(expected)
    assert {"scored", "unscored"} | ({"stale"} if gaps else set()) == {item.status for item in results}
    for item in results:
        wanted = expected[item.model, item.time, item.horizon]
        for field in Outcome.__struct_fields__:
            one, other = getattr(item, field), getattr(wanted, field)
            assert one == (pytest.approx(other, abs=1e-12) if isinstance(other, float) else other), (field, item)


@settings(max_examples=60, deadline=None)
@given(
    gaps=st.sampled_from([0.0, 0.2, 0.9]),
    seed=st.integers(0, 9),
    cuts=st.lists(st.integers(0, 300), max_size=8).map(sorted),
    again=st.integers(0, 60),
)
def test_cuts_and_redelivery_change_nothing(gaps: float, seed: int, cuts: list[int], again: int) -> None:
    predictions = predictions_of(150, gaps, seed)
    _, expected = outcomes.step(outcomes.initial(), predictions)
    cuts = [min(cut, len(predictions)) for cut in cuts]
    assert in_parts(predictions, cuts) == expected
    state, results = outcomes.initial(), []
    for first, end in zip([0, *cuts], [*cuts, len(predictions)], strict=True):
        state, part = outcomes.step(state, predictions[max(0, first - again) : end])
        results += part
    assert results == expected


def test_each_matured_forecast_has_exactly_one_outcome_in_the_order_of_maturing() -> None:
    predictions = predictions_of(400, 0.1, seed=2, models=("naive", "online", "gbm"))
    _, results = outcomes.step(outcomes.initial(), predictions)
    names = [(item.model, item.time, item.horizon) for item in results]
    last = predictions[-1].time
    assert len(set(names)) == len(names)
    assert len(names) == sum(
        item.time + output.horizon * MINUTE <= last for item in predictions for output in item.forecasts
    )
    bars = np.unique([item.time for item in predictions])
    matured = [int(bars[np.searchsorted(bars, item.target_time)]) for item in results]
    assert matured == sorted(matured)


def test_the_last_forecasts_of_a_version_that_left_service_mature_too() -> None:
    old = predictions_of(200, 0.0, seed=3, models=("gbm",))
    new = [
        Prediction(
            symbol="COIN",
            interval="1m",
            time=item.time,
            model="gbm",
            version="v2",
            fingerprint="f",
            price=item.price,
            forecasts=item.forecasts,
        )
        for item in predictions_of(400, 0.0, seed=3, models=("gbm",))[200:]
    ]
    _, results = outcomes.step(outcomes.initial(), [*old, *new])
    assert sum(item.version == "v1" for item in results) == 200 * len(HORIZONS)


def test_a_prediction_that_comes_after_its_target_has_passed_is_stale() -> None:
    state, _ = outcomes.step(outcomes.initial(), predictions_of(100, 0.0, seed=4, models=("naive",)))
    late = predictions_of(3, 0.0, seed=4, models=("slow",))
    state, results = outcomes.step(state, late)
    assert results == []
    following = predictions_of(101, 0.0, seed=4, models=("naive",))[100:]
    _, results = outcomes.step(state, following)
    assert {item.status for item in results if item.model == "slow"} == {"stale"}
    assert sum(item.model == "slow" for item in results) == 3 * len(HORIZONS)


def test_nothing_in_gives_nothing_out() -> None:
    assert outcomes.step(outcomes.initial(), []) == (outcomes.initial(), [])
    assert outcomes.initial().last_time == -1


def test_a_prediction_without_forecasts_has_no_outcomes_and_holds_none_back() -> None:
    empty = [
        Prediction(
            symbol="COIN",
            interval="1m",
            time=START + MINUTE * row,
            model="silent",
            version="v1",
            fingerprint="f",
            price=100.0,
            forecasts=[],
        )
        for row in range(3)
    ]
    assert outcomes.step(outcomes.initial(), empty)[1] == []
    predictions = predictions_of(100, 0.0, seed=5)
    _, expected = outcomes.step(outcomes.initial(), predictions)
    assert outcomes.step(outcomes.initial(), [*empty, *predictions])[1] == expected


def test_an_outcome_has_the_role_in_which_its_forecast_was_made() -> None:
    before, after = predictions_of(100, 0.0, seed=6, models=("gbm",)), predictions_of(200, 0.0, seed=6, models=("gbm",))
    challenger = [replace(item, version="v2", role="challenger") for item in before]
    switched = [replace(item, role="standby") for item in after[100:]]
    champion = [replace(item, version="v2") for item in after[100:]]
    results = in_parts([*before, *challenger, *switched, *champion], [40, 150, 260])
    roles = {(item.version, item.time, item.role) for item in results}
    last = before[-1].time
    assert roles == {
        (version, item.time, first if item.time <= last else then)
        for version, first, then in (("v1", "champion", "standby"), ("v2", "challenger", "champion"))
        for item in after[:-1]
    }


@pytest.mark.parametrize(("cut", "first"), [(0, 10), (20, 15)])
def test_a_forecast_that_comes_again_in_another_role_is_scored_in_that_one_once(cut: int, first: int) -> None:
    """Those five ahead that have matured before, when all but the last bar were seen, keep their role."""
    predictions = predictions_of(21, 0.0, seed=8, models=("gbm",))
    again = [replace(item, role="standby") for item in predictions[10:20]]
    state, results = outcomes.step(outcomes.initial(), predictions[:cut])
    _, more = outcomes.step(OutcomesState.loads(state.dumps()), [*predictions[cut:20], *again, predictions[20]])
    ahead = [item for item in [*results, *more] if item.horizon == 5]
    assert [item.time for item in ahead] == [item.time for item in predictions[:16]]
    assert [item.role for item in ahead] == ["champion"] * first + ["standby"] * (16 - first)


@pytest.mark.parametrize("cut", [0, 40, 77])
def test_the_naive_champions_loss_at_the_same_bar_and_horizon_stands_beside_each(cut: int) -> None:
    """Whichever comes first; a challenger of naive's is none, and where naive said nothing there is no loss."""
    predictions = predictions_of(60, 0.1, seed=11, models=("gbm", "naive", "ridge"))
    rivals = [
        replace(item, version="v2", role="challenger") for item in predictions_of(60, 0.1, seed=11, models=("naive",))
    ]
    everything = sorted([*predictions, *rivals], key=lambda item: item.time)
    results = in_parts(everything, [cut, cut + 30])
    losses = {
        (item.time, item.horizon): item.pinball for item in results if item.model == "naive" and item.role == "champion"
    }
    assert sum(item.naive_pinball is not None for item in results) > 300
    for item in results:
        assert item.naive_pinball == losses[item.time, item.horizon]


def test_a_state_from_before_there_were_roles_goes_on_as_the_champions() -> None:
    predictions = predictions_of(60, 0.1, seed=9)
    state, _ = outcomes.step(outcomes.initial(), predictions[:60])
    last_time, waiting, width = msgspec.msgpack.decode(state.dumps())
    narrow = [
        (*key, newest, [np.frombuffer(part).reshape(-1, width)[:, :-1].tobytes() for part in parts])
        for *key, newest, parts in waiting
    ]
    before = OutcomesState.loads(msgspec.msgpack.encode((last_time, narrow)))
    assert outcomes.step(before, predictions[60:])[1] == outcomes.step(state, predictions[60:])[1]
    assert {item.role for item in outcomes.step(before, predictions[60:])[1]} == {"champion"}
