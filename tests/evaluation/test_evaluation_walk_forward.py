"""The walk forward: nothing of a test's span reaches a fit, and what is kept is made once."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from evaluation import splits, walk_forward
from evaluation.combine import combine
from evaluation.label_columns import joined_labels, labels_of
from evaluation.splits import DAY, EMBARGO, Split
from features.frame import BarFrame, FeatureFrame
from models.baselines.ar import AR
from models.baselines.naive import Naive
from models.combine.ensemble import Ensemble
from models.linear.ridge import Ridge
from models.trees.gbm import GBM
from models.volatility.har import HAR
from sources.reading.bars import read_bars
from stack import sample
from topics.records import HORIZONS

pytestmark = pytest.mark.slow

MODELS = {model.name: model for model in (Naive, HAR, Ridge, GBM)}
MINUTE = 60_000


@pytest.fixture(scope="module")
def bars() -> list[BarFrame]:
    """The bundled sample."""
    return read_bars(sample.FILES, "1m")


def fold_of(bars: list[BarFrame]) -> Split:
    first, last = min(int(frame.time[0]) for frame in bars), max(int(frame.time[-1]) for frame in bars)
    return splits.days(first, last, test=3, window=12)[0]


def changed(bars: list[BarFrame], start: int) -> list[BarFrame]:
    """Return the bars with another market from `start` on."""
    bar_frames = []
    for frame in bars:
        late = frame.time >= start
        factor = np.where(late, np.exp(np.random.default_rng(1).normal(0, 0.01, len(frame)).cumsum()), 1.0)
        prices = {name: getattr(frame, name) * factor for name in ("open", "high", "low", "close")}
        bar_frames.append(frame.with_columns(**prices))
    return bar_frames


def walked(
    bars: list[BarFrame], folder: Path, on_message: Callable[[str], None] = lambda _: None
) -> walk_forward.WalkedSplit:
    prepared = walk_forward.prepare(bars, {frame.symbol: 1.0 for frame in bars}, fold_of(bars), folder, seed=0)
    walk_forward.run(prepared, MODELS, seed=0, jobs=1, on_message=on_message)
    return prepared.done()


@pytest.fixture(scope="module")
def done(bars: list[BarFrame], tmp_path_factory: pytest.TempPathFactory) -> walk_forward.WalkedSplit:
    """The sample's last days, forecast by a few models."""
    return walked(bars, tmp_path_factory.mktemp("walk"))


def test_a_training_ends_a_day_before_its_test_for_every_symbol(bars: list[BarFrame]) -> None:
    split = fold_of(bars)
    prepared = walk_forward.prepare(bars, {}, split, Path("/nowhere"), seed=0)
    for frame in prepared.frames:
        trained, tested = split.training(frame), split.walked(frame, 0)
        assert int(trained.time[-1]) < split.cut - EMBARGO <= int(tested.time[0]) - EMBARGO
        labels = labels_of([trained], HORIZONS, split.start, split.cut)
        for column, horizon in enumerate(HORIZONS):
            known = labels.time[~np.isnan(labels.realised[:, column])]
            assert known[-1] + horizon * MINUTE < split.cut - EMBARGO
        assert int(frame.time[-1]) < split.end


def test_months_follow_each_other_and_too_little_history_is_one_line() -> None:
    first, last = (int(np.datetime64(day, "ms").astype(int)) for day in ("2019-01-01T00:00", "2019-06-30T23:59"))
    found = splits.monthly(first, last, months=2, window=90)
    assert [split.name for split in found] == ["2019-05", "2019-06"]
    assert found[0].end == found[1].cut == int(np.datetime64("2019-06-01", "ms").astype(int))
    assert found[0].start == found[0].cut - 90 * DAY
    short = splits.monthly(first, last - DAY, months=1, window=90)
    assert [split.name for split in short] == ["2019-05"]  # June is not whole
    with pytest.raises(ValueError, match="60 days too late to train for 2019-05"):
        splits.monthly(first, last, months=2, window=180)


def test_labels_are_what_a_loop_finds_and_closes_after_the_end_are_not_read() -> None:
    rng = np.random.default_rng(0)
    time = MINUTE * np.sort(rng.permutation(4_000)[:3_000]).astype(np.int64)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 1e-3, len(time))))
    frame = FeatureFrame(
        symbol="A", interval="1m", fingerprint="", time=time, close=close, values=np.empty((len(time), 0))
    )
    start, end = int(time[1_000]), int(time[2_500])
    labels = labels_of([frame], HORIZONS, start, end)
    price = dict(zip(time.tolist(), close.tolist(), strict=True))
    for row in range(0, len(labels.time), 37):
        moment = int(labels.time[row])
        for column, horizon in enumerate(HORIZONS):
            target = moment + horizon * MINUTE
            there = target in price and target < end
            realised = np.log(price[target] / price[moment]) if there else np.nan
            assert labels.realised[row, column] == pytest.approx(realised, nan_ok=True, abs=1e-12)
            later, entered = target + MINUTE, moment + MINUTE
            both = later in price and later < end and entered in price
            gapped = np.log(price[later] / price[entered]) if both else np.nan
            assert labels.gapped[row, column] == pytest.approx(gapped, nan_ok=True, abs=1e-12)
            steps = np.diff(np.log(close[(time >= moment) & (time <= target)]))
            variance = float(steps @ steps) if there else np.nan
            assert labels.variance[row, column] == pytest.approx(variance, nan_ok=True, rel=1e-6, abs=1e-15)
    poisoned = replace(frame, close=np.where(time >= end, 1.0, close))
    assert labels_of([poisoned], HORIZONS, start, end).realised.tobytes() == labels.realised.tobytes()
    joined, order = joined_labels([labels_of([frame], HORIZONS, end, int(time[-1])), labels])
    assert joined.time.tolist() == sorted(joined.time.tolist())
    assert len(order) == len(joined.time)


@pytest.mark.slow
def test_another_market_from_the_cut_on_changes_no_fit_and_no_forecast_before_it(
    bars: list[BarFrame], done: walk_forward.WalkedSplit, tmp_path: Path
) -> None:
    other = walked(changed(bars, done.split.cut), tmp_path)
    for name in MODELS:
        (version,) = [path.name for path in (done.folder / name).iterdir() if path.is_dir()]
        assert (other.folder / name / version).is_dir()  # the version is a hash of all that was fitted
        one, two = done.load(name), other.load(name)
        before = np.concatenate([frame.time < done.split.cut for frame in done.frames])
        assert one.quantiles[before].tobytes() == two.quantiles[before].tobytes()
        assert one.quantiles[~before].tobytes() != two.quantiles[~before].tobytes()


@pytest.mark.slow
def test_a_second_walk_makes_nothing_anew_and_other_bars_do(
    bars: list[BarFrame], done: walk_forward.WalkedSplit, tmp_path: Path
) -> None:
    messages: list[str] = []
    walked(bars, done.folder.parent, messages.append)
    assert messages == []
    walked(changed(bars, done.split.start), tmp_path, messages.append)
    assert len(messages) == len(MODELS)
    for place, (name, line) in enumerate(zip(MODELS, messages, strict=True), 1):
        assert re.match(
            rf"[-\d]+: {name} [0-9a-f]{{12}}, R² (\S+, ){{3}}\S+ % at 1, 5, 15, 60 bars; {place} of 4 fits done", line
        )
        assert line.endswith(" left") == (place < len(MODELS))
    assert "R² 0.00, 0.00, 0.00, 0.00 %" in messages[0]


@pytest.mark.long
@pytest.mark.slow
def test_two_processes_make_what_one_makes(
    bars: list[BarFrame], done: walk_forward.WalkedSplit, tmp_path: Path
) -> None:
    prepared = walk_forward.prepare(bars, {frame.symbol: 1.0 for frame in bars}, done.split, tmp_path, seed=0)
    walk_forward.run(prepared, MODELS, seed=0, jobs=2)
    for name in MODELS:
        one, two = done.load(name), prepared.done().load(name)
        assert one.quantiles.tobytes() == two.quantiles.tobytes()


def test_combiners_go_on_from_fold_to_fold(done: walk_forward.WalkedSplit) -> None:
    weights = combine(Ensemble, [done], tuple(MODELS))[0]
    whole = done.load("ensemble")
    assert len(weights) == len(done.labels.time)
    known = ~np.isnan(whole.mean[:, 0])
    assert known.mean() > 0.9
    middle = done.split.cut + DAY
    first = replace_rows(done, Split("first", done.split.start, done.split.cut, middle), middle, before=True)
    second = replace_rows(done, Split("second", done.split.start, middle, done.split.end), middle, before=False)
    parts = combine(Ensemble, [first, second], tuple(MODELS))
    assert sum(map(len, parts)) == len(weights)
    for split, rows in ((first, True), (second, False)):
        late = np.concatenate([(frame.time < middle) == rows for frame in done.frames])
        assert split.load("ensemble").mean.tobytes() == whole.mean[late].tobytes()


def replace_rows(done: walk_forward.WalkedSplit, split: Split, middle: int, before: bool) -> walk_forward.WalkedSplit:
    """Return the rows before the middle, or those from it on, as a fold of their own."""
    rows = [(frame.time < middle) == before for frame in done.frames]
    frames = [frame.after(middle - 1) for frame in done.frames]
    if before:
        frames = [frame[: int(own.sum())] for frame, own in zip(done.frames, rows, strict=True)]
    folder = done.folder.parent / split.name
    for name in MODELS:
        walk_forward.save_forecasts(folder / name, walk_forward.take_rows(done.load(name), np.concatenate(rows)), {})
    return walk_forward.WalkedSplit(
        split=split,
        definition=done.definition,
        folder=folder,
        frames=frames,
        labels=labels_of(frames, HORIZONS, split.cut, split.end),
    )


def test_tuned_parameters_are_fitted_with_and_what_was_kept_of_others_is_not_taken_for_theirs(
    bars: list[BarFrame], tmp_path: Path
) -> None:
    prepared = walk_forward.prepare(bars, {}, fold_of(bars), tmp_path, seed=0)
    walk_forward.run(prepared, {"ar": AR}, 0, 1)
    untuned = walk_forward.artifact_of(prepared.folder, "ar")
    assert walk_forward.has_forecasts(prepared, "ar", AR)
    assert not walk_forward.has_forecasts(prepared, "ar", AR, {"clip": 3.0})
    walk_forward.run(prepared, {"ar": AR}, 0, 1, parameters={"ar": {"clip": 3.0}, "ridge": {"clip": 5.0}})
    assert walk_forward.has_forecasts(prepared, "ar", AR, {"clip": 3.0})
    tuned = walk_forward.artifact_of(prepared.folder, "ar")
    assert tuned != untuned
    assert AR.load(tuned).tuned == {"clip": 3.0}
