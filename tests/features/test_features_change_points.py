"""The change-point score against the algorithm written down a second time, and against changes that were planted."""

import numpy as np
import numpy.typing as npt
import pandas as pd
from feature_bars import frame_of, real, spoilt, walk
from scipy.stats import t as student

from features.change_points import COLUMNS, LEAST_BLOCKS, LEVEL, LEVEL_WEIGHT, RUNS, SHAPE, SPREAD
from features.step import FeatureStep
from features.table import NAMES

Floats = npt.NDArray[np.float64]
BLOCK, MEAN_RUN, RECENT = 15, 96, 4
STEP = FeatureStep()
PLACES = [NAMES.index(name) for name in COLUMNS]


def scores(bars: pd.DataFrame) -> Floats:
    return STEP.step(STEP.initial(), frame_of(bars))[1].values[:, PLACES]


def moved(returns: Floats) -> pd.DataFrame:
    """Bars whose closes move by these returns after the first."""
    close = 100 * np.exp(np.concatenate([[0.0], np.cumsum(returns)]))
    return walk(len(close), seed=51).assign(open=close, high=close, low=close, close=close)


def detected(observed: Floats) -> Floats:
    """(probability of a run of at most 4, expected run length) after each observation: Adams and MacKay, each run by
    itself with all its observations, those that are too old together in one."""
    runs: list[tuple[float, Floats]] = []  # probability, observations; the youngest first
    results = []
    for number, value in enumerate(observed):
        grown = [(chance * (1 - 1 / MEAN_RUN), past) for chance, past in runs]
        runs = [(1 / MEAN_RUN if number else 1.0, np.empty(0)), *grown]
        freedom, centre, width = np.array([predictive(past) for _, past in runs]).T
        chances = np.array([chance for chance, _ in runs]) * student.pdf(value, freedom, centre, width)
        chances /= chances.sum()
        runs = [(chance, np.append(past, value)) for chance, (_, past) in zip(chances.tolist(), runs, strict=True)]
        results.append([chances[:RECENT].sum(), chances @ np.arange(1, len(chances) + 1)])
    return np.array(results)


def predictive(past: Floats) -> tuple[float, float, float]:
    """The Student t of a run's next observation: degrees of freedom, centre, width. Murphy (2007), eq. 85 to 110."""
    n = len(past)
    kappa, alpha = LEVEL_WEIGHT + n, SHAPE + n / 2
    mean = (LEVEL_WEIGHT * LEVEL + past.sum()) / kappa
    average = past.mean() if n else LEVEL
    beta = SPREAD + 0.5 * ((past - average) ** 2).sum() + 0.5 * LEVEL_WEIGHT * n * (average - LEVEL) ** 2 / kappa
    return 2 * alpha, mean, np.sqrt(beta * (kappa + 1) / (alpha * kappa))


def blocks_of(bars: pd.DataFrame) -> Floats:
    squares = np.diff(np.log(bars["close"].to_numpy())) ** 2
    return np.log(squares[: len(squares) // BLOCK * BLOCK].reshape(-1, BLOCK).mean(axis=1))


def test_the_columns_are_the_algorithm_held_between_the_ends_of_blocks() -> None:
    random = np.random.default_rng(52)
    sigma = np.repeat(np.exp(random.normal(-7, 1, 8)), 225)
    bars = moved(sigma * random.normal(size=len(sigma)))
    expected = detected(blocks_of(bars))
    assert len(expected) == 120 < RUNS
    held = np.repeat(expected, BLOCK, axis=0)[: len(bars) - BLOCK]
    result = scores(bars)
    begin = BLOCK * LEAST_BLOCKS
    assert np.isnan(result[:begin]).all()
    np.testing.assert_allclose(result[begin:], held[begin - BLOCK :], rtol=1e-9, atol=1e-12)


def test_runs_longer_than_those_told_apart_hardly_change_the_score() -> None:
    random = np.random.default_rng(53)
    sigma = np.repeat([5e-4, 15e-4], [BLOCK * 4 * RUNS, BLOCK * 20])
    bars = moved(sigma * random.normal(size=len(sigma)))
    result, expected = scores(bars)[BLOCK::BLOCK], detected(blocks_of(bars))
    assert np.abs(result[LEAST_BLOCKS:, 0] - expected[LEAST_BLOCKS:, 0]).max() < 0.1
    assert np.abs(result[LEAST_BLOCKS:, 0] - expected[LEAST_BLOCKS:, 0]).mean() < 0.005
    assert result[3 * RUNS, 1] <= RUNS
    assert expected[3 * RUNS, 1] > RUNS


def test_a_jump_of_the_volatility_is_seen_within_a_few_blocks_and_its_run_is_young() -> None:
    random = np.random.default_rng(54)
    steady = 60 * BLOCK
    for factor in (3.0, 1 / 3):
        sigma = 1e-3 * np.repeat([1.0, factor], [steady, steady])
        result = scores(moved(sigma * random.normal(size=len(sigma))))
        assert result[steady, 0] < 0.2
        assert result[steady : steady + 4 * BLOCK + 1, 0].max() > 0.9
        assert result[steady, 1] > 30
        assert result[steady + 8 * BLOCK, 1] < 15
        assert result[-1, 0] < 0.2


def test_the_score_stays_low_while_the_volatility_stays() -> None:
    result = scores(moved(1e-3 * np.random.default_rng(55).normal(size=20_000)))[1_000:, 0]
    assert result.mean() < 0.1
    assert np.quantile(result, 0.99) < 0.5


def test_blocks_without_a_move_leave_the_score_unchanged() -> None:
    random = np.random.default_rng(56)
    returns = 1e-3 * random.normal(size=3_000)
    returns[900:1_500] = 0.0  # whole blocks
    result = scores(moved(returns))
    np.testing.assert_array_equal(result[900:1_500], result[np.full(600, 900)])
    without = scores(moved(np.delete(returns, np.arange(900, 1_500))))
    np.testing.assert_allclose(result[1_515:], without[915:], rtol=1e-9)


def test_on_spoilt_bars_it_is_a_probability_or_unknown() -> None:
    result = scores(spoilt(walk(6_000, seed=57), seed=58))
    known = np.isfinite(result).all(axis=1)
    assert known.any()
    assert np.isnan(result[~known]).all()
    assert ((result[known] >= [0, 1]) & (result[known] <= [1, RUNS])).all()


def test_on_real_minutes_it_is_low_mostly_and_high_sometimes() -> None:
    bars = pd.read_parquet(real("panel_bitfinex_1m", "btcusd.parquet")).iloc[:60_000]
    result = scores(bars)[:, 0]
    result = result[np.isfinite(result)]
    assert np.median(result) < 0.1
    assert 0.002 < (result > 0.8).mean() < 0.2
