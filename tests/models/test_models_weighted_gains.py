"""A block has the weighted mean of the labels forecast and matured within it, and is known in no part before it."""

import numpy as np
import pytest

from models.scoring import weighted_gains

HORIZONS = (1, 25)
LENGTH = 31
WEIGHTS = np.array([5 / 6, 1 / 6])
GAIN = np.random.default_rng(3).normal(0.0, 0.1, (6 * LENGTH + 1, 2))
NUMBER = 1_000 * LENGTH + np.arange(len(GAIN))


def closed(gain: np.ndarray, number: np.ndarray = NUMBER) -> np.ndarray:
    return weighted_gains.step(weighted_gains.initial(HORIZONS), HORIZONS, number, gain)[1]


def test_the_weights_are_those_of_standard_errors_of_overlapping_labels() -> None:
    assert weighted_gains.length(HORIZONS) == LENGTH
    assert weighted_gains.weights(HORIZONS).tolist() == pytest.approx(WEIGHTS.tolist())


def test_blocks_of_short_horizons_have_30_bars_and_all_of_their_labels() -> None:
    assert [weighted_gains.length(horizons) for horizons in ((1,), (1, 5, 15), (1, 5, 15, 60))] == [30, 30, 75]
    gain = GAIN[:, :1]
    mean, _ = weighted_gains.step(weighted_gains.initial((1,)), (1,), np.arange(len(gain)), gain)[1]
    assert np.flatnonzero(np.isfinite(mean)).tolist() == [60, 90, 120, 150, 180]
    assert mean[60] == pytest.approx(gain[30:60].mean())


def test_a_block_has_the_labels_forecast_after_the_bar_before_it_and_matured_within_it() -> None:
    mean, error = closed(GAIN)
    ends = [2 * LENGTH, 3 * LENGTH, 4 * LENGTH, 5 * LENGTH, 6 * LENGTH]  # of the first, nothing was to be expected
    assert np.flatnonzero(np.isfinite(mean)).tolist() == ends
    assert np.flatnonzero(np.isfinite(error)).tolist() == ends
    for end in ends:
        # The 25 bars of a label that matures at the block's 25th bar began at the last bar before the block.
        parts = GAIN[end - LENGTH : end, 0].mean(), GAIN[end - 7 : end, 1].mean()
        assert mean[end] == pytest.approx(WEIGHTS @ parts)


def test_the_standard_error_of_a_block_does_not_know_the_block() -> None:
    changed = GAIN.copy()
    changed[3 * LENGTH : 4 * LENGTH] = 0.9
    error, other = closed(GAIN)[1], closed(changed)[1]
    assert other[: 4 * LENGTH + 1].tolist() == pytest.approx(error[: 4 * LENGTH + 1].tolist(), nan_ok=True)
    assert other[5 * LENGTH] > 2 * error[5 * LENGTH]


def test_the_standard_error_is_that_of_the_blocks_when_there_are_many() -> None:
    gain = np.random.default_rng(4).normal(0.0, 0.1, (5_000 * LENGTH, 2))
    mean, error = closed(gain, np.arange(len(gain)))
    assert error[np.isfinite(error)][-1] == pytest.approx(np.nanstd(mean), rel=0.02)


def test_a_block_without_a_label_of_some_horizon_is_left_out() -> None:
    gain = GAIN.copy()
    gain[3 * LENGTH : 4 * LENGTH, 1] = np.nan
    assert np.flatnonzero(np.isfinite(closed(gain)[0])).tolist() == [2 * LENGTH, 3 * LENGTH, 5 * LENGTH, 6 * LENGTH]
    gain[3 * LENGTH + 24, 1] = 0.1  # one that counts is enough
    assert np.isfinite(closed(gain)[0][4 * LENGTH])


def test_bars_that_are_missing_shift_no_block() -> None:
    kept = np.ones(len(GAIN), dtype=bool)
    kept[[7, 2 * LENGTH, 4 * LENGTH + 1]] = False
    mean = closed(GAIN[kept], NUMBER[kept])[0]
    at = {int(number) - int(NUMBER[0]): value for number, value in zip(NUMBER[kept], mean, strict=True)}
    ends = [2 * LENGTH + 1, 3 * LENGTH, 4 * LENGTH, 5 * LENGTH, 6 * LENGTH]
    assert [place for place, value in at.items() if np.isfinite(value)] == ends
    parts = GAIN[2 * LENGTH + 1 : 3 * LENGTH, 0].mean(), GAIN[3 * LENGTH - 7 : 3 * LENGTH, 1].mean()
    assert at[3 * LENGTH] == pytest.approx(WEIGHTS @ parts)
