"""The walk forward: nothing of a test's span reaches a fit, and what is kept is made once."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from evaluation import folds, walk
from evaluation.combine import combine
from evaluation.folds import DAY, EMBARGO, Fold
from evaluation.truth import joined_labels, labels_of
from features.frame import BarFrame, FeatureFrame
from models.ar import AR
from models.ensemble import Ensemble
from models.gbm import GBM
from models.har import HAR
from models.naive import Naive
from models.ridge import Ridge
from sources.bars import read_bars
from stack import sample
from topics.records import HORIZONS

MODELS = {model.name: model for model in (Naive, HAR, Ridge, GBM)}
MINUTE = 60_000


@pytest.fixture(scope="module")
def bars() -> list[BarFrame]:
    """The bundled sample."""
    return read_bars(sample.FILES, "1m")


def fold_of(bars: list[BarFrame]) -> Fold:
    first, last = min(int(frame.time[0]) for frame in bars), max(int(frame.time[-1]) for frame in bars)
    return folds.days(first, last, test=3, window=12)[0]


def changed(bars: list[BarFrame], start: int) -> list[BarFrame]:
    """Return the bars with another market from `start` on."""
    found = []
    for frame in bars:
        late = frame.time >= start
        factor = np.where(late, np.exp(np.random.default_rng(1).normal(0, 0.01, len(frame)).cumsum()), 1.0)
        prices = {name: getattr(frame, name) * factor for name in ("open", "high", "low", "close")}
        found.append(frame.told(**prices))
    return found


def walked(bars: list[BarFrame], folder: Path, told: Callable[[str], None] = lambda _: None) -> walk.Walked:
    prepared = walk.prepare(bars, {frame.symbol: 1.0 for frame in bars}, fold_of(bars), folder, seed=0)
    walk.run(prepared, MODELS, seed=0, jobs=1, told=told)
    return prepared.done()


@pytest.fixture(scope="module")
def done(bars: list[BarFrame], tmp_path_factory: pytest.TempPathFactory) -> walk.Walked:
    """The sample's last days, forecast by a few models."""
    return walked(bars, tmp_path_factory.mktemp("walk"))


def test_a_training_ends_a_day_before_its_test_for_every_symbol(bars: list[BarFrame]) -> None:
    fold = fold_of(bars)
    prepared = walk.prepare(bars, {}, fold, Path("/nowhere"), seed=0)
    for frame in prepared.frames:
        trained, tested = fold.training(frame), fold.walked(frame, 0)
        assert int(trained.time[-1]) < fold.cut - EMBARGO <= int(tested.time[0]) - EMBARGO
        labels = labels_of([trained], HORIZONS, fold.start, fold.cut)
        for column, horizon in enumerate(HORIZONS):
            known = labels.time[~np.isnan(labels.realised[:, column])]
            assert known[-1] + horizon * MINUTE < fold.cut - EMBARGO
        assert int(frame.time[-1]) < fold.end


def test_months_follow_each_other_and_too_little_history_is_one_line() -> None:
    first, last = (int(np.datetime64(day, "ms").astype(int)) for day in ("2019-01-01T00:00", "2019-06-30T23:59"))
    found = folds.monthly(first, last, months=2, window=90)
    assert [fold.name for fold in found] == ["2019-05", "2019-06"]
    assert found[0].end == found[1].cut == int(np.datetime64("2019-06-01", "ms").astype(int))
    assert found[0].start == found[0].cut - 90 * DAY
    short = folds.monthly(first, last - DAY, months=1, window=90)
    assert [fold.name for fold in short] == ["2019-05"]  # June is not whole
    with pytest.raises(ValueError, match="60 days too late to train for 2019-05"):
        folds.monthly(first, last, months=2, window=180)


def test_labels_are_what_a_loop_finds_and_closes_after_the_end_are_not_read() -> None:
    rng = np.random.default_rng(0)
    time = MINUTE * np.sort(rng.permutation(4_000)[:3_000]).astype(np.int64)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 1e-3, len(time))))
    frame = FeatureFrame("A", "1m", "", time, close, np.empty((len(time), 0)))
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


def test_another_market_from_the_cut_on_changes_no_fit_and_no_forecast_before_it(
    bars: list[BarFrame], done: walk.Walked, tmp_path: Path
) -> None:
    other = walked(changed(bars, done.fold.cut), tmp_path)
    for name in MODELS:
        (version,) = [path.name for path in (done.folder / name).iterdir() if path.is_dir()]
        assert (other.folder / name / version).is_dir()  # the version is a hash of all that was fitted
        one, two = done.load(name), other.load(name)
        before = np.concatenate([frame.time < done.fold.cut for frame in done.frames])
        assert one.quantiles[before].tobytes() == two.quantiles[before].tobytes()
        assert one.quantiles[~before].tobytes() != two.quantiles[~before].tobytes()


def test_a_second_walk_makes_nothing_anew_and_other_bars_do(
    bars: list[BarFrame], done: walk.Walked, tmp_path: Path
) -> None:
    told: list[str] = []
    walked(bars, done.folder.parent, told.append)
    assert told == []
    walked(changed(bars, done.fold.start), tmp_path, told.append)
    assert len(told) == len(MODELS)


def test_two_processes_make_what_one_makes(bars: list[BarFrame], done: walk.Walked, tmp_path: Path) -> None:
    prepared = walk.prepare(bars, {frame.symbol: 1.0 for frame in bars}, done.fold, tmp_path, seed=0)
    walk.run(prepared, MODELS, seed=0, jobs=2)
    for name in MODELS:
        one, two = done.load(name), prepared.done().load(name)
        assert one.quantiles.tobytes() == two.quantiles.tobytes()


def test_combiners_go_on_from_fold_to_fold(done: walk.Walked) -> None:
    weights = combine(Ensemble, [done], tuple(MODELS))[0]
    whole = done.load("ensemble")
    assert len(weights) == len(done.labels.time)
    known = ~np.isnan(whole.mean[:, 0])
    assert known.mean() > 0.9
    middle = done.fold.cut + DAY
    first = replace_rows(done, Fold("first", done.fold.start, done.fold.cut, middle), middle, before=True)
    second = replace_rows(done, Fold("second", done.fold.start, middle, done.fold.end), middle, before=False)
    parts = combine(Ensemble, [first, second], tuple(MODELS))
    assert sum(map(len, parts)) == len(weights)
    for fold, rows in ((first, True), (second, False)):
        late = np.concatenate([(frame.time < middle) == rows for frame in done.frames])
        assert fold.load("ensemble").mean.tobytes() == whole.mean[late].tobytes()


def replace_rows(done: walk.Walked, fold: Fold, middle: int, before: bool) -> walk.Walked:
    """Return the rows before the middle, or those from it on, as a fold of their own."""
    rows = [(frame.time < middle) == before for frame in done.frames]
    frames = [frame.after(middle - 1) for frame in done.frames]
    if before:
        frames = [frame[: int(own.sum())] for frame, own in zip(done.frames, rows, strict=True)]
    folder = done.folder.parent / fold.name
    for name in MODELS:
        walk.keep(folder / name, walk.taken(done.load(name), np.concatenate(rows)), {})
    return walk.Walked(fold, done.definition, folder, frames, labels_of(frames, HORIZONS, fold.cut, fold.end))


def test_tuned_parameters_are_fitted_with_and_what_was_kept_of_others_is_not_taken_for_theirs(
    bars: list[BarFrame], tmp_path: Path
) -> None:
    prepared = walk.prepare(bars, {}, fold_of(bars), tmp_path, seed=0)
    walk.run(prepared, {"ar": AR}, 0, 1)
    untuned = walk.artifact_of(prepared.folder, "ar")
    assert walk.kept(prepared, "ar", AR)
    assert not walk.kept(prepared, "ar", AR, {"clip": 3.0})
    walk.run(prepared, {"ar": AR}, 0, 1, parameters={"ar": {"clip": 3.0}, "ridge": {"clip": 5.0}})
    assert walk.kept(prepared, "ar", AR, {"clip": 3.0})
    tuned = walk.artifact_of(prepared.folder, "ar")
    assert tuned != untuned
    assert AR.load(tuned).tuned == {"clip": 3.0}
