"""Whatever the codec accepts, the folds take: nothing raises, and what they publish can be read."""

import math
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from model_data import NAMES
from msgspec import Struct

from features import bars as time_bars
from features import information_bars, market
from features.cross_section import Universe
from features.frame import BarFrame, FeatureFrame
from features.step import FeatureState, FeatureStep
from models.forecaster import Forecaster
from models.registry.zoo import COMBINERS
from models.scoring import outcomes
from models.scoring.outcomes import MOST_OF_ALL, MOST_SERIES, MOST_WAITING, OutcomesState
from models.serving.predictor import Predictor, PredictorState
from topics import codec
from topics.catalog import MAX_MESSAGE_BYTES
from topics.records import HORIZONS, QUANTILES, Bar, Features, Forecast, Outcome, Prediction, Regime, Tick

START, MINUTE = 1_700_000_040_000, 60_000
PRICES = st.sampled_from([1e-12, 1e12, 1.0, 3e-9, 42_000.0]) | st.floats(-12, 12).map(lambda power: 10.0**power).map(
    lambda price: min(max(price, 1e-12), 1e12)
)
VOLUMES = st.none() | st.sampled_from([0.0, 1e-18, 1e24, 1.0])
COUNTS = st.none() | st.sampled_from([0, 1, 2**53])
PACES = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
STEP = FeatureStep()


@st.composite
def bars(draw: st.DrawFn, symbol: str = "A", interval: str = "1m") -> list[Bar]:
    """Runs of one shape, so that windows fill: each bar is a new draw, or moves between two extremes, or stands."""
    results: list[Bar] = []
    time = START
    for _ in range(draw(st.integers(1, 4))):
        ends = draw(st.lists(PRICES, min_size=1, max_size=3))
        volume, trades, quote = draw(VOLUMES), draw(COUNTS), draw(st.none() | st.sampled_from([0.0, 1e36, 1e-30]))
        bought, returned = draw(VOLUMES), draw(st.none() | st.sampled_from([-100.0, 0.0, 100.0]))
        rank = draw(st.none() | st.sampled_from([0.0, 0.5, 1.0]))
        for k in range(draw(st.sampled_from([1, 2, 40, 130]))):
            first, last = ends[k % len(ends)], ends[(k + 1) % len(ends)]
            low, high = min(first, last), max(first, last)
            prices = (first, high, low, last)
            rest = (volume, trades, bought, quote, 0, trades, returned, rank, returned)
            results.append(Bar(symbol, interval, time, *prices, *rest))
            time += MINUTE
        time += MINUTE * draw(st.sampled_from([0, 0, 1, 500, 10_000_000]))
    return results


def travelled(records: Sequence[Struct], record: type[Struct]) -> list[Struct]:
    """The records as they come off the topic: what is published must be readable."""
    frame = codec.decode(codec.encode(records), record)
    assert frame.rejected == []
    return frame.records


def walked(rows: Sequence[Bar], predictor: Predictor, cut: int) -> list[Outcome]:
    known, predictor_state, waits = STEP.initial(), predictor.initial(rows[0].symbol), outcomes.initial()
    scored: list[Outcome] = []
    for part in (rows[:cut], rows[cut:]):
        if not part:
            continue
        known, features, regimes = STEP.step(known, BarFrame.of(part))
        travelled(regimes, Regime)
        frame = FeatureFrame.of(travelled(features.records(), Features))
        predictor_state, predictions = predictor.step(PredictorState.loads(predictor_state.dumps()), frame)
        there = travelled(predictions, Prediction)
        waits, matured = outcomes.step(OutcomesState.loads(waits.dumps()), there)
        scored += travelled(matured, Outcome) if matured else []
        known = FeatureState.loads(known.dumps(), STEP.initial())
    return scored


@pytest.fixture(scope="module")
def predictor(fitted: Mapping[str, Forecaster]) -> Predictor:
    """The default set and the combiners over it."""
    models = list(fitted.values())
    combined = [made(NAMES, HORIZONS, models[0].fingerprint) for made in COMBINERS.values()]
    able = [one for one in combined if one.experts(model.name for model in models)]
    assert able
    return Predictor(models, NAMES, able)


@pytest.mark.slow
@PACES
@given(rows=bars(), data=st.data())
def test_bars_within_the_limits_come_true_as_outcomes(
    rows: list[Bar], data: st.DataObject, predictor: Predictor
) -> None:
    travelled(rows, Bar)
    walked(rows, predictor, data.draw(st.integers(0, len(rows))))


def test_prices_that_jump_between_the_limits_are_scored(predictor: Predictor) -> None:
    """Case 39: with a price that is no normal number, a scale was infinite and the worker ended for good."""
    steps = [(1e-12, 1e12), (1.0, 1.0), (1e12, 1e-12)]
    rows = []
    for k in range(400):
        first, last = steps[k * 7 % 3]
        rows.append(Bar("A", "1m", START + k * MINUTE, first, max(first, last), min(first, last), last, 1e24, 1, 0.0))
    scored = walked(rows, predictor, 200)
    assert {one.status for one in scored} >= {"scored"}
    assert all(math.isfinite(one.realised) for one in scored if one.realised is not None)


@PACES
@given(
    st.lists(
        st.builds(
            Tick, st.just("A"), st.integers(START, START + 10 * MINUTE), PRICES, st.sampled_from([1e-18, 1e18, 1.0])
        ),
        min_size=1,
        max_size=60,
    ),
    st.sampled_from(["tick-3", "volume-2.5", "dollar-1000000", "range-10"]),
)
def test_ticks_within_the_limits_become_bars(ticks: list[Tick], interval: str) -> None:
    _, results, _ = time_bars.step(time_bars.initial(), travelled(ticks, Tick), 0, "1m", 0)
    _, others, _ = information_bars.step(information_bars.initial(), ticks, 0, interval)
    for made in (results, others):
        if made:
            assert travelled(made, Bar) == made


@PACES
@given(bars("A"), bars("B"), bars("C"))
def test_the_market_fold_of_bars_within_the_limits_gives_valid_bars(
    first: list[Bar], second: list[Bar], third: list[Bar]
) -> None:
    universe = Universe.of({"A": 1e9, "B": 1e-9, "C": 1.0})
    state, out = market.initial(), []
    for rows in (first, second, third, first[-1:], second[-1:]):
        state, some = market.step(state, rows, universe)
        out += some
    assert not out or travelled(out, Bar) == out


@PACES
@given(data=st.data())
def test_foreign_features_never_stop_the_predictor(data: st.DataObject, predictor: Predictor) -> None:
    numbers = st.none() | st.sampled_from([0.0, 1e36, -1e36, 5e-324, 1.0]) | st.floats(-1e36, 1e36)
    known = predictor.initial("A")
    for part in range(3):
        rows = data.draw(
            st.lists(st.tuples(PRICES, st.lists(numbers, min_size=4, max_size=4)), min_size=1, max_size=20)
        )
        frame = [
            Features(
                symbol="A",
                interval="1m",
                time=START + (part * 100 + k) * MINUTE,
                close=price,
                fingerprint=STEP.fingerprint,
                values=(few * len(NAMES))[: len(NAMES)],
            )
            for k, (price, few) in enumerate(rows)
        ]
        known, predictions = predictor.step(known, FeatureFrame.of(travelled(frame, Features)))
        travelled(predictions, Prediction)


# --- what waits is bounded -------------------------------------------------------------------------------------------


def said(minute: int, model: str = "theirs", version: str = "v1", horizon: int = 100_000) -> Prediction:
    levels = [100.0 * (2 * level - 1) for level in QUANTILES]
    return Prediction(
        symbol="A",
        interval="1m",
        time=START + minute * MINUTE,
        model=model,
        version=version,
        fingerprint="f",
        price=1.0,
        forecasts=[Forecast(horizon=horizon, mean=100.0, scale=1e3, quantiles=levels, p_up=1.0)],
    )


def test_more_forecasts_than_may_wait_are_refused_and_their_state_fits_into_a_record() -> None:
    """60,000 predictions of horizon 100,000 made a state that the changelog refused, for ever."""
    state, refused, matured = outcomes.initial(), list[Prediction](), list[Outcome]()
    rows = [said(minute) for minute in range(60_000)]
    for first in range(0, len(rows), 5_000):
        state, some, more = outcomes.step_within(state, rows[first : first + 5_000])
        refused, matured = refused + more, matured + some
    assert refused == rows[MOST_WAITING:]
    assert matured == []
    assert len(state.dumps()) < MAX_MESSAGE_BYTES / 2


@pytest.mark.slow
def test_a_flood_of_series_leaves_room_for_those_that_wait_already() -> None:
    ours = [said(minute, "gbm", horizon=5) for minute in range(20)]
    state, _, refused = outcomes.step_within(outcomes.initial(), ours)
    assert refused == []
    for number in range(2 * MOST_SERIES):
        state, _, _ = outcomes.step_within(state, [said(20, f"m{number}", horizon=k) for k in (7, 8, 9)])
    big = [said(20 + minute, f"big{number}") for number in range(5) for minute in range(9_000)]
    state, matured, refused = outcomes.step_within(state, big)
    assert refused
    assert {one.model for one in refused} <= {one.model for one in big}
    assert [one.time for one in matured if one.model == "gbm"] == [one.time for one in ours[16:]]
    assert len(state.waiting) <= MOST_SERIES
    assert sum(len(rows) for one in state.waiting.values() for rows in one.rows) <= MOST_OF_ALL
    assert len(state.dumps()) < MAX_MESSAGE_BYTES
