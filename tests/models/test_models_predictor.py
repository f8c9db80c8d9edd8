"""The fold features -> predictions: complete, exact at any cut, and with nothing made up."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from model_data import NAMES, features_of, market
from msgspec.structs import replace

from features.frame import FeatureFrame
from models.combiner import VOLATILITY
from models.ensemble import Ensemble
from models.forecaster import Forecaster
from models.predictor import Predictor, PredictorState
from models.registry import MODELS
from models.stacking import Stacking
from models.volatility import MIN_RETURNS
from topics.codec import decode, encode
from topics.records import HORIZONS, Prediction


@pytest.fixture(scope="module")
def predictor(fitted: dict[str, Forecaster]) -> Predictor:
    return Predictor(list(fitted.values()), NAMES)


def whole(predictor: Predictor, frame: FeatureFrame) -> list[Prediction]:
    return predictor.step(predictor.initial(frame.symbol), frame)[1]


def test_every_bar_has_one_prediction_a_model_with_all_horizons_and_none_while_unknown(
    predictor: Predictor, unseen: FeatureFrame
) -> None:
    predictions = whole(predictor, unseen[:800])
    assert [(item.time, item.model) for item in predictions] == [
        (time, name) for time in unseen.time[:800].tolist() for name in MODELS
    ]
    for item in predictions:
        assert tuple(forecast.horizon for forecast in item.forecasts) == HORIZONS
    for item in predictions[: MIN_RETURNS * len(MODELS)]:
        for forecast in item.forecasts:
            assert (forecast.mean, forecast.scale, forecast.quantiles, forecast.p_up) == (None, None, None, None)
    for item in predictions[300 * len(MODELS) :]:
        for forecast in item.forecasts:
            assert forecast.mean is not None
            assert forecast.quantiles is not None
    assert decode(encode(predictions), Prediction).records == predictions


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(0, 500), max_size=5).map(sorted))
def test_cutting_anywhere_with_the_state_through_bytes_changes_nothing(
    predictor: Predictor, unseen: FeatureFrame, cuts: list[int]
) -> None:
    frame = unseen[:500]
    state, predictions = predictor.initial(frame.symbol), []
    for first, end in zip([0, *cuts], [*cuts, len(frame)], strict=True):
        state, part = predictor.step(PredictorState.loads(state.dumps()), frame[first:end])
        predictions += part
    assert predictions == whole(predictor, frame)


def test_rows_delivered_again_are_skipped(predictor: Predictor, unseen: FeatureFrame) -> None:
    state, first = predictor.step(predictor.initial(unseen.symbol), unseen[:300])
    assert predictor.step(state, unseen[:300]) == (state, [])
    _, rest = predictor.step(state, unseen[200:400])
    assert first + rest == whole(predictor, unseen[:400])


def test_a_state_is_small(predictor: Predictor, unseen: FeatureFrame) -> None:
    state, _ = predictor.step(predictor.initial(unseen.symbol), unseen[:1_000])
    assert len(state.dumps()) < 60_000


def test_the_likeliest_regime_is_named_and_none_where_it_is_unknown(predictor: Predictor, unseen: FeatureFrame) -> None:
    columns = [column for column, name in enumerate(NAMES) if name.startswith("regime_")]
    predictions = whole(predictor, unseen[:600])
    for row in (0, 599):
        posterior = unseen.values[row, columns]
        expected = None if np.isnan(posterior).any() else NAMES[columns[int(np.argmax(posterior))]]
        found = predictions[row * len(MODELS)].regime
        assert found == (expected and expected.removeprefix("regime_"))
    assert predictions[0].regime is None
    assert predictions[-1].regime is not None


def test_a_model_version_that_is_new_begins_anew_and_the_others_go_on(
    fitted: dict[str, Forecaster], predictor: Predictor, unseen: FeatureFrame
) -> None:
    state, _ = predictor.step(predictor.initial(unseen.symbol), unseen[:600])
    retrained = MODELS["naive"](NAMES)
    retrained.fit([features_of(market("OTHER", 3_000, 5))], seed=0)
    changed = Predictor([retrained, fitted["online"]], NAMES)
    state, predictions = changed.step(state, unseen[600:620])
    assert predictions[0].forecasts[0].mean is None
    assert predictions[1] == whole(predictor, unseen[:601])[-2]
    assert set(state.models) == {f"naive {retrained.version}", f"online {fitted['online'].version}"}


def test_features_that_the_models_do_not_know_are_refused_in_one_line(
    predictor: Predictor, unseen: FeatureFrame
) -> None:
    state = predictor.initial(unseen.symbol)
    with pytest.raises(ValueError, match=r"fitted; run foretick train") as error:
        predictor.step(state, replace(unseen, fingerprint="another"))
    assert "\n" not in str(error.value)
    with pytest.raises(ValueError, match="OTHER"):
        predictor.step(state, replace(unseen, symbol="OTHER"))
    state, _ = predictor.step(state, unseen[:10])
    with pytest.raises(ValueError, match="5m"):
        predictor.step(state, replace(unseen, interval="5m"))


@pytest.fixture(scope="module")
def combining(fitted: dict[str, Forecaster], unseen: FeatureFrame) -> Predictor:
    combiners = [kind(NAMES, HORIZONS, unseen.fingerprint) for kind in (Ensemble, Stacking)]
    return Predictor(list(fitted.values()), NAMES, combiners)


def test_combiners_come_after_the_models_with_what_each_expert_counted(
    combining: Predictor, predictor: Predictor, unseen: FeatureFrame
) -> None:
    predictions = whole(combining, unseen[:400])
    each = len(MODELS) + 2
    alone = [item for place, item in enumerate(predictions) if place % each < len(MODELS)]
    assert alone == whole(predictor, unseen[:400])
    assert b"weights" not in encode(alone)
    last = predictions[-2]
    assert (last.model, predictions[-1].model) == ("ensemble", "stacking")
    for forecast in last.forecasts:
        assert forecast.weights is not None
        assert set(forecast.weights) == set(MODELS) - set(VOLATILITY)
        assert sum(forecast.weights.values()) == pytest.approx(1.0, abs=1e-3)
    assert predictions[len(MODELS)].forecasts[0].weights is None
    assert decode(encode(predictions), Prediction).records == predictions


def test_cutting_changes_nothing_with_combiners(combining: Predictor, unseen: FeatureFrame) -> None:
    frame = unseen[:400]
    state, predictions = combining.initial(frame.symbol), []
    for first, end in ((0, 1), (1, 150), (150, 151), (151, 400)):
        state, some = combining.step(PredictorState.loads(state.dumps()), frame[first:end])
        predictions += some
    assert predictions == whole(combining, frame)


def test_a_combiner_keeps_what_it_learnt_when_a_model_is_trained_anew(
    combining: Predictor, fitted: dict[str, Forecaster], unseen: FeatureFrame
) -> None:
    state, _ = combining.step(combining.initial(unseen.symbol), unseen[:2_000])
    retrained = MODELS["naive"](NAMES)
    retrained.fit([features_of(market("OTHER", 3_000, 5))], seed=0)
    changed = Predictor([retrained, *(fitted[name] for name in MODELS if name != "naive")], NAMES, combining.combiners)
    after, predictions = changed.step(state, unseen[2_000:2_001])
    before, expected = combining.step(state, unseen[2_000:2_001])
    assert predictions[-2].forecasts[0].mean is not None
    assert after.models["ensemble"]["learnt"] == before.models["ensemble"]["learnt"]
    assert predictions[-2].model == expected[-2].model == "ensemble"


def test_a_combiner_of_other_horizons_or_features_is_refused_in_one_line(
    fitted: dict[str, Forecaster], unseen: FeatureFrame
) -> None:
    with pytest.raises(ValueError, match="'stacking' combines horizons"):
        Predictor(list(fitted.values()), NAMES, [Stacking(NAMES, (1, 5), unseen.fingerprint)])
    other = Predictor(list(fitted.values()), NAMES, [Stacking(NAMES, HORIZONS, "another")])
    with pytest.raises(ValueError, match="run foretick train"):
        other.step(other.initial(unseen.symbol), unseen[:10])
