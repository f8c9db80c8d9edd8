"""Rows of the same market are like the training data, rows of another are not; and the reference is what was saved."""

from pathlib import Path

import numpy as np
import pytest
from model_data import NAMES, bars_of, features_of, market

from features.frame import BarFrame, FeatureFrame
from models import training
from models.drift.reference import Reference
from settings import ROOT
from sources.reading.bars import read_bars

pytestmark = pytest.mark.slow

CUT = 26_000
"""The bar of the bundled sample, of 43,199, at which the training ends."""


@pytest.fixture(scope="module")
def bars() -> list[BarFrame]:
    return read_bars([ROOT / "sample" / f"{symbol}-1m.csv.gz" for symbol in ("BTCUSDT", "ETHUSDT")], "1m", None, None)


@pytest.fixture(scope="module")
def frames(bars: list[BarFrame]) -> list[FeatureFrame]:
    return training.features(bars, training.define([frame[:CUT] for frame in bars]))


@pytest.fixture(scope="module")
def reference(frames: list[FeatureFrame]) -> Reference:
    return Reference.fit([frame[:CUT] for frame in frames], NAMES, seed=1)


def share_unlike(reference: Reference, frames: list[FeatureFrame]) -> float:
    return float(np.mean(np.concatenate([reference.dissimilarity(frame.values) for frame in frames]) > 1))


def days(frames: list[FeatureFrame], reference: Reference) -> list[np.ndarray]:
    window = reference.window
    starts = range(0, len(frames[0]) - window + 1, window)
    return [np.concatenate([frame.values[start : start + window] for frame in frames]) for start in starts]


def share_shifted(reference: Reference, values: np.ndarray) -> float:
    return float(np.mean([index > reference.limits[name] for name, index in reference.psi(values).items()]))


def changed(frame: BarFrame, scale: float = 1.0, carry: float = 0.0) -> BarFrame:
    """Return a market of the same prices whose returns or carry a share of the last."""
    level = np.log(frame.close)
    returns = np.diff(level, prepend=level[0]) * scale
    for row in range(1, len(returns)):
        returns[row] += carry * returns[row - 1]
    close = np.exp(level[0] + np.cumsum(returns))
    columns = {name: close * (getattr(frame, name) / frame.close) ** scale for name in ("open", "high", "low")}
    columns["high"] = np.maximum.reduce([columns["high"], columns["open"], close])
    columns["low"] = np.minimum.reduce([columns["low"], columns["open"], close])
    return frame.with_columns(**columns, close=close)


def test_later_rows_of_the_real_market_are_like_the_training_data(
    reference: Reference, frames: list[FeatureFrame]
) -> None:
    later = [frame[CUT:] for frame in frames]
    assert share_unlike(reference, later) < 0.05
    assert all(share_shifted(reference, day) < 0.15 for day in days(later, reference))


@pytest.mark.parametrize("how", [{"scale": 5.0}, {"carry": 0.6}, {"carry": -0.6}])
def test_rows_of_a_market_with_other_dynamics_are_not(
    how: dict[str, float], reference: Reference, bars: list[BarFrame]
) -> None:
    definition = training.define([frame[:CUT] for frame in bars])
    other = training.features([changed(frame[CUT - 300 :], **how) for frame in bars], definition)
    later = [frame[300:] for frame in other]
    assert share_unlike(reference, later) > 0.15
    assert np.mean([share_shifted(reference, day) for day in days(later, reference)]) > 0.1


def test_price_and_volume_levels_do_not_make_a_row_unlike(reference: Reference, bars: list[BarFrame]) -> None:
    definition = training.define([frame[:CUT] for frame in bars])
    for frame in (whole[CUT:] for whole in bars):
        prices = {name: 8 * getattr(frame, name) for name in ("open", "high", "low", "close")}
        (same,) = training.features([frame], definition)
        (moved,) = training.features([frame.with_columns(**prices, volume=10 * frame.volume)], definition)
        expected = reference.dissimilarity(same.values)
        np.testing.assert_allclose(reference.dissimilarity(moved.values), expected, rtol=1e-3)


def test_a_row_says_the_same_in_whatever_batch_it_comes(reference: Reference, frames: list[FeatureFrame]) -> None:
    values = frames[0].values[5_000:5_050]
    single = [reference.dissimilarity(values[row : row + 1])[0] for row in range(len(values))]
    np.testing.assert_array_equal(single, reference.dissimilarity(values))


def test_what_is_unknown_of_a_row_counts_as_nothing_and_most_of_it_unknown_is_unknown(
    reference: Reference, frames: list[FeatureFrame]
) -> None:
    values = frames[0].values[5_000:5_100].copy()
    before = reference.dissimilarity(values)
    values[:, [NAMES.index(name) for name in reference.columns[:20]]] = np.nan
    some = reference.dissimilarity(values)
    assert np.isfinite(some).all()
    assert abs(np.median(some) - np.median(before)) < 0.2
    values[:, [NAMES.index(name) for name in reference.columns[20:60]]] = np.nan
    assert np.isnan(reference.dissimilarity(values)).all()
    assert (
        np.isfinite(reference.dissimilarity(np.where(np.isnan(values), np.inf, frames[0].values[5_000:5_100]))).sum()
        == 0
    )


def test_a_columns_deviation_is_from_the_median_in_units_of_the_quartiles(
    reference: Reference, frames: list[FeatureFrame]
) -> None:
    place = NAMES.index("rsi_14")
    trained = np.concatenate([frame[:CUT].values[:, place] for frame in frames])
    lower, middle, upper = np.nanquantile(trained, [0.25, 0.5, 0.75])
    row = frames[0].values[CUT + 100].copy()
    row[place], row[NAMES.index("log_return_5")] = 95.0, np.nan
    deviations = reference.deviations(row)
    assert deviations["rsi_14"] == pytest.approx(
        (95.0 - middle) / ((upper - lower) / 1.349), rel=0.03
    )  # of every 3rd row
    assert "log_return_5" not in deviations, "unknown"
    assert set(deviations) <= set(reference.columns), "not prices, amounts and the calendar"


def test_an_equal_fit_has_an_equal_id_and_what_is_loaded_says_the_same(
    reference: Reference, frames: list[FeatureFrame], tmp_path: Path
) -> None:
    again = Reference.fit([frame[:CUT] for frame in frames], NAMES, seed=1)
    assert again.id == reference.id
    path = reference.save(tmp_path)
    assert path == tmp_path / "references" / f"{reference.id}.safetensors"
    loaded = Reference.load(tmp_path, reference.id)
    values = frames[1].values[-2_000:]
    np.testing.assert_array_equal(loaded.dissimilarity(values), reference.dissimilarity(values))
    assert (loaded.psi(values), loaded.limits, loaded.id) == (reference.psi(values), reference.limits, reference.id)


def test_a_reference_that_was_changed_or_is_missing_is_refused_in_one_line(
    reference: Reference, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="No such file") as missing:
        Reference.load(tmp_path, reference.id)
    path = reference.save(tmp_path)
    path.write_bytes(path.read_bytes()[:-4] + b"\0\0\0\0")
    with pytest.raises(ValueError, match="changed since; run foretick train") as broken:
        Reference.load(tmp_path, reference.id)
    assert "\n" not in f"{missing.value}{broken.value}"


def test_too_little_data_is_refused_in_one_line() -> None:
    with pytest.raises(ValueError, match="too few for a reference"):
        Reference.fit([features_of(market("COIN", 300, 1))], NAMES)
    flat = bars_of("COIN", market("COIN", 3_000, 1).time, np.full(3_000, 100.0))
    still = features_of(flat)
    constant = FeatureFrame(
        symbol="COIN",
        interval="1m",
        fingerprint="f",
        time=still.time,
        close=still.close,
        values=np.ones_like(still.values),
    )
    with pytest.raises(ValueError, match="no column varies"):
        Reference.fit([constant], NAMES)
