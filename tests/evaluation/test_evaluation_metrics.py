"""Each metric is what someone else's code, a closed form or a count by hand says it is."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import norm, pearsonr, spearmanr

from evaluation import intervals, point, probability, rank_metrics, volatility
from evaluation.sum_metrics import FEWEST, Metric, Parts
from models.forecaster import Floats
from models.intervals.distribution import NORMAL
from models.scoring.scores import score
from topics.records import QUANTILES

ROWS = 4_000
RNG = np.random.default_rng(11)
UNIT = np.exp(RNG.normal(-7, 0.5, ROWS))
SIGNAL = RNG.normal(size=ROWS)
REALISED = UNIT * (0.2 * SIGNAL + RNG.standard_t(3, ROWS))
REALISED[::9] = 0.0
MEAN = UNIT * (0.2 * SIGNAL + 0.05)
NO_TRADE = np.full(ROWS, np.nan)


def value(metric: Metric, parts: Parts) -> float:
    """Return a metric over all rows."""
    return float(metric({name: np.asarray(np.nansum(part)) for name, part in parts.items()}))


def points(
    mean: Floats = MEAN, realised: Floats = REALISED, unit: Floats = UNIT, traded: Floats = NO_TRADE
) -> dict[str, float]:
    parts = point.parts(mean, realised, unit, traded)
    return {name: value(metric, parts) for name, metric in point.METRICS.items()}


def test_correlations_are_those_of_scipy_in_units_of_the_scale():
    clipped = np.clip(REALISED / UNIT, -4, 4)
    assert points()["ic"] == pytest.approx(pearsonr(MEAN / UNIT, clipped).statistic, rel=1e-10)
    assert rank_metrics.rank_correlation(MEAN, REALISED, UNIT) == pytest.approx(
        spearmanr(MEAN / UNIT, clipped).statistic, rel=1e-10
    )


def test_r2_is_against_zero_scaled_and_clipped_or_raw():
    x, y = MEAN / UNIT, np.clip(REALISED / UNIT, -4, 4)
    values = points()
    assert values["r2"] == pytest.approx(1 - ((y - x) ** 2).sum() / (y**2).sum())
    assert values["r2_raw"] == pytest.approx(1 - ((REALISED - MEAN) ** 2).sum() / (REALISED**2).sum())
    assert points(mean=np.zeros(ROWS))["r2"] == 0.0


def test_direction_counts_only_prices_that_moved_and_sides_that_were_taken():
    blocks = FEWEST
    mean = np.tile([1.0, 1.0, -1.0, 0.0, 1.0], blocks)
    realised = np.tile([1.0, -1.0, -1.0, -1.0, 0.0], blocks)
    values = points(mean, realised, np.ones(5 * blocks), np.full(5 * blocks, np.nan))
    assert values["accuracy"] == pytest.approx(2 / 3)
    assert values["always_up"] == pytest.approx(1 / 4)
    assert values["edge_bp"] == pytest.approx((1 - 1 + 1 + 0) / 4 * 10_000)


def test_the_break_even_cost_is_what_was_earned_per_unit_traded():
    # Two symbols, two bars ahead: long, long, short, short, ... so every renewal trades two units.
    rows = 400
    mean = np.tile([1.0, 1.0, -1.0, -1.0], rows // 4)
    symbol = np.repeat([0, 1], rows // 2)
    traded = point.turnover(mean, symbol, 2)
    assert np.isnan(traded[[0, 1, rows // 2, rows // 2 + 1]]).all()
    assert (traded[2 : rows // 2] == 2.0).all()
    values = points(mean, 0.001 * mean, np.ones(rows), traded)
    assert values["edge_bp"] == pytest.approx(10.0)
    assert values["break_even_bp"] == pytest.approx(10.0 / 2)
    # A position that never changes trades nothing, and bears any cost: unknown, not infinite.
    steady = np.ones(rows)
    assert np.isnan(points(steady, 0.001 * steady, steady, point.turnover(steady, symbol, 2))["break_even_bp"])


def test_unknown_rows_are_as_if_they_were_not_there():
    known = RNG.random(ROWS) > 0.3
    mean, realised = np.where(known, MEAN, np.nan), REALISED.copy()
    realised[:50] = np.nan
    rest = known & (np.arange(ROWS) >= 50)
    values, expected = points(mean, realised), points(MEAN[rest], REALISED[rest], UNIT[rest], NO_TRADE[rest])
    assert values == pytest.approx(expected, nan_ok=True)
    assert rank_metrics.rank_correlation(mean, realised, UNIT) == pytest.approx(
        rank_metrics.rank_correlation(MEAN[rest], REALISED[rest], UNIT[rest])
    )
    assert rank_metrics.top_accuracy(mean, realised, UNIT) == pytest.approx(
        rank_metrics.top_accuracy(MEAN[rest], REALISED[rest], UNIT[rest])
    )


def test_too_few_rows_are_unknown_and_never_zero():
    few = slice(FEWEST - 1)
    assert all(np.isnan(result) for result in points(MEAN[few], REALISED[few], UNIT[few], NO_TRADE[few]).values())
    assert np.isnan(rank_metrics.rank_correlation(MEAN[few], REALISED[few], UNIT[few]))
    assert np.isnan(rank_metrics.top_accuracy(MEAN[few], REALISED[few], UNIT[few]))
    assert np.isnan(probability.slope(norm.cdf(MEAN[few]), REALISED[few]))
    assert probability.curve(norm.cdf(MEAN[few]), REALISED[few]) == []
    scored = intervals.parts(MEAN[few, None] + UNIT[few, None] * NORMAL, REALISED[few], UNIT[few])
    assert np.isnan(value(intervals.METRICS["coverage_90"], scored))


def test_a_constant_mean_has_no_correlation():
    assert np.isnan(points(mean=0.3 * UNIT)["ic"])
    assert np.isnan(rank_metrics.rank_correlation(0.5 * UNIT, REALISED, UNIT))


def test_top_accuracy_is_that_of_the_largest_tenth():
    mean = np.linspace(0.001, 1.0, 2_000)
    realised = np.where(mean > 0.9, mean, -mean)
    realised[-1] = -1.0
    assert rank_metrics.top_accuracy(mean, realised, np.ones(2_000)) == pytest.approx(199 / 200)


def test_brier_is_the_squared_error_where_the_price_moved():
    p = norm.cdf(MEAN / UNIT)
    moved = REALISED != 0
    expected = ((p - (REALISED > 0))[moved] ** 2).mean()
    assert value(probability.METRICS["brier"], probability.parts(p, REALISED)) == pytest.approx(expected)


def test_the_calibration_slope_is_the_likeliest():
    p = norm.cdf(1.7 * MEAN / UNIT)
    moved = REALISED != 0
    odds, up = np.log(p / (1 - p))[moved], REALISED[moved] > 0

    def loss(ab: Floats) -> float:
        z = ab[0] + ab[1] * odds
        return float(np.logaddexp(0, np.where(up, -z, z)).sum())

    assert probability.slope(p, REALISED) == pytest.approx(minimize(loss, [0.0, 1.0]).x[1], rel=1e-3)


def test_the_calibration_slope_finds_forecasts_twice_too_bold():
    rng = np.random.default_rng(3)
    odds = rng.normal(0, 0.7, 60_000)
    realised = np.where(rng.random(60_000) < 1 / (1 + np.exp(-odds)), 1.0, -1.0)
    assert probability.slope(1 / (1 + np.exp(-odds)), realised) == pytest.approx(1.0, abs=0.05)
    assert probability.slope(1 / (1 + np.exp(-2 * odds)), realised) == pytest.approx(0.5, abs=0.03)
    assert np.isnan(probability.slope(np.full(60_000, 0.5), realised))
    assert np.isnan(probability.slope(np.where(realised > 0, 0.9, 0.1), realised))  # no finite slope fits


def test_the_calibration_curve_is_the_diagonal_for_true_odds():
    rng = np.random.default_rng(4)
    p = rng.uniform(0.3, 0.7, 50_000)
    curve = probability.curve(p, np.where(rng.random(50_000) < p, 1.0, -1.0))
    assert len(curve) == 10
    assert sum(rows for _, _, rows in curve) == 50_000
    assert all(share == pytest.approx(mean, abs=0.03) for mean, share, _ in curve)


def test_qlike_is_least_at_the_true_variance():
    rng = np.random.default_rng(5)
    true = np.exp(rng.normal(-7, 0.5, ROWS))
    variance = true**2 * rng.chisquare(15, ROWS) / 15
    variance[::5] = 0.0  # nothing moved: no row
    values = {
        factor: value(volatility.METRICS["qlike"], volatility.parts(factor * true, variance))
        for factor in (0.8, 0.9, 1.0, 1.1, 1.25)
    }
    assert min(values, key=values.__getitem__) == 1.0
    assert value(volatility.METRICS["qlike"], volatility.parts(np.sqrt(variance), variance)) == pytest.approx(0.0)


def test_the_error_of_log_volatility_is_that_of_logs():
    scale = np.full(ROWS, 2.0)
    assert value(volatility.METRICS["log_volatility_mse"], volatility.parts(scale, np.ones(ROWS))) == pytest.approx(
        np.log(2) ** 2
    )


def test_pinball_is_that_of_the_stream_in_units_of_the_scale():
    quantiles = MEAN[:, None] + UNIT[:, None] * NORMAL
    _, stream = score(REALISED / UNIT, MEAN / UNIT, quantiles / UNIT[:, None])
    values = intervals.parts(quantiles, REALISED, UNIT)
    assert value(intervals.METRICS["pinball"], values) == pytest.approx(np.mean(np.array(stream.pinball, dtype=float)))
    hits = np.array(stream.interval_hit, dtype=float)
    assert value(intervals.METRICS["coverage_90"], values) == pytest.approx(hits.mean())


@pytest.mark.parametrize(("centre", "width"), [(0.0, 1.0), (0.5, 1.0), (0.0, 2.0), (-1.0, 0.5)])
def test_crps_is_close_to_the_closed_form_of_a_normal(centre: float, width: float):
    y = np.random.default_rng(6).normal(size=20_000)
    z = (y - centre) / width
    exact = width * (z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - 1 / np.sqrt(np.pi))  # Gneiting and Raftery 2007
    quantiles = np.tile(centre + width * NORMAL, (len(y), 1))
    result = value(intervals.METRICS["crps"], intervals.parts(quantiles, y, np.ones(len(y))))
    assert result == pytest.approx(exact.mean(), rel=0.03)


def test_winkler_is_the_width_and_twenty_times_the_miss():
    rows = 3 * FEWEST
    quantiles = np.tile(np.array([-2.0, -1.5, -1.0, 0.0, 1.0, 1.5, 3.0]), (rows, 1))
    realised = np.tile([0.0, 3.5, -2.25], FEWEST)
    values = intervals.parts(quantiles, realised, np.ones(rows))
    assert value(intervals.METRICS["winkler"], values) == pytest.approx(5.0 + (20 * 0.5 + 20 * 0.25) / 3)
    assert value(intervals.METRICS["coverage_90"], values) == pytest.approx(1 / 3)


def test_the_weights_of_the_levels_share_out_all_of_them():
    assert intervals.WEIGHTS.sum() == pytest.approx(1.0)
    assert np.allclose(intervals.WEIGHTS, intervals.WEIGHTS[::-1])
    assert len(intervals.WEIGHTS) == len(QUANTILES)
