"""The models around HAR against plain sums and numpy's least squares, on markets where each has something to find."""

from collections.abc import Callable

import msgspec
import numpy as np
import pytest
from model_data import MINUTE, START
from test_models_volatility import frame_of, qlike

from features.frame import FeatureFrame, Floats
from models import ewma_volatility
from models.labels import variances
from models.least_squares import DAY_MS
from models.volatility import har, realised_measures
from models.volatility.har_jumps import HARJumps
from models.volatility.har_semivariance import HARSemivariance
from models.volatility.har_week import HARWeek
from models.volatility.harq import HARQ, errors
from models.volatility.realised_measures import SINGLE, WEEK, WINDOWS, Measures
from models.volatility.realised_variance import Squares

FAMILY = (HARWeek, HARQ, HARSemivariance, HARJumps)
HOUR_MS = 60 * MINUTE
every_one = pytest.mark.parametrize("model", FAMILY)


@pytest.fixture(scope="module")
def weeks() -> FeatureFrame:
    """Ten days of minutes, a twentieth of them missing, some without a move, with one gap of five hours."""
    rng = np.random.default_rng(11)
    rows = np.sort(rng.permutation(14_400)[:13_680])
    time = START + MINUTE * (rows + 300 * (rows > 9_000))
    size = 1e-3 * np.exp(0.5 * np.sin(2 * np.pi * (time % DAY_MS) / DAY_MS)) * (rng.random(len(rows)) > 0.2)
    return frame_of(time, 100 * np.exp(np.cumsum(size * rng.standard_t(5, len(rows)))))


def measured(frame: FeatureFrame) -> tuple[Squares, Measures]:
    walk = ewma_volatility.walk(ewma_volatility.initial(), frame)[1]
    return realised_measures.step(realised_measures.initial(), frame, SINGLE, walk)[1:]


def plain_sums(frame: FeatureFrame, row: int) -> dict[str, list[float]]:
    """Return the measures of one row, each window by itself, from the returns."""
    time, now = frame.time, frame.time[row]
    moves = np.concatenate([[0.0], np.diff(np.log(frame.close))])
    passed = np.concatenate([[1], np.diff(time) // MINUTE])
    moves[passed > 61] /= np.sqrt(passed[passed > 61])
    sums: dict[str, list[float]] = {name: [] for name in Measures._fields}
    for window in WINDOWS:
        first = now - (window - 1) * MINUTE
        if window > SINGLE:
            first = ((now - window * MINUTE) // HOUR_MS + 1) * HOUR_MS
        inside = np.flatnonzero((time >= first) & (time <= now))
        one, before = moves[inside], moves[np.maximum(inside - 1, 0)]
        sums["bars"].append(min((now - first) // MINUTE + 1, (now - time[0]) // MINUTE))
        sums["squares"].append(np.sum(one**2))
        sums["falls"].append(np.sum(one[one < 0] ** 2))
        sums["products"].append(np.sum(np.abs(one * before)))
        sums["fourths"].append(np.sum(one**4))
    return sums


def test_measures_are_the_sums_over_each_window_of_the_last_week(weeks: FeatureFrame) -> None:
    measures = measured(weeks)[1]
    assert all(np.isnan(values[0]).all() for values in measures)
    assert measures.bars[-1].tolist()[:3] == list(WINDOWS[:3])
    assert 1_440 - 60 <= measures.bars[-1, 3] <= 1_440
    assert WEEK - 60 <= measures.bars[-1, -1] <= WEEK
    for row in [1, 4, 40, 300, 1_500, *range(8_560, len(weeks), 331)]:
        for name, expected in plain_sums(weeks, row).items():
            assert getattr(measures, name)[row] == pytest.approx(expected, rel=1e-9, abs=1e-18), (name, row)


def test_measures_are_the_same_bits_however_the_rows_are_cut(weeks: FeatureFrame) -> None:
    whole = measured(weeks)[1]
    scale, state, parts = ewma_volatility.initial(), realised_measures.initial(), []
    for first, end in (
        (0, 1),
        (1, 1_400),
        (1_400, 4_000),
        *((row, row + 1) for row in range(4_000, 4_200)),
        (4_200, None),
    ):
        scale, walk = ewma_volatility.walk(scale, weeks[first:end])
        state, _, part = realised_measures.step(
            msgspec.json.decode(msgspec.json.encode(state)), weeks[first:end], SINGLE, walk
        )
        parts.append(part)
    for values, pieces in zip(whole, zip(*parts, strict=True), strict=True):
        assert np.concatenate(pieces).tobytes() == values.tobytes()


def test_a_wrong_price_that_is_back_leaves_nothing_in_the_measures(weeks: FeatureFrame) -> None:
    close = weeks.close.copy()
    close[6_000:6_003] *= 4
    right, wrong = measured(weeks)[1], measured(frame_of(weeks.time, close))[1]
    for name in ("squares", "falls", "products"):
        one, other = getattr(wrong, name)[6_010:], getattr(right, name)[6_010:]
        assert one[-1] == pytest.approx(other[-1], rel=5e-3), name
        assert (one[:, -1] / other[:, -1]).max() < 1.01, name


def own_columns(model: HARWeek, frame: FeatureFrame, row: int, sigma: float) -> list[float]:
    """Return what a model of the family adds for one row, by its paper's formula."""
    sums = {name: np.array(values) for name, values in plain_sums(frame, row).items()}
    floor = model.floor * sigma**2
    past = sums["squares"] / sums["bars"]
    variance = np.maximum(past, floor)
    if isinstance(model, HARQ):
        quarticity = sums["bars"] / 3 * sums["fourths"]  # of a window of unit length
        error = np.sqrt(2 * quarticity / sums["bars"] / sums["squares"] ** 2) if past.min() > 0 else np.full(5, np.nan)
        return list((error * np.log(variance / variance[-1]))[:-1])
    if isinstance(model, HARSemivariance):
        rises = sums["squares"] - sums["falls"]
        return list((sums["falls"] - rises) / sums["bars"] / variance)
    if isinstance(model, HARJumps):
        bipower = np.pi / 2 * sums["products"] / sums["bars"]
        return list(np.log(variance) - np.log(np.clip(bipower, floor, variance)))
    return []


@every_one
def test_the_inputs_are_the_papers_formulas(model: type[HARWeek], weeks: FeatureFrame) -> None:
    unfitted = model()
    walk = ewma_volatility.walk(ewma_volatility.initial(), weeks)[1]
    x = unfitted._see(unfitted._unseen(), weeks, walk, unfitted.floor * walk.sigma**2)[2]
    assert x.shape == (len(weeks), 1 + len(model.inputs))
    assert np.isnan(x[:29]).all()
    for row in (1_500, 9_100, 12_345, 13_000):
        sums = plain_sums(weeks, row)
        variance = np.maximum(np.array(sums["squares"]) / sums["bars"], unfitted.floor * walk.sigma[row] ** 2)
        assert x[row, 1:6] == pytest.approx(np.log(variance))
        own = own_columns(unfitted, weeks, row, walk.sigma[row])
        assert x[row, 10:] == pytest.approx(own, rel=1e-6, abs=1e-9, nan_ok=True), row


def test_a_window_without_a_move_is_the_least_exact_one() -> None:
    still = Measures(
        *(np.array([[5.0, 30.0]]), np.array([[0.0, 4.0]]), *[np.zeros((1, 2))] * 2, np.array([[0.0, 16.0]]))
    )
    assert errors(still).tolist() == [[np.sqrt(2 / 3)] * 2]


@every_one
def test_the_pooled_fit_is_least_squares_with_a_slight_penalty(model: type[HARWeek], weeks: FeatureFrame) -> None:
    fitted = model()
    fitted.fit([weeks], seed=0)
    x, y, _ = fitted._rows(weeks)
    for column, target in enumerate(y.T):
        known = ~np.isnan(target)
        penalty = np.diag(np.sqrt(model.ridge * ((x[known] ** 2).sum(axis=0) + known.sum())))
        rows, answers = np.vstack([x[known], penalty]), np.concatenate([target[known], np.zeros(x.shape[1])])
        expected = np.linalg.lstsq(rows, answers, rcond=None)[0]
        result = np.linalg.solve(fitted.gram[column], fitted.cross[column])
        assert x[known] @ result == pytest.approx(x[known] @ expected, abs=1e-5)


@every_one
def test_a_history_of_less_than_a_day_is_enough(model: type[HARWeek], weeks: FeatureFrame) -> None:
    scales = []
    for kind in (model, har.HAR):
        fitted = kind()
        fitted.fit([weeks[:900]], seed=0)
        scales.append(fitted.step(fitted.initial(), weeks[:900])[1].scale[100:])
    assert np.abs(np.log(scales[0] / scales[1])).max() < 1


@every_one
def test_one_by_one_after_days_it_forecasts_the_bits_of_a_batch(model: type[HARWeek], weeks: FeatureFrame) -> None:
    fitted = model()
    fitted.fit([weeks[:6_000]], seed=0)
    expected = fitted.step(fitted.initial(), weeks)[1].scale
    state = fitted.step(fitted.initial(), weeks[:11_000])[0]
    for row in range(11_000, 11_040):
        state, one = fitted.step(msgspec.json.decode(msgspec.json.encode(state)), weeks[row : row + 1])
        assert one.scale.tobytes() == expected[row].tobytes()


def falls_matter(rng: np.random.Generator, rows: int) -> Floats:
    """Return returns whose variance rises after falls alone."""
    returns, variance = np.empty(rows), 1e-6
    for row in range(rows):
        returns[row] = np.sqrt(variance) * rng.standard_normal()
        variance = 5e-8 + 0.75 * variance + 0.4 * returns[row] ** 2 * (returns[row] < 0)
    return returns


def jumps_do_not_matter(rng: np.random.Generator, rows: int) -> Floats:
    """Return returns with jumps of their own, which tell nothing of the variance to come."""
    size = np.exp(np.cumsum(rng.normal(0, 0.03, rows)) - 0.5)
    size = 1e-3 * np.exp(np.sin(np.arange(rows) / 200.0)) * (size > 0)
    return size * rng.standard_normal(rows) + (rng.random(rows) < 0.03) * 4e-3 * rng.standard_normal(rows)


def few_bars_tell_little(rng: np.random.Generator, rows: int) -> Floats:
    """Return returns of which, hours on end, a twentieth carries all of the variance."""
    few, log_size = np.arange(rows) // 480 % 2 == 0, np.zeros(rows)
    for row in range(1, rows):
        log_size[row] = 0.995 * log_size[row - 1] + rng.normal(0, 0.06)
    size = 1e-3 * np.exp(log_size) * np.where(few, np.sqrt(20) * (rng.random(rows) < 0.05), 1.0)
    return size * rng.standard_normal(rows)


@pytest.mark.parametrize(
    ("model", "planted"),
    [(HARSemivariance, falls_matter), (HARJumps, jumps_do_not_matter), (HARQ, few_bars_tell_little)],
)
def test_what_is_planted_makes_it_better_than_the_plain_regression(
    model: type[HARWeek], planted: Callable[[np.random.Generator, int], Floats]
) -> None:
    rows = 14_000
    returns = planted(np.random.default_rng(4), rows)
    frame = frame_of(START + MINUTE * np.arange(rows), 100 * np.exp(np.cumsum(returns)))
    losses = []
    for kind in (HARWeek, model):
        fitted = kind()
        fitted.fit([frame[: rows // 2]], seed=0)
        scale = fitted.step(fitted.initial(), frame)[1].scale
        realised = variances(frame, fitted.horizons)
        late = slice(rows // 2 + 100, None)
        losses.append([qlike(realised[late, column], scale[late, column] ** 2) for column in range(4)])
    assert (np.array(losses[1]) < losses[0]).all()


@every_one
def test_the_names_are_those_of_the_columns_and_each_is_there_once(model: type[HARWeek]) -> None:
    assert len(set(model.inputs)) == len(model.inputs)
    assert model.inputs[: len(WINDOWS)] == har.named(WINDOWS)[: len(WINDOWS)]
