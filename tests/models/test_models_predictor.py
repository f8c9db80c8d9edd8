"""The fold features -> predictions: complete, exact at any cut, and with nothing made up."""

from collections.abc import Mapping

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from model_data import NAMES, features_of, market
from msgspec.structs import replace

from features.frame import FeatureFrame
from models.combine.combiner import VOLATILITY
from models.combine.ensemble import Ensemble
from models.combine.stacking import Stacking
from models.ewma_volatility import MIN_RETURNS
from models.forecaster import Forecaster
from models.registry.names import DEFAULT_MODELS
from models.registry.zoo import ZOO
from models.serving.predictor import Predictor, PredictorState
from models.serving.served_model import ServedModel
from topics.codec import decode, encode
from topics.records import HORIZONS, Prediction, Role

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def predictor(fitted: Mapping[str, Forecaster]) -> Predictor:
    return Predictor(list(fitted.values()), NAMES)


def whole(predictor: Predictor, frame: FeatureFrame) -> list[Prediction]:
    return predictor.step(predictor.initial(frame.symbol), frame)[1]


def test_every_bar_has_one_prediction_a_model_with_all_horizons_and_none_while_unknown(
    predictor: Predictor, unseen: FeatureFrame
) -> None:
    predictions = whole(predictor, unseen[:800])
    assert [(item.time, item.model) for item in predictions] == [
        (time, name) for time in unseen.time[:800].tolist() for name in DEFAULT_MODELS
    ]
    for item in predictions:
        assert tuple(forecast.horizon for forecast in item.forecasts) == HORIZONS
    for item in predictions[: MIN_RETURNS * len(DEFAULT_MODELS)]:
        for forecast in item.forecasts:
            assert (forecast.mean, forecast.scale, forecast.quantiles, forecast.p_up) == (None, None, None, None)
    for item in predictions[300 * len(DEFAULT_MODELS) :]:
        for forecast in item.forecasts:
            assert forecast.mean is not None
            assert forecast.quantiles is not None
    assert decode(encode(predictions), Prediction).records == predictions


@pytest.mark.slow
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
        text = predictions[row * len(DEFAULT_MODELS)].regime
        assert text == (expected and expected.removeprefix("regime_"))
    assert predictions[0].regime is None
    assert predictions[-1].regime is not None


def test_a_version_that_is_new_speaks_from_its_first_bar_and_the_others_go_on(
    fitted: Mapping[str, Forecaster], retrained: Mapping[str, Forecaster], predictor: Predictor, unseen: FeatureFrame
) -> None:
    state, _ = predictor.step(predictor.initial(unseen.symbol), unseen[:600])
    changed = Predictor([retrained["naive"], fitted["online"], retrained["gbm"]], NAMES)
    after, predictions = changed.step(PredictorState.loads(state.dumps()), unseen[600:620])
    alone = whole(changed, unseen[:601])[-3:]
    for new, known in zip(predictions[:3], alone, strict=True):
        assert new.version == known.version
        assert [forecast.mean for forecast in new.forecasts] == [
            forecast.mean for forecast in known.forecasts
        ] or new.model == "online"
    assert predictions[1] == whole(predictor, unseen[:601])[-2]
    naive, gbm = retrained["naive"].version, retrained["gbm"].version
    assert set(after.models) == {f"naive {naive}", f"online {fitted['online'].version}", f"gbm {gbm}"}
    labels = state.calibrations[f"gbm {fitted['gbm'].version}"].track[:, 0]
    assert (after.calibrations[f"gbm {gbm}"].track[:, 0] > labels).all()
    assert (state.serving["gbm"], after.serving["gbm"]) == (fitted["gbm"].version, gbm)


def test_every_model_of_the_zoo_speaks_from_its_first_bar_beside_another_version_of_it(
    fitted_zoo: Mapping[str, Forecaster], unseen: FeatureFrame
) -> None:
    for forecaster in fitted_zoo.values():
        old = Predictor([ServedModel(model=forecaster, version="before")], NAMES)
        new = Predictor([ServedModel(model=forecaster, version="after")], NAMES)
        state, expected = old.step(old.initial(unseen.symbol), unseen[:320])
        _, predictions = new.step(state, unseen[320:321])
        _, expected = old.step(state, unseen[320:321])
        assert forecaster.initial().keys() >= set(forecaster.carried_state)
        assert expected[0].forecasts[0].quantiles is not None, forecaster.name
        assert predictions[0].forecasts[0].quantiles is not None, forecaster.name


def test_champions_say_the_same_with_and_without_others_beside_them(
    combining: Predictor, fitted: Mapping[str, Forecaster], retrained: Mapping[str, Forecaster], unseen: FeatureFrame
) -> None:
    roles: list[Role] = ["challenger", "standby", "challenger"]
    others = [
        ServedModel(model=model, version=model.version, role=role)
        for model, role in zip(retrained.values(), roles, strict=True)
    ]
    second = ServedModel(model=combining.combiners[0].model, version="another", role="challenger", number=7)
    crowded = Predictor([*others, *fitted.values()], NAMES, [second, *combining.combiners])
    frame = unseen[:700]
    state, predictions = crowded.initial(frame.symbol), []
    for first, end in ((0, 1), (1, 350), (350, 351), (351, 700)):
        state, some = crowded.step(PredictorState.loads(state.dumps()), frame[first:end])
        predictions += some
    expected = whole(combining, frame)
    assert [item for item in predictions if item.role == "champion"] == expected
    assert [(item.model, item.role) for item in predictions[:9]] == [
        *((item.model, "champion") for item in expected[:5]),
        *zip(fitted, roles, strict=True),
        ("ensemble", "challenger"),
    ]
    spoken = [item for item in predictions if item.role != "champion"]
    assert {item.model for item in spoken if item.forecasts[0].mean is not None} == {*DEFAULT_MODELS, "ensemble"}
    alone = whole(Predictor(list(retrained.values()), NAMES), frame)
    unnamed = [replace(item, role="champion") for item in spoken if item.model != "ensemble"]
    assert unnamed == alone
    assert decode(encode(predictions), Prediction).records == predictions


class Distance:
    """Tells the same of every row but the first, of which it knows nothing; counts how often it is asked."""

    def __init__(self, value: float) -> None:
        self.value, self.asked = value, 0

    def dissimilarity(self, values: np.ndarray) -> np.ndarray:
        self.asked += 1
        return np.where(np.arange(len(values)) == 0, np.nan, self.value)


def test_a_prediction_tells_how_unlike_the_training_data_its_row_is_and_whether_that_is_too_old(
    fitted: Mapping[str, Forecaster], unseen: FeatureFrame
) -> None:
    near, far, limit = Distance(0.12345), Distance(2.0), float(unseen.time[3])
    served = [
        ServedModel(model=fitted["naive"], version="1", reference=near),
        ServedModel(model=fitted["gbm"], version="1", reference=near, fresh_until=limit),
        ServedModel(model=fitted["gbm"], version="2", role="challenger", reference=far),
        ServedModel(model=fitted["online"], version="1"),
    ]
    predictor = Predictor(served, NAMES)
    predictions = whole(predictor, unseen[:10])
    messages = {(item.model, item.version, item.dissimilarity) for item in predictions[4:]}
    assert messages == {("naive", "1", 0.123), ("gbm", "1", 0.123), ("gbm", "2", 2.0), ("online", "1", None)}
    assert {item.dissimilarity for item in predictions[:4]} == {None}
    assert (near.asked, far.asked) == (1, 1)
    expired = {(item.model, item.version, item.time) for item in predictions if item.expired}
    assert expired == {("gbm", "1", time) for time in unseen.time[4:10].tolist()}


def test_a_state_from_before_versions_had_roles_goes_on(combining: Predictor, unseen: FeatureFrame) -> None:
    state, _ = combining.step(combining.initial(unseen.symbol), unseen[:400])
    *parts, serving, numbers = msgspec.msgpack.decode(state.dumps())
    assert set(numbers) == set(serving)
    assert set(serving) == {*DEFAULT_MODELS, "ensemble", "stacking"}
    for part in parts[3:]:  # a combiner's lay under its name alone
        for name in ("ensemble", "stacking"):
            part[name] = part.pop(f"{name} {serving[name]}")
    before = PredictorState.loads(msgspec.msgpack.encode(parts))
    assert before.serving == {}
    assert combining.step(before, unseen[400:450])[1] == combining.step(state, unseen[400:450])[1]


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
def combining(fitted: Mapping[str, Forecaster], unseen: FeatureFrame) -> Predictor:
    combiners = [kind(NAMES, HORIZONS, unseen.fingerprint) for kind in (Ensemble, Stacking)]
    return Predictor(list(fitted.values()), NAMES, combiners)


def test_combiners_come_after_the_models_with_what_each_expert_counted(
    combining: Predictor, predictor: Predictor, unseen: FeatureFrame
) -> None:
    predictions = whole(combining, unseen[:400])
    each = len(DEFAULT_MODELS) + 2
    alone = [item for place, item in enumerate(predictions) if place % each < len(DEFAULT_MODELS)]
    assert alone == whole(predictor, unseen[:400])
    assert b"weights" not in encode(alone)
    last = predictions[-2]
    assert (last.model, predictions[-1].model) == ("ensemble", "stacking")
    for forecast in last.forecasts:
        assert forecast.weights is not None
        assert set(forecast.weights) == set(DEFAULT_MODELS) - set(VOLATILITY)
        assert sum(forecast.weights.values()) == pytest.approx(1.0, abs=1e-3)
    assert predictions[len(DEFAULT_MODELS)].forecasts[0].weights is None
    assert decode(encode(predictions), Prediction).records == predictions


def test_cutting_changes_nothing_with_combiners(combining: Predictor, unseen: FeatureFrame) -> None:
    frame = unseen[:400]
    state, predictions = combining.initial(frame.symbol), []
    for first, end in ((0, 1), (1, 150), (150, 151), (151, 400)):
        state, some = combining.step(PredictorState.loads(state.dumps()), frame[first:end])
        predictions += some
    assert predictions == whole(combining, frame)


def test_a_combiner_keeps_what_it_learnt_when_a_model_is_trained_anew(
    combining: Predictor, fitted: Mapping[str, Forecaster], unseen: FeatureFrame
) -> None:
    state, _ = combining.step(combining.initial(unseen.symbol), unseen[:2_000])
    retrained = ZOO["naive"](NAMES)
    retrained.fit([features_of(market("OTHER", 3_000, 5))], seed=0)
    changed = Predictor(
        [retrained, *(fitted[name] for name in DEFAULT_MODELS if name != "naive")], NAMES, combining.combiners
    )
    after, predictions = changed.step(state, unseen[2_000:2_001])
    before, expected = combining.step(state, unseen[2_000:2_001])
    assert predictions[-2].forecasts[0].mean is not None
    key = combining.combiners[0].key
    assert after.models[key]["learnt"] == before.models[key]["learnt"]
    assert predictions[-2].model == expected[-2].model == "ensemble"


def test_a_combiner_of_other_horizons_or_features_is_refused_in_one_line(
    fitted: Mapping[str, Forecaster], unseen: FeatureFrame
) -> None:
    with pytest.raises(ValueError, match="'stacking' combines horizons"):
        Predictor(list(fitted.values()), NAMES, [Stacking(NAMES, (1, 5), unseen.fingerprint)])
    other = Predictor(list(fitted.values()), NAMES, [Stacking(NAMES, HORIZONS, "another")])
    with pytest.raises(ValueError, match="run foretick train"):
        other.step(other.initial(unseen.symbol), unseen[:10])
