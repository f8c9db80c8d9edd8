"""The judge finds planted skill and no other, gives each group what its rows alone would, and refuses the rest."""

import weakref
from itertools import pairwise

import numpy as np
import pytest
from evaluation_market import RHO, SYMBOLS, forecasts, labels, noise, only, skilled, taken, zoo

from evaluation.labels import Labels
from evaluation.results import Results
from evaluation.scorer import score_models
from models.forecaster import Forecasts

pytestmark = pytest.mark.slow


def test_planted_skill_is_found_and_chance_is_not(results: Results):
    for horizon in results.horizons:
        cell = results.find("skilled", horizon, "ic")
        # The longer labels overlap, and so say less.
        assert cell.value == pytest.approx(RHO, abs=0.03)
        assert 0 < cell.low < cell.value < cell.high
        assert cell.value > cell.detectable
        better, chance = (results.compared("squared", horizon, name, "naive") for name in ("skilled", "chance"))
        assert better is not None
        assert better.holm < 0.001
        assert better.difference < 0
        assert chance is not None
        assert chance.difference > 0  # bold, and knows nothing
        assert results.find("chance", horizon, "ic").low < 0 < results.find("chance", horizon, "ic").high
        inside = {name: results.member("squared", horizon, name) for name in results.models}
        assert [name for name, member in inside.items() if member is not None and member.inside] == ["skilled"]
    assert all(test.p < 0.01 for test in results.superiority if test.loss == "squared")


def test_labels_of_other_rows_are_forecast_at_chance(labels: Labels):
    shifted = skilled(labels, 0.5, 1)
    rolled = Forecasts(*(np.concatenate([part[40:], part[:40]]) for part in vars(shifted).values()))
    results = score_models(labels, [("naive", forecasts(labels, 0 * labels.unit)), ("shifted", rolled)], 7)
    for horizon in labels.horizons:
        cell = results.find("shifted", horizon, "ic")
        assert abs(cell.value) < cell.detectable
        assert results.find("shifted", horizon, "accuracy").value == pytest.approx(0.5, abs=0.02)


def test_gapped_ic_has_no_skill_of_one_bar(results: Results):
    assert results.find("skilled", 1, "ic").value > 0.1
    assert abs(results.find("skilled", 1, "ic_gapped").value) < 0.03
    # Of twelve bars eleven remain.
    kept = results.find("skilled", 12, "ic_gapped").value / results.find("skilled", 12, "ic").value
    assert kept == pytest.approx(11 / 12, abs=0.1)
    assert results.find("skilled", 1, "rank_ic_gapped").value < results.find("skilled", 1, "rank_ic").value


@pytest.mark.slow
@pytest.mark.parametrize("group", ["2020-01", "2020-02", *SYMBOLS])
def test_each_group_has_what_its_rows_alone_would_have(labels: Labels, results: Results, group: str):
    month = "" if group in SYMBOLS else group
    symbol = group if group in SYMBOLS else ""
    if symbol:
        rows = labels.symbol == SYMBOLS.index(symbol)
    else:
        rows = labels.time.astype("datetime64[ms]").astype("datetime64[M]") == np.datetime64(month)
    alone = score_models(only(labels, rows), [(name, taken(given, rows)) for name, given in zoo(labels)], 7)
    names = {cell.metric for cell in results.cells if not cell.cell}
    # What is traded depends on the rows before: a month alone has none.
    for name in names - {"break_even_bp", "break_even_bp_gapped"}:
        for model in results.models:
            mine, other = results.find(model, 12, name, month, symbol), alone.find(model, 12, name)
            assert mine[6:] == pytest.approx(other[6:], rel=1e-9, abs=1e-12, nan_ok=True), name


def test_intervals_of_the_right_width_hold_in_every_cell(labels: Labels, results: Results):
    cells = [cell for cell in results.cells if cell.cell and cell.horizon == 12]
    assert len(cells) == 4 * 2 * len(SYMBOLS) * 3 * 4
    for cell in cells:
        nominal = 0.9 if cell.metric == "coverage_90" else 0.5
        if cell.model == "naive":  # a normal of the bars' variance, less the tenth of them that stands still
            assert cell.value == pytest.approx(nominal + 0.02, abs=0.04)
        if cell.model == "har":
            assert cell.value > nominal + 0.04
    counted = only(labels, labels.tercile == 1)
    inside = np.abs(counted.realised[:, 1]) <= 1.6448536 * counted.unit[:, 1]
    hours = counted.time // 3_600_000 % 24
    own = (counted.symbol == 1) & (hours >= 6) & (hours < 12)
    assert results.find("naive", 12, "coverage_90", "", "ETHUSD", "middle 06-12").value == pytest.approx(
        inside[own].mean()
    )


@pytest.mark.slow
def test_a_row_without_a_forecast_counts_as_naive_in_comparisons_and_not_at_all_in_metrics(labels: Labels):
    given = skilled(labels, RHO, 1)
    silent = np.arange(len(labels)) % 2 == 0
    half = Forecasts(
        *(np.where(silent.reshape(-1, *[1] * (part.ndim - 1)), np.nan, part) for part in vars(given).values())
    )
    naive = forecasts(labels, 0 * labels.unit)
    results = score_models(labels, [("naive", naive), ("whole", given), ("half", half)], 7)
    for loss in ("squared", "pinball", "crps", "winkler"):
        whole, part = (results.differences[loss][place].sum(axis=1) for place in (1, 2))
        assert part == pytest.approx(whole / 2, rel=0.25)
    assert not results.differences["qlike"].any()  # the scale is naive's
    alone = score_models(only(labels, ~silent), [("naive", taken(naive, ~silent)), ("half", taken(half, ~silent))], 7)
    for name in ("r2", "ic", "rank_ic", "pinball", "coverage_90", "qlike"):
        assert results.find("half", 1, name).value == pytest.approx(alone.find("half", 1, name).value)


def test_a_model_without_forecasts_has_unknown_scores(labels: Labels):
    nothing = Forecasts(*(np.full_like(part, np.nan) for part in vars(noise(labels, 1)).values()))
    results = score_models(labels, [("naive", forecasts(labels, 0 * labels.unit)), ("silent", nothing)], 7)
    assert all(np.isnan(cell.value) for cell in results.cells if cell.model == "silent")
    test = results.compared("squared", 1, "silent", "naive")
    assert test is not None
    assert np.isnan(test.holm)


@pytest.mark.slow
def test_unknown_labels_are_left_out(labels: Labels, results: Results):
    realised = labels.realised.copy()
    realised[::3] = np.nan
    columns = {name: getattr(labels, name) for name in Labels.__dataclass_fields__}
    result = score_models(Labels(**columns | {"realised": realised}), zoo(labels), 7)
    known = np.arange(len(labels)) % 3 != 0
    expected = score_models(only(labels, known), ((name, taken(given, known)) for name, given in zoo(labels)), 7)
    for name in ("r2", "ic", "rank_ic", "accuracy", "brier", "calibration_slope", "winkler", "coverage_50"):
        assert result.find("skilled", 12, name).value == pytest.approx(expected.find("skilled", 12, name).value)
        assert result.find("skilled", 12, name).value != results.find("skilled", 12, name).value
    assert result.find("skilled", 12, "ic_gapped").value == results.find("skilled", 12, "ic_gapped").value


def test_skill_is_what_the_losses_say(results: Results):
    for loss, metric in (("pinball", "pinball"), ("winkler", "winkler"), ("qlike", "qlike")):
        mine, other = (results.find(name, 12, metric).value for name in ("naive", "har"))
        assert results.skill(loss, 12, "naive", "har") == pytest.approx(1 - mine / other)
    assert results.skill("squared", 12, "skilled", "naive") == pytest.approx(results.find("skilled", 12, "r2").value)
    assert np.isnan(results.skill("squared", 12, "skilled", "absent"))


@pytest.mark.slow
def test_the_same_seed_gives_the_same_results(labels: Labels, results: Results):
    again, other = score_models(labels, zoo(labels), 7), score_models(labels, zoo(labels), 8)
    assert np.array_equal([cell[6:] for cell in again.cells], [cell[6:] for cell in results.cells], equal_nan=True)
    assert again.memberships == results.memberships
    assert again.find("skilled", 1, "r2").value == other.find("skilled", 1, "r2").value
    assert again.find("skilled", 1, "r2").low != other.find("skilled", 1, "r2").low


def test_a_few_days_have_values_and_no_intervals():
    few = labels(days=5)
    results = score_models(few, zoo(few), 7)
    cell = results.find("skilled", 1, "ic")
    assert cell.value == pytest.approx(RHO, abs=0.1)
    assert np.isnan([cell.low, cell.high, cell.detectable]).all()
    assert all(np.isnan(test.p) for test in results.comparisons)


def test_one_model_at_a_time_is_in_memory(labels: Labels):
    before: list[weakref.ref[Forecasts]] = []

    def load(seed: int) -> Forecasts:
        assert all(reference() is None for reference in before)
        given = forecasts(labels, 0 * labels.unit) if seed == 0 else noise(labels, seed)
        before.append(weakref.ref(given))
        return given

    score_models(labels, ((name, load(seed)) for seed, name in enumerate(["naive", "first", "second"])), 7)
    assert len(before) == 3


@pytest.mark.parametrize(
    ("names", "words"),
    [(["skilled", "naive"], "naive"), (["naive", "skilled", "skilled"], "twice"), ([], "no forecasts")],
)
def test_a_zoo_that_cannot_be_judged_is_refused_in_one_line(labels: Labels, names: list[str], words: str):
    given = forecasts(labels, 0 * labels.unit)
    with pytest.raises(ValueError, match=words):
        score_models(labels, [(name, given) for name in names], 7)


def test_forecasts_of_other_rows_are_refused(labels: Labels):
    given = forecasts(labels, 0 * labels.unit)
    with pytest.raises(ValueError, match="shape"):
        score_models(labels, [("naive", taken(given, np.arange(len(labels)) > 0))], 7)


def test_rows_out_of_order_are_refused(labels: Labels):
    columns = {name: getattr(labels, name) for name in Labels.__dataclass_fields__}
    with pytest.raises(ValueError, match="ordered"):
        Labels(**columns | {"time": labels.time[::-1].copy()})
    with pytest.raises(ValueError, match="variance"):
        Labels(**columns | {"variance": labels.variance[:5]})


def test_days_are_in_order_and_whole(results: Results):
    assert all(later == earlier + 1 for earlier, later in pairwise(results.days.tolist()))
    assert len(results.days) == 60


def test_rows_of_unknown_volatility_are_in_no_cell_and_everywhere_else(labels: Labels, results: Results):
    tercile = labels.tercile.copy()
    tercile[labels.symbol == 1] = -1
    columns = {name: getattr(labels, name) for name in Labels.__dataclass_fields__}
    result = score_models(Labels(**columns | {"tercile": tercile}), zoo(labels), 7)
    cells = {cell.symbol: [] for cell in result.cells if cell.cell}
    for cell in result.cells:
        if cell.cell:
            same = cell.value == results.find(*cell[:6]).value
            cells[cell.symbol].append(same if cell.symbol == "BTCUSD" else np.isnan(cell.value))
    assert all(cells["BTCUSD"])
    assert all(cells["ETHUSD"])
    assert result.find("har", 12, "coverage_90").value == results.find("har", 12, "coverage_90").value
