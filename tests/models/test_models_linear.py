"""The linear models against other people's least squares and likelihoods, on planted signals and on none."""

from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_data import MINUTE, NAMES, START, features_of, market
from scipy.optimize import minimize

from features.frame import FeatureFrame, Floats
from models import ewma_volatility, least_squares, standardised_returns
from models.baselines import ar, sign_reversal
from models.baselines.ar import AR
from models.baselines.sign_reversal import Reversal
from models.ewma_volatility import Walk
from models.forecaster import Forecaster
from models.inputs import scale_free
from models.labels import targets
from models.linear import rls_kernel
from models.linear.ridge import Ridge
from models.linear.rls import RLS
from models.linear.rls_kernel import Estimate

LINEAR = (Reversal, AR, Ridge, RLS)
every_linear = pytest.mark.parametrize("model", LINEAR, ids=lambda model: model.name)


def planted(symbol: str, rows: int, seed: int, rho: float) -> FeatureFrame:
    return features_of(market(symbol, rows, seed, rho))


def correlation(model: Forecaster, frame: FeatureFrame) -> tuple[float, int]:
    """Return the correlation of one-bar means and returns, both over volatility, and the number of rows."""
    _, sigma = ewma_volatility.step(ewma_volatility.initial(), frame)
    label = targets(frame, sigma, (1,), 4.0)[:, 0]
    mean = model.step(model.initial(), frame)[1].mean[:, 0] / sigma
    known = ~np.isnan(label) & ~np.isnan(mean)
    if np.ptp(mean[known]) == 0:
        return 0.0, int(known.sum())
    return float(np.corrcoef(mean[known], label[known])[0, 1]), int(known.sum())


@pytest.fixture(scope="module")
def weak() -> list[FeatureFrame]:
    """Markets whose next return carries a tenth of the last: the first two to fit on, the third unseen."""
    return [planted(f"COIN{seed}", rows, seed, 0.1) for seed, rows in ((31, 10_000), (32, 10_000), (33, 12_000))]


@pytest.mark.slow
@pytest.mark.parametrize(("model", "least"), [(Reversal, 0.06), (AR, 0.07), (Ridge, 0.06), (RLS, 0.06)])
def test_a_planted_correlation_of_a_tenth_is_found(model: type[Ridge], least: float, weak: list[FeatureFrame]) -> None:
    fitted = model(NAMES)
    fitted.fit(weak[:2], seed=0)
    result, _ = correlation(fitted, weak[2])
    assert result > least  # 0.1 was planted


@pytest.mark.slow
@every_linear
def test_in_a_random_walk_nothing_is_found(model: type[Ridge]) -> None:
    fitted = model(NAMES)
    fitted.fit([planted("WALK", 8_000, 21, 0.0)], seed=0)
    unseen = planted("WALK", 6_000, 22, 0.0)
    result, rows = correlation(fitted, unseen)
    assert abs(result) < 4 / np.sqrt(rows)
    _, sigma = ewma_volatility.step(ewma_volatility.initial(), unseen)
    mean = fitted.step(fitted.initial(), unseen)[1].mean[:, 0] / sigma
    assert np.nanstd(mean) < 0.1  # nor does it claim much


def test_the_moments_of_blocks_have_the_coefficients_of_numpys_least_squares() -> None:
    rng = np.random.default_rng(0)
    z, weight = rng.normal(size=(3_000, 4)), rng.uniform(0.5, 2.0, 3_000)
    y = z @ rng.normal(size=(4, 2)) + rng.normal(size=(3_000, 2))
    y[rng.random(y.shape) < 0.2] = np.nan
    moments = least_squares.Moments.none(4, 2)
    for begin in range(0, 3_000, 700):
        rows = slice(begin, begin + 700)
        moments.add(z[rows], y[rows], weight[rows])
    for column, size in enumerate((0.0, 50.0)):
        known = ~np.isnan(y[:, column])
        root = np.sqrt(weight[known])
        # A penalty is the same as rows of zeros that answer to the square root of it.
        a = np.concatenate([z[known] * root[:, None], np.sqrt(size) * np.eye(4)])
        b = np.concatenate([y[known, column] * root, np.zeros(4)])
        expected = np.linalg.lstsq(a, b, rcond=None)[0]
        result = moments.solve(np.array([0.0, 50.0]))
        assert result[column] == pytest.approx(expected, rel=1e-9)
        error = y[known, column] - z[known] @ result[column]
        assert moments.loss(result)[column] == pytest.approx(float(weight[known] @ error**2), rel=1e-9)
        output = z[known] @ result[column]
        slope = float((weight[known] * output) @ y[known, column] / ((weight[known] * output) @ output))
        assert moments.shrinkage(result)[column] == pytest.approx(min(slope, 1.0), rel=1e-9)


def test_scaling_leaves_out_the_unknown_and_silences_what_never_varies() -> None:
    rng = np.random.default_rng(1)
    x = np.column_stack([1e6 + rng.normal(size=900), np.full(900, 7.0), np.full(900, np.nan), rng.normal(3, 20, 900)])
    x[rng.random(x.shape) < 0.1] = np.nan
    mean, inverse = least_squares.scaling(x[begin : begin + 400] for begin in range(0, 900, 400))
    assert mean[[0, 1, 3]] == pytest.approx(np.nanmean(x[:, [0, 1, 3]], axis=0), rel=1e-12)
    assert inverse[[0, 3]] == pytest.approx(1 / np.nanstd(x[:, [0, 3]], axis=0), rel=1e-6)
    assert inverse[1] == inverse[2] == 0
    z = least_squares.standardise(np.array([[1e9, 8.0, 1.0, np.nan]]), mean, inverse)
    assert z.tolist() == [[least_squares.LARGEST, 0.0, 0.0, 0.0]]


def test_weights_halve_with_every_half_life() -> None:
    time = START - np.array([0, 10, 20]) * least_squares.DAY_MS
    assert least_squares.recency(time, START, 10.0).tolist() == [1.0, 0.5, 0.25]
    assert least_squares.recency(time, START, inf).tolist() == [1.0, 1.0, 1.0]


def test_past_returns_equal_those_of_a_plain_lookup_and_forget_across_a_long_gap() -> None:
    close = 100 * np.exp(np.cumsum(np.random.default_rng(2).normal(0, 1e-3, 200)))
    time = START + MINUTE * (np.arange(200) + 3 * (np.arange(200) >= 50) + 500 * (np.arange(200) >= 120))
    frame = FeatureFrame(
        symbol="COIN", interval="1m", fingerprint="f", time=time, close=close, values=np.empty((200, 0))
    )
    _, x = standardised_returns.step(standardised_returns.initial(), frame, np.full(200, 1e-3), ar.SPANS)
    for row in range(200):
        for column, (ago, length) in enumerate(ar.SPANS):
            start = row - ago - length
            if start < 0 or start < 120 <= row:
                assert np.isnan(x[row, column])
            else:
                expected = np.log(close[row - ago] / close[start]) / (1e-3 * np.sqrt(length))
                assert x[row, column] == pytest.approx(expected, abs=1e-12)


def test_the_autoregression_has_numpys_coefficients(weak: list[FeatureFrame]) -> None:
    model = AR()
    model.fit(weak[:1], seed=0)
    frame = weak[0]
    _, sigma = ewma_volatility.step(ewma_volatility.initial(), frame)
    _, x = standardised_returns.step(standardised_returns.initial(), frame, sigma, ar.SPANS)
    y = targets(frame, sigma, model.horizons, ar.CLIP)
    for column in range(len(model.horizons)):
        known = ~np.isnan(x).any(axis=1) & ~np.isnan(y[:, column])
        expected = np.linalg.lstsq(np.clip(x[known], -ar.CLIP, ar.CLIP), y[known, column], rcond=None)[0]
        assert model.weights[column] == pytest.approx(expected, abs=1e-9)


def test_the_logit_has_the_likelihoods_maximum() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(2_000, 3))
    up = rng.random(2_000) < 1 / (1 + np.exp(-x @ [0.5, -0.2, 0.0]))

    def loss(weights: Floats) -> float:
        output = x @ weights
        return float(np.sum(np.logaddexp(0, output) - up * output) + sign_reversal.PENALTY / 2 * weights @ weights)

    assert sign_reversal.logit(x, up) == pytest.approx(minimize(loss, np.zeros(3), tol=1e-12).x, abs=1e-5)


def test_the_logit_leans_against_the_last_return_where_returns_reverse(training_frames: list[FeatureFrame]) -> None:
    model = Reversal()
    model.fit(training_frames, seed=0)
    frame = training_frames[0]
    forecasts = model.step(model.initial(), frame)[1]
    last = np.concatenate([[np.nan], np.diff(np.log(frame.close))])
    rose, fell = last > 0, last < 0
    assert np.nanmean(forecasts.p_up[rose, 0]) < 0.45
    assert np.nanmean(forecasts.p_up[fell, 0]) > 0.55
    assert (forecasts.mean[:, 0] > 0)[100:].tolist() == (forecasts.p_up[:, 0] > 0.5)[100:].tolist()


def test_the_ridge_has_numpys_coefficients_at_its_own_penalty(training_frames: list[FeatureFrame]) -> None:
    model = Ridge(NAMES, (1, 5))
    model.fit(training_frames, seed=0)
    places = [NAMES.index(name) for name in model.inputs]
    parts, answers = [], []
    for frame in training_frames:
        _, sigma = ewma_volatility.step(ewma_volatility.initial(), frame)
        x = scale_free(frame, places, model.inputs, sigma)
        known = ~np.isnan(sigma) & (np.isnan(x).mean(axis=1) <= 0.5)
        parts.append(np.nan_to_num(np.clip((x[known] - model.middle) * model.inverse, -5, 5)))
        answers.append(targets(frame, sigma, (1, 5), 4.0)[known])
    z, y = np.concatenate(parts), np.concatenate(answers)
    for column, horizon in enumerate((1, 5)):
        rows = ~np.isnan(y[:, column])
        root = np.sqrt(model.penalty[column] * horizon)
        a = np.concatenate([z[rows], root * np.eye(z.shape[1])])
        b = np.concatenate([y[rows, column], np.zeros(z.shape[1])])
        expected = np.linalg.lstsq(a, b, rcond=None)[0]
        along = model.weights[column] @ expected / (expected @ expected)  # the slope that it was shrunk by
        assert 0 < along <= 1
        assert model.weights[column] == pytest.approx(along * expected, abs=1e-8)


@pytest.mark.slow
def test_the_penalty_sees_no_label_of_the_first_part_that_reaches_into_the_held_out_end(
    training_frames: list[FeatureFrame],
) -> None:
    """A fit on prices that are poisoned from the split on changes only what the held-out part is there for."""
    seen: list[Floats] = []

    class Spy(Ridge):
        def _solve(self, moments: least_squares.Moments, penalty: Floats) -> Floats:
            seen.append(moments.cross.copy())
            return super()._solve(moments, penalty)

        def _scaling(self, _: list[FeatureFrame], __: list[Walk]) -> tuple[Floats, Floats]:
            # What standardises the inputs sees all rows, and no label: held still.
            return super()._scaling(training_frames, walks)

    walks = [ewma_volatility.walk(ewma_volatility.initial(), frame)[1] for frame in training_frames]
    clean = Spy(NAMES)
    clean.fit(training_frames, seed=0)
    before = seen[0]
    seen.clear()
    poisoned = []
    for frame in training_frames:
        late = frame.time >= clean.split
        close = np.where(late, frame.close * np.exp(np.random.default_rng(1).normal(0, 0.1, len(frame))), frame.close)
        values = frame.values.copy()
        poisoned.append(
            FeatureFrame(
                symbol=frame.symbol,
                interval=frame.interval,
                fingerprint=frame.fingerprint,
                time=frame.time,
                close=close,
                values=values,
            )
        )
    other = Spy(NAMES)
    other.fit(poisoned, seed=0)
    assert np.array_equal(seen[0], before)
    assert not np.array_equal(seen[-1], before)


def test_too_few_rows_are_refused_in_one_line() -> None:
    with pytest.raises(ValueError, match="rows to train 'ridge' on") as error:
        Ridge(NAMES).fit([planted("COIN", 2_000, 5, 0.0)], seed=0)
    assert "\n" not in str(error.value)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_recursion_has_the_coefficients_of_weighted_least_squares(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, inputs, lag, decay, weight = 300, 3, 4, 0.99, 0.25
    x = rng.normal(size=(rows, inputs))
    y = (x @ rng.normal(size=inputs) + rng.normal(size=rows))[:, None]
    y[rng.random(rows) < 0.1] = np.nan
    y[rows - lag :] = np.nan
    at = (np.arange(rows) + lag)[:, None]
    estimate = Estimate(np.zeros((1, inputs)), np.eye(inputs)[None] / 0.5, np.zeros((1, 2)))
    table = np.concatenate([x, np.zeros((rows, 1))], axis=1)
    known = np.ones(rows, dtype=bool)
    rls_kernel.walk(estimate, table, 0, known, y, at, np.array([decay]), np.array([weight]), np.array([np.inf]), 0.99)
    gram, cross = 0.5 * np.eye(inputs), np.zeros(inputs)
    for row in range(rows):
        ended = row - lag
        if ended >= 0 and not np.isnan(y[ended, 0]):
            gram = decay * gram + weight * np.outer(x[ended], x[ended])
            cross = decay * cross + weight * x[ended] * y[ended, 0]
        # What is said of a row knows the labels that ended with it, and no later one.
        assert table[row, inputs] == pytest.approx(x[row] @ np.linalg.solve(gram, cross), rel=1e-6, abs=1e-9)
    assert estimate.weights[0] == pytest.approx(np.linalg.solve(gram, cross), rel=1e-6, abs=1e-9)
    assert estimate.covariance[0] == pytest.approx(np.linalg.inv(gram), rel=1e-6, abs=1e-9)


def test_inputs_that_stand_still_do_not_wind_the_covariance_up() -> None:
    rows = 20_000
    table = np.concatenate([np.tile([1.0, 0.0], (rows, 1)), np.zeros((rows, 1))], axis=1)
    estimate = Estimate(np.zeros((1, 2)), np.eye(2)[None], np.zeros((1, 2)))
    at, y = (np.arange(rows) + 1)[:, None], np.zeros((rows, 1))
    known = np.ones(rows, dtype=bool)
    rls_kernel.walk(estimate, table, 0, known, y, at, np.array([0.99]), np.ones(1), np.array([10.0]), 0.99)
    assert np.trace(estimate.covariance[0]) < 11
    assert np.isfinite(estimate.weights).all()


@pytest.mark.parametrize("horizon", [1, 5, 60])
def test_recursive_squares_learn_a_label_with_the_bar_that_ends_it(horizon: int, unseen: FeatureFrame) -> None:
    """A price poisoned at one bar reaches, through the labels, no forecast before it: the inputs are held still."""
    model = RLS(NAMES, (horizon,))
    model.fit([unseen[:3_000]], seed=0)
    frame, bar = unseen[3_000:3_600], 400
    close = frame.close.copy()
    close[bar] *= 1.05
    other = FeatureFrame(
        symbol=frame.symbol,
        interval=frame.interval,
        fingerprint=frame.fingerprint,
        time=frame.time,
        close=close,
        values=frame.values,
    )
    one, two = (model.step(model.initial(), part[: bar + 1])[0] for part in (frame, other))
    earlier = [model.step(model.initial(), part[:bar])[0] for part in (frame, other)]
    assert earlier[0] == earlier[1]
    asked = frame.time[bar] - horizon * MINUTE
    assert (one["learnt"] != two["learnt"]) == (asked in frame.time[:bar])
