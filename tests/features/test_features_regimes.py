"""The regime filter against the textbook's recursion, written down a second time in log space."""

from collections import Counter
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from feature_bars import frame_of, real, spoilt, walk

from features.definition import Definition
from features.regimes import COLUMNS, DEFAULT, HEAT_LIMIT, LONG, SHORT, STATES, TREND, RegimeParameters
from features.step import FeatureStep
from features.table import NAMES

Floats = npt.NDArray[np.float64]
POSTERIOR = [NAMES.index(column) for column in COLUMNS]
STEP = FeatureStep()
FITTED = RegimeParameters(
    means=((-0.32, -0.01), (-0.03, 1.36), (0.02, -1.34), (0.49, 0.05)),
    deviations=((0.4, 0.6), (0.43, 0.65), (0.42, 0.66), (0.43, 1.02)),
    transition=(
        (0.98, 0.01, 0.006, 0.004),
        (0.01, 0.97, 0.008, 0.012),
        (0.02, 0.0, 0.97, 0.01),
        (0.05, 0.03, 0.02, 0.9),
    ),
    temper=0.2,
)
"""As unlike the default as training could find."""


def posterior_of(bars: pd.DataFrame, parameters: RegimeParameters = DEFAULT) -> Floats:
    step = FeatureStep(Definition(parameters))
    return step.step(step.initial(), frame_of(bars))[1].values[:, POSTERIOR]


def observations(close: "pd.Series[float]") -> tuple[Floats, Floats]:
    returns = np.log(close).diff()
    squares = returns**2
    heat = 0.5 * np.log(squares.rolling(SHORT).mean().to_numpy() / squares.rolling(LONG).mean().to_numpy())
    drift = returns.rolling(TREND).sum() / np.sqrt(squares.rolling(TREND).sum())
    return np.clip(heat, -HEAT_LIMIT, HEAT_LIMIT), drift.to_numpy()


def forward(heat: Floats, drift: Floats, parameters: RegimeParameters) -> Floats:
    """P(state | past) by log alpha[t, j] = log b_j(o_t) + log sum_i exp(log alpha[t - 1, i] + log a_ij)."""
    means, deviations = np.array(parameters.means), np.array(parameters.deviations)
    with np.errstate(divide="ignore"):
        transition = np.log(parameters.transition)
    observed = np.stack([heat, drift], axis=1)[:, None, :]
    log_density = -0.5 * (((observed - means) / deviations) ** 2).sum(axis=2) - np.log(deviations).sum(axis=1)
    result = np.full((len(heat), 4), np.nan)
    alpha = None
    for t in range(len(heat)):
        if np.isnan(log_density[t]).any():
            continue
        before = np.full(4, -np.log(4)) if alpha is None else np.logaddexp.reduce(alpha[:, None] + transition, axis=0)
        alpha = before + parameters.temper * log_density[t]
        alpha -= np.logaddexp.reduce(alpha)
        result[t] = np.exp(alpha)
    return result


@pytest.mark.parametrize("parameters", [DEFAULT, FITTED], ids=["default", "fitted"])
def test_the_posterior_is_the_forward_recursion(parameters: RegimeParameters) -> None:
    bars = walk(2_000, seed=21)
    expected = forward(*observations(bars["close"]), parameters)
    np.testing.assert_allclose(posterior_of(bars, parameters), expected, rtol=1e-7, atol=1e-10)


def test_the_posterior_is_unchanged_by_whatever_follows() -> None:
    """Filtered, not smoothed: one bar more, or a poisoned future, changes nothing before it."""
    bars = walk(900, seed=27)
    whole = posterior_of(bars, FITTED)
    poisoned = bars.copy()
    for name in ("open", "high", "low", "close"):
        poisoned.loc[600:, name] = bars.loc[600:, name] * np.where(bars.index[600:] % 2, 3.0, 1.0)
    assert not np.array_equal(posterior_of(poisoned, FITTED), whole)
    np.testing.assert_array_equal(posterior_of(poisoned, FITTED)[:600], whole[:600])
    for end in (400, 401, 402):
        np.testing.assert_array_equal(posterior_of(bars.iloc[:end], FITTED), whole[:end])


def test_the_posterior_is_a_distribution_or_unknown() -> None:
    posterior = posterior_of(spoilt(walk(3_000, seed=22), seed=23))
    known = ~np.isnan(posterior[:, 0])
    assert (np.isnan(posterior).all(axis=1) == ~known).all()
    assert (posterior[known] >= 0).all()
    np.testing.assert_allclose(posterior[known].sum(axis=1), 1, rtol=1e-12)


def test_a_standstill_lets_the_filter_forget_but_not_stop() -> None:
    bars = walk(600, seed=24)
    for name in ("open", "high", "low", "close"):
        bars.loc[300:, name] = bars.loc[300, "close"]
    posterior = posterior_of(bars)
    assert np.isfinite(posterior[LONG:]).all()
    np.testing.assert_allclose(posterior[-1], 0.25, atol=1e-3)


def likeliest(returns: Floats) -> str:
    bars = walk(len(returns), seed=25)
    close = 100 * np.exp(np.cumsum(returns))
    return STATES[posterior_of(bars.assign(open=close, high=close, low=close, close=close))[-1].argmax()]


def test_planted_markets_get_the_regime_of_their_kind() -> None:
    noise = np.random.default_rng(26).normal(0, 1e-3, 400)
    noise -= noise[-60:].mean()
    steady, burst = np.ones(400), np.ones(400)
    steady[-30:], burst[-15:] = 0.5, 4.0
    assert likeliest(noise * steady) == "calm"
    assert likeliest(noise * burst) == "turbulent"
    assert likeliest(noise + 4e-4) == "trending_up"
    assert likeliest(noise - 4e-4) == "trending_down"


def test_on_real_minutes_every_state_occurs_and_lasts() -> None:
    bars = pd.read_parquet(real("panel_bitfinex_1m", "ethusd.parquet")).iloc[:30_000]
    _, _, regimes = STEP.step(STEP.initial(), frame_of(bars))
    states = [regime.state for regime in regimes]
    assert all(Counter(states)[state] > 0.02 * len(states) for state in STATES)
    changes = sum(a != b for a, b in pairwise(states))
    assert 10 < len(states) / changes < 300
