"""Explanations: for every model the parts add up to the forecast, and they are those of the inputs that moved it."""

import json
from collections.abc import Mapping
from copy import copy
from math import isnan

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace

from features.frame import FeatureFrame
from models import ewma_volatility
from models.baselines.ar import AR
from models.combine.combiner import VOLATILITY
from models.combine.ensemble import Ensemble, EnsemblePlain
from models.combine.stacking import Stacking
from models.explain.explainer import explain, explain_combination, explain_served
from models.explain.explanation import EIGHTHS, Explanation
from models.forecaster import Forecaster
from models.networks.online_head import DAY
from models.networks.windows import WINDOW
from models.registry.zoo import ZOO
from models.trees.gbm import GBM

ROWS = 1_500
every_model = pytest.mark.parametrize("name", ZOO)
TOLERANCE = dict.fromkeys(ZOO, 1e-9) | {"xgboost": 1e-6, "transformer": 3e-4, "lstm": 3e-4}
"""XGBoost counts in single precision, the networks' integrals are taken in steps."""


def size(explanation: Explanation) -> float:
    return sum(abs(part.contribution) for part in explanation.contributions)


class Found(dict[str, list[Explanation]]):
    """Each model's explanations of the same bar, one a horizon, made when they are first asked for."""

    def __init__(self, fitted: Mapping[str, Forecaster], frame: FeatureFrame) -> None:
        super().__init__()
        self._fitted, self._frame = fitted, frame

    def __missing__(self, name: str) -> list[Explanation]:
        model = self._fitted[name]
        self[name] = [explain(model, model.initial(), self._frame, horizon) for horizon in model.horizons]
        return self[name]


@pytest.fixture(scope="module")
def found(fitted_zoo: Mapping[str, Forecaster], unseen: FeatureFrame) -> Found:
    """Each model's explanations of the same bar."""
    return Found(fitted_zoo, unseen[:ROWS])


@every_model
def test_the_parts_add_up_to_the_forecast_that_the_model_makes(
    name: str, found: dict[str, list[Explanation]], fitted_zoo: Mapping[str, Forecaster], unseen: FeatureFrame
) -> None:
    forecasts = fitted_zoo[name].step(fitted_zoo[name].initial(), unseen[:ROWS])[1]
    sigma = ewma_volatility.step(ewma_volatility.initial(), unseen[:ROWS])[1][-1]
    for column, one in enumerate(found[name]):
        total = one.base + sum(part.contribution for part in one.contributions)
        unit = sigma * np.sqrt(one.horizon)
        if name in {"lightgbm_volatility", "lightgbm_har"}:
            assert one.quantity == "log variance"
            output = np.log((forecasts.scale[-1, column] / unit) ** 2)
        else:
            assert one.quantity == "mean"
            output = forecasts.mean[-1, column] / unit
        assert total == pytest.approx(output, abs=TOLERANCE[name] * max(size(one), 1e-3))
        assert one.remainder == pytest.approx(output - total, abs=1e-12)
        assert (one.mean, one.scale) == (forecasts.mean[-1, column], forecasts.scale[-1, column])


def test_a_tuned_clip_is_that_of_the_explanation_too(training_frames: list[FeatureFrame], unseen: FeatureFrame) -> None:
    model = AR(parameters={"clip": 3.0})
    model.fit(training_frames, seed=3)
    walk = ewma_volatility.walk(ewma_volatility.initial(), unseen)[1]
    large = int(np.flatnonzero(np.abs(walk.returns / walk.sigma) > 3.1)[-1])
    one = explain(model, model.initial(), unseen[: large + 1], 1)
    assert max(abs(part.value) for part in one.contributions) == 3.0
    assert one.remainder == pytest.approx(0.0, abs=1e-9)


@every_model
def test_what_has_a_drift_has_contributions_the_largest_first_and_each_input_once(
    name: str, found: dict[str, list[Explanation]]
) -> None:
    for one in found[name]:
        sizes = [abs(part.contribution) for part in one.contributions]
        assert sizes == sorted(sizes, reverse=True)
        assert len({part.name for part in one.contributions}) == len(sizes)
    if name in {"naive", *VOLATILITY} - {"lightgbm_volatility", "lightgbm_har"}:
        assert all(not one.contributions and "no drift" in one.note for one in found[name])
    else:
        assert any(size(one) > 0 for one in found[name])


@every_model
def test_on_a_days_first_bar_it_is_the_model_that_has_just_learnt(
    name: str, fitted_zoo: Mapping[str, Forecaster], unseen: FeatureFrame
) -> None:
    first = int(np.flatnonzero(np.diff(unseen.time // DAY))[1]) + 1
    one = explain(fitted_zoo[name], fitted_zoo[name].initial(), unseen[: first + 1], 1)
    assert abs(one.remainder) <= TOLERANCE[name] * max(size(one), 1e-3)


def test_each_horizon_of_the_many_in_one_booster_is_explained_by_its_own_trees(
    fitted_zoo: Mapping[str, Forecaster], unseen: FeatureFrame
) -> None:
    model = copy(fitted_zoo["gbm"])
    assert isinstance(model, GBM)
    model.shrinkage = np.ones_like(model.shrinkage)  # on this market the long horizons are shrunk to nothing
    explanations = [explain(model, model.initial(), unseen[:ROWS], horizon) for horizon in model.horizons]
    assert [one.remainder for one in explanations] == pytest.approx([0.0] * len(explanations), abs=1e-12)
    assert len({round(one.total, 9) for one in explanations}) == len(explanations)


def silenced(model: Forecaster, *places: int) -> GBM:
    """Return the GBM with its mean shrunk to zero at the horizons of these places."""
    forecaster = copy(model)
    assert isinstance(forecaster, GBM)
    forecaster.shrinkage = np.ones_like(forecaster.shrinkage)
    forecaster.shrinkage[list(places), 0] = 0.0
    return forecaster


def test_where_the_mean_is_zero_there_is_no_directional_forecast_and_no_row_of_zeros(
    fitted_zoo: Mapping[str, Forecaster], unseen: FeatureFrame
) -> None:
    model, frame = silenced(fitted_zoo["gbm"], 0, 2), unseen[:ROWS]
    explanation = explain(model, model.initial(), frame, 1)
    assert (explanation.mean, explanation.total, explanation.contributions) == (0.0, 0.0, ())
    assert explanation.note == (
        "no directional forecast at this horizon: the mean of gbm is 0 there; it has one at --horizon 5 and 60"
    )
    assert explain(model, model.initial(), frame, 5).note == ""
    mute = silenced(fitted_zoo["gbm"], 0, 1, 2, 3)
    assert explain(mute, mute.initial(), frame, 15).note == (
        "no directional forecast at this horizon: the mean of gbm is 0 there, and at its other horizons too"
    )


@pytest.mark.parametrize(("mute", "horizon"), [((), 1), ((0,), 5), ((0, 1), 15), ((0, 1, 2, 3), 1)])
def test_where_no_horizon_is_asked_for_it_is_the_shortest_with_a_mean(
    mute: tuple[int, ...], horizon: int, fitted_zoo: Mapping[str, Forecaster], unseen: FeatureFrame
) -> None:
    model = silenced(fitted_zoo["gbm"], *mute)
    assert explain_served([model], "gbm", unseen[:ROWS]).horizon == horizon


@every_model
def test_an_explanation_is_of_one_bar_and_goes_through_json(name: str, found: dict[str, list[Explanation]]) -> None:
    for one in found[name]:
        document = json.loads(msgspec.json.encode(one))
        assert document["model"] == name
        assert len(document["contributions"]) == len(one.contributions)
    assert len({one.time for one in found[name]}) == 1


@every_model
def test_the_rows_before_bring_the_state_up_to_date(
    name: str, fitted_zoo: Mapping[str, Forecaster], unseen: FeatureFrame
) -> None:
    model = fitted_zoo[name]
    state, _ = model.step(model.initial(), unseen[:600])
    state = msgspec.json.decode(msgspec.json.encode(state))
    one, other = explain(model, model.initial(), unseen[:601], 5), explain(model, state, unseen[600:601], 5)
    assert repr(one) == repr(other)  # where NaN is NaN


@pytest.mark.parametrize("name", ["gbm", "lightgbm", "lightgbm_market", "xgboost", "ridge", "rls"])
def test_a_planted_reversal_is_what_the_next_bar_is_explained_by(
    name: str, found: dict[str, list[Explanation]]
) -> None:
    messages = ("log_return_1", "log_return_2", "rsi_", "stochastic", "williams", "market_gap_1", "ema_", "bollinger")
    first = [part.name for part in found[name][0].contributions[:12]]
    assert any(part.startswith(messages) for part in first), first


@pytest.mark.parametrize("name", ["ridge", "lightgbm", "ar", "reversal", "transformer"])
def test_a_contribution_has_the_sign_in_which_its_input_moves_the_mean(
    name: str, fitted_zoo: Mapping[str, Forecaster], unseen: FeatureFrame
) -> None:
    """Over many bars: a large last return is answered by a mean the other way, and its own part says so."""
    model = fitted_zoo[name]
    ends = np.argsort(-np.abs(np.diff(np.log(unseen.close[:ROWS]))))[:12] + 2
    agreed = []
    for end in ends[ends > 400].tolist():
        one = explain(model, model.initial(), unseen[end - 400 : end], 1)
        part = sum(part.contribution for part in one.contributions if part.name.removeprefix("sign of ") in LAST)
        agreed.append(part * np.log(unseen.close[end - 1] / unseen.close[end - 2]) < 0)
    assert np.mean(agreed) > 0.7


LAST = ("log_return_1", "log_return_1 over 64 bars", "log_return_5", "rsi_14", "bollinger_b_20", "stochastic_k_14")


@pytest.mark.parametrize("name", ["transformer", "lstm"])
def test_attention_is_shared_out_over_the_window(name: str, found: dict[str, list[Explanation]]) -> None:
    looked = found[name][0].looked()
    assert len(looked) == EIGHTHS + (name == "transformer")
    assert sum(share for _, share in looked) == pytest.approx(1.0)
    assert looked[0][0] == f"{WINDOW - 1} to {WINDOW - 8} bars back"
    assert looked[EIGHTHS - 1][0] == "7 to 0 bars back"
    whole = np.array(found[name][0].attention["encoder"])
    if name == "lstm":
        assert looked[-1][1] == pytest.approx(whole[-8:].sum())


@pytest.mark.parametrize("combiner", [Ensemble, EnsemblePlain, Stacking])
def test_a_combination_is_explained_by_its_experts(
    combiner: type[Ensemble | EnsemblePlain | Stacking],
    fitted_zoo: Mapping[str, Forecaster],
    unseen: FeatureFrame,
) -> None:
    frame, names = unseen[:ROWS], ("naive", "ar", "ridge", "lightgbm", "har")
    values = {name: fitted_zoo[name].step(fitted_zoo[name].initial(), frame)[1] for name in names}
    whole = combiner(fitted_zoo["ridge"].names)
    for column, horizon in enumerate(whole.horizons):
        one = explain_combination(whole, whole.initial(), frame, values, horizon)
        mean = whole.step(whole.initial(), frame, values)[1].mean[-1, column]
        assert one.base + sum(part.contribution for part in one.contributions) == pytest.approx(mean / one.unit)
        assert {part.name.split()[0] for part in one.contributions} == {"naive", "ar", "ridge", "lightgbm"}
        assert size(one) > 0


def test_among_those_in_service_a_combination_finds_its_experts(
    fitted_zoo: Mapping[str, Forecaster], unseen: FeatureFrame
) -> None:
    frame, ridge = unseen[:600], fitted_zoo["ridge"]
    whole = Stacking(ridge.names, fingerprint=ridge.fingerprint)
    served = [fitted_zoo["naive"], ridge, whole]
    one = explain_served(served, "stacking", frame)
    values = {model.name: model.step(model.initial(), frame)[1] for model in served[:2]}
    assert one.mean == whole.step(whole.initial(), frame, values)[1].mean[-1, 0]
    assert one.horizon == 1
    alone = explain_served(served, "ridge", frame, 5)
    assert repr(alone) == repr(explain(ridge, ridge.initial(), frame, 5))
    with pytest.raises(ValueError, match="'ar' is not in service; naive, ridge, stacking are"):
        explain_served(served, "ar", frame)
    with pytest.raises(ValueError, match="but other are there"):
        explain_served(served, "ridge", replace(frame, fingerprint="other"))


def test_a_combination_whose_experts_have_no_mean_has_none(
    fitted_zoo: Mapping[str, Forecaster], unseen: FeatureFrame
) -> None:
    whole = Stacking(fitted_zoo["ridge"].names, fingerprint=fitted_zoo["ridge"].fingerprint)
    mute = silenced(fitted_zoo["gbm"], 0, 1, 2, 3)
    explanation = explain_served([fitted_zoo["naive"], mute, whole], "stacking", unseen[:600])
    assert explanation.horizon == 1
    assert explanation.note.startswith("no directional forecast at this horizon: the mean of stacking is 0 there, and")
    assert explanation.contributions == ()


def test_what_cannot_be_explained_is_one_line(fitted_zoo: Mapping[str, Forecaster], unseen: FeatureFrame) -> None:
    model = fitted_zoo["ridge"]
    with pytest.raises(ValueError, match="no horizon 7; it has 1, 5, 15, 60"):
        explain(model, model.initial(), unseen[:400], 7)
    with pytest.raises(ValueError, match="has no forecast at this bar"):
        explain(model, model.initial(), unseen[:10], 1)
    with pytest.raises(ValueError, match="no row"):
        explain(model, model.initial(), unseen[:0], 1)


def test_an_unknown_input_is_unknown_and_not_zero(fitted_zoo: Mapping[str, Forecaster], unseen: FeatureFrame) -> None:
    model = fitted_zoo["lightgbm"]
    values = unseen[:400].values.copy()
    place = model.names.index("rsi_14")
    values[-1, place] = np.nan
    one = explain(model, model.initial(), replace(unseen[:400], values=values), 1)
    assert all(isnan(part.value) for part in one.contributions if part.name == "rsi_14")
    assert one.remainder == pytest.approx(0.0, abs=1e-12)
