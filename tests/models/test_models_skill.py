"""A planted signal is found; where there is none, none is claimed."""

import numpy as np
import pytest
from model_data import NAMES, features_of, market

from features.frame import FeatureFrame
from models.forecaster import Forecaster
from models.labels import targets
from models.registry import MODELS
from models.volatility import initial, step


def correlation(model: Forecaster, frame: FeatureFrame) -> tuple[float, int]:
    """Return the correlation of one-bar means and returns, both over volatility, and the number of rows."""
    _, sigma = step(initial(), frame)
    label = targets(frame, sigma, (1,), 4.0)[:, 0]
    mean = model.step(model.initial(), frame)[1].mean[:, 0] / sigma
    known = ~np.isnan(label) & ~np.isnan(mean)
    if np.ptp(mean[known]) == 0:
        return 0.0, int(known.sum())
    return float(np.corrcoef(mean[known], label[known])[0, 1]), int(known.sum())


@pytest.mark.parametrize("name", ["online", "gbm"])
def test_a_planted_signal_is_found(name: str, fitted: dict[str, Forecaster], unseen: FeatureFrame) -> None:
    found, _ = correlation(fitted[name], unseen)
    assert found > 0.17  # 0.25 was planted


@pytest.mark.parametrize("name", MODELS)
def test_in_a_random_walk_nothing_is_found(name: str) -> None:
    model = MODELS[name](NAMES)
    model.fit([features_of(market("WALK", 8_000, 21))], seed=0)
    found, rows = correlation(model, features_of(market("WALK", 6_000, 22)))
    assert abs(found) < 4 / np.sqrt(rows)


def test_labels_shifted_away_from_their_bars_teach_nothing(
    training_frames: list[FeatureFrame], unseen: FeatureFrame
) -> None:
    shifted = [
        FeatureFrame(
            frame.symbol, frame.interval, frame.fingerprint, frame.time, frame.close, np.roll(frame.values, 997, 0)
        )
        for frame in training_frames
    ]
    model = MODELS["gbm"](NAMES)
    model.fit(shifted, seed=0)
    found, rows = correlation(model, unseen)
    assert abs(found) < 4 / np.sqrt(rows)
