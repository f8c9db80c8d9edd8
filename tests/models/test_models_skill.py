"""A planted signal is found; where there is none, none is claimed."""

from collections.abc import Mapping

import numpy as np
import pytest
from model_data import NAMES, features_of, garch, market

from features.frame import FeatureFrame
from models.combine.combiner import VOLATILITY
from models.ewma_volatility import initial, step
from models.forecaster import Forecaster
from models.labels import targets
from models.registry.zoo import ZOO


def correlation(model: Forecaster, frame: FeatureFrame) -> tuple[float, int]:
    """Return the correlation of one-bar means and returns, both over volatility, and the number of rows."""
    _, sigma = step(initial(), frame)
    label = targets(frame, sigma, (1,), 4.0)[:, 0]
    mean = model.step(model.initial(), frame)[1].mean[:, 0] / sigma
    known = ~np.isnan(label) & ~np.isnan(mean)
    if np.ptp(mean[known]) == 0:
        return 0.0, int(known.sum())
    return float(np.corrcoef(mean[known], label[known])[0, 1]), int(known.sum())


NO_DRIFT = {"naive", *VOLATILITY}
every_mean = pytest.mark.parametrize("name", [name for name in ZOO if name not in NO_DRIFT])


@every_mean
def test_a_planted_signal_is_found(name: str, fitted_zoo: Mapping[str, Forecaster], unseen: FeatureFrame) -> None:
    result, rows = correlation(fitted_zoo[name], unseen)
    taught_an_epoch = name in {"transformer", "lstm"}  # a short one
    assert result > (4 / np.sqrt(rows) if taught_an_epoch else 0.17)  # 0.25 was planted


@pytest.fixture(scope="module")
def without_drift() -> dict[str, list[FeatureFrame]]:
    """Two markets in which no return can be known: the first to fit on, the second to forecast."""
    return {
        "walk": [features_of(market("WALK", 8_000, 21)), features_of(market("WALK", 6_000, 22))],
        "garch": [features_of(garch("GARCH", 8_000, 23)), features_of(garch("GARCH", 6_000, 24))],
    }


@pytest.mark.slow
@every_mean
@pytest.mark.parametrize("kind", ["walk", "garch"])
def test_where_there_is_nothing_to_find_nothing_is_found(
    name: str, kind: str, without_drift: dict[str, list[FeatureFrame]]
) -> None:
    learnt, unseen = without_drift[kind]
    model = ZOO[name](NAMES)
    model.fit([learnt], seed=0)
    result, rows = correlation(model, unseen)
    assert abs(result) < 4 / np.sqrt(rows)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ridge", "rls", "gbm", "lightgbm"])
def test_labels_shifted_away_from_their_bars_teach_nothing(
    name: str, training_frames: list[FeatureFrame], unseen: FeatureFrame
) -> None:
    shifted = [
        FeatureFrame(
            symbol=frame.symbol,
            interval=frame.interval,
            fingerprint=frame.fingerprint,
            time=frame.time,
            close=frame.close,
            values=np.roll(frame.values, 997, 0),
        )
        for frame in training_frames
    ]
    model = ZOO[name](NAMES)
    model.fit(shifted, seed=0)
    result, rows = correlation(model, unseen)
    assert abs(result) < 4 / np.sqrt(rows)
