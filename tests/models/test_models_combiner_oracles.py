"""Stacking and ML-Poly against their formulas, written anew in numpy with the whole past at hand at each row."""

import numpy as np
from model_data import MINUTE, START

from features.frame import FeatureFrame, Floats
from models import ewma_volatility
from models.combine import aggregation, stacking
from models.combine.ensemble import Ensemble
from models.combine.stacking import Stacking
from models.forecaster import Forecasts
from models.labels import targets

ROWS, H = 400, 3


def case() -> tuple[FeatureFrame, dict[str, Forecasts], Floats, Floats, Floats]:
    """Return a market with two states, three experts of which one sleeps at times, sigma, x [n, K] and y [n]."""
    rng = np.random.default_rng(5)
    close = 100 * np.exp(np.cumsum(1e-3 * rng.standard_normal(ROWS)))
    time = START + MINUTE * np.sort(rng.permutation(ROWS + 20)[:ROWS]).astype(np.int64)
    first = rng.random(ROWS)
    frame = FeatureFrame(
        symbol="COIN",
        interval="1m",
        fingerprint="print",
        time=time,
        close=close,
        values=np.column_stack([first, 1 - first]),
    )
    _, sigma = ewma_volatility.step(ewma_volatility.initial(), frame)
    y = targets(frame, sigma, (H,), 4.0)[:, 0]
    x = 0.5 * rng.standard_normal((ROWS, 3)) + 0.3 * np.nan_to_num(y)[:, None] * np.array([1, 0, -1])
    x[rng.random(ROWS) < 0.2, 1] = np.nan
    x[np.isnan(sigma)] = np.nan
    unit = sigma * np.sqrt(H)
    shape = (ROWS, 1, 7)
    experts = {
        name: Forecasts((x[:, k] * unit)[:, None], unit[:, None], np.zeros(shape), unit[:, None])
        for k, name in enumerate(("one", "two", "three"))
    }
    return frame, experts, sigma, x, y


def matured(frame: FeatureFrame, y: Floats, row: int, learnt: int) -> list[int]:
    """Return the rows from `learnt` on whose label is due at this row, with those that have none left out."""
    due = [old for old in range(learnt, row) if frame.time[old] + H * MINUTE <= frame.time[row]]
    return [old for old in due if not np.isnan(y[old])]


def test_stacking_is_the_ridge_regression_on_all_labels_that_have_matured() -> None:
    frame, experts, sigma, x, y = case()
    _, forecasts, weights = (model := Stacking((), (H,), "print")).step(model.initial(), frame, experts)
    checked = 0
    for row in range(40, ROWS, 7):
        old = matured(frame, y, row, 0)
        age = np.arange(len(old))[::-1]
        filled = np.nan_to_num(x[old]) * (stacking.MEMORY ** (age / 2))[:, None]
        label = y[old] * stacking.MEMORY ** (age / 2)
        awake = ~np.isnan(x[row])
        prior = stacking.PRIOR * H
        moments = (filled.T @ filled)[np.ix_(awake, awake)] + prior * np.eye(awake.sum())
        expected = np.linalg.solve(moments, (filled.T @ label)[awake] + prior / awake.sum())
        assert np.allclose(weights[row, 0, awake], expected, rtol=1e-8)
        assert np.isclose(forecasts.mean[row, 0], expected @ x[row, awake] * sigma[row] * np.sqrt(H), rtol=1e-8)
        checked += 1
    assert checked > 40


def test_the_ensemble_is_ml_poly_with_confidences_share_and_shrinkage() -> None:
    frame, experts, sigma, x, y = case()
    model = Ensemble(("regime_a", "regime_b"), (H,), "print")
    _, forecasts, weights = model.step(model.initial(), frame, experts)
    regret, squares, largest = np.zeros((2, 3)), np.zeros((2, 3)), np.zeros((2, 3))
    slope, learnt = np.zeros(2), 0
    pure, played = np.full(ROWS, np.nan), np.full(ROWS, np.nan)
    for row in range(ROWS):
        for old in matured(frame, y, row, learnt):
            if not np.isnan(played[old]):
                gap = pure[old] - x[old]
                r = frame.values[old][:, None] * 2 * (played[old] - y[old]) * gap[None, :]
                awake = ~np.isnan(r)
                kept = 1 - (1 - aggregation.MEMORY) * np.repeat(frame.values[old][:, None], 3, axis=1)
                regret[awake] = (kept * regret + r)[awake]
                squares[awake] = (kept * squares + r**2)[awake]
                largest[awake] = np.maximum(largest, r**2)[awake]
                slope = aggregation.MEMORY * slope + np.array([played[old] ** 2, played[old] * y[old]])
        learnt = max([learnt, *[old + 1 for old in range(row) if frame.time[old] + H * MINUTE <= frame.time[row]]])
        awake = ~np.isnan(x[row])
        if not awake.any():
            continue
        rate = np.divide(1.0, largest + squares, out=np.zeros((2, 3)), where=largest > 0)
        raw = np.where(awake, (frame.values[row][:, None] * rate * np.maximum(regret, 0)).sum(axis=0), 0)
        p = raw / raw.sum() if raw.sum() > 0 else awake / awake.sum()
        w = (1 - aggregation.SHARE) * p + aggregation.SHARE * awake / awake.sum()
        pure[row], played[row] = p[awake] @ x[row, awake], w[awake] @ x[row, awake]
        prior = aggregation.PRIOR * H
        trust = np.clip((slope[1] + prior) / (slope[0] + prior), 0, aggregation.LARGEST_SLOPE)
        assert np.allclose(weights[row, 0], w, rtol=1e-7, atol=1e-12)
        assert np.isclose(forecasts.mean[row, 0], trust * played[row] * sigma[row] * np.sqrt(H), rtol=1e-7)
