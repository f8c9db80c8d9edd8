"""When labels mature, where they are unknown, and that no fit reaches past what it may see."""

import numpy as np
import pytest
from model_data import MINUTE, NAMES, START, features_of, market

from features.frame import FeatureFrame
from models.labels import mature, targets
from models.trees import multi_output
from models.trees.compiled import Trees
from models.trees.gbm import GBM


def test_a_label_matures_with_the_first_bar_at_or_after_its_target_and_is_unknown_across_a_gap() -> None:
    time = START + MINUTE * np.array([0, 1, 2, 5, 6])
    price = np.array([100.0, 101.0, 102.0, 105.0, 106.0])
    at, realised = mature(time, price, 2 * MINUTE, time, price)
    assert at.tolist() == [2, 3, 3, 5, 5]
    assert realised[0] == pytest.approx(np.log(102 / 100))
    assert np.isnan(realised[1:]).all()


def test_a_price_that_cannot_be_leaves_the_label_unknown() -> None:
    time = np.array([START, START + MINUTE])
    for bad in (0.0, -1.0):
        _, realised = mature(time, np.array([bad, 100.0]), MINUTE, time, np.array([bad, 100.0]))
        assert np.isnan(realised[0])


def test_targets_equal_those_of_a_plain_lookup_and_end_h_rows_early() -> None:
    frame = features_of(market("COIN", 400, 5, gaps=0.2))
    sigma = np.full(len(frame), 1e-3)
    closes = dict(zip(frame.time.tolist(), frame.close.tolist(), strict=True))
    result = targets(frame, sigma, (1, 5, 60), np.inf)
    for column, horizon in enumerate((1, 5, 60)):
        for row, (time, close) in enumerate(zip(frame.time.tolist(), frame.close.tolist(), strict=True)):
            later = closes.get(time + horizon * MINUTE)
            if later is None:
                assert np.isnan(result[row, column])
            else:
                assert result[row, column] == pytest.approx(np.log(later / close) / (1e-3 * horizon**0.5), abs=1e-12)
    assert np.abs(targets(frame, sigma * 1e-3, (1,), 4.0)[~np.isnan(result[:, 0]), 0]).max() == 4.0


@pytest.mark.slow
def test_the_trees_see_no_label_that_reaches_into_the_held_out_end(training_frames: list[FeatureFrame]) -> None:
    clean, other = GBM(NAMES), GBM(NAMES)
    clean.fit(training_frames, seed=0)
    poisoned = []
    for frame in training_frames:
        held_out = frame.time >= clean.split
        close = frame.close.copy()
        close[held_out] = np.exp(np.random.default_rng(1).normal(0, 1, int(held_out.sum())))
        poisoned.append(
            FeatureFrame(
                symbol=frame.symbol,
                interval=frame.interval,
                fingerprint=frame.fingerprint,
                time=frame.time,
                close=close,
                values=frame.values,
            )
        )
    other.fit(poisoned, seed=0)
    assert clean.booster_text() == other.booster_text()
    assert clean.version != other.version  # the tempering did see the held-out end


def test_too_few_rows_are_refused_in_one_line() -> None:
    with pytest.raises(ValueError, match="rows to train 'gbm' on"):
        GBM(NAMES).fit([features_of(market("COIN", 2_000, 5))], seed=0)


def test_unknown_labels_teach_the_trees_nothing() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(6_000, 3))
    y = np.sign(x[:, :1])
    y[rng.random(6_000) < 0.7] = np.nan
    output = Trees.of(multi_output.train(x, y, (1,), np.zeros((1, 8)), seed=0)).predict(x)[:, 0]
    assert np.mean(output * np.sign(x[:, 0])) > 0.4  # zeros in place of the unknown would pull it below 0.3
