"""What a fit tells of itself: the loss after each round or epoch, and how much of the model rests on each input."""

import re
from collections.abc import Mapping

import numpy as np
import pytest
from model_data import NAMES

from features.definition import DEFAULT
from features.frame import FeatureFrame
from models import training
from models.forecaster import Forecaster
from models.importance import COEFFICIENTS, GAIN, Importance
from models.registry.zoo import COMBINERS, ZOO
from models.volatility.har import HAR
from models.volatility.har import NAMES as NAMES_OF_HAR

ROUND = re.compile(r"(epoch|round) (\d+) of (\d+)(?:, ([^:]+))?: loss (\S+), held out (\S+)")
AHEAD = [f"{horizon:02} bars ahead" for horizon in (1, 5, 15, 60)]
CURVES = {
    "gbm": ("round", 40, [None]),
    "lightgbm": ("round", 40, AHEAD),
    "lightgbm_market": ("round", 40, [f"residual {ahead}" for ahead in AHEAD]),  # these markets have no market
    "lightgbm_volatility": ("round", 40, AHEAD),
    "lightgbm_har": ("round", 40, AHEAD),
    "xgboost": ("round", 40, AHEAD),
    "catboost": ("round", 40, AHEAD),
    "transformer": ("epoch", 1, [None]),
    "lstm": ("epoch", 1, [None]),
}
"""Every model whose fit goes in rounds or epochs: the unit, how many, and the parts that have a curve each."""
RANKED = {
    "gbm": GAIN,
    **dict.fromkeys(
        ("lightgbm", "lightgbm_market", "lightgbm_volatility", "lightgbm_har", "xgboost", "catboost"), GAIN
    ),
    **dict.fromkeys(("reversal", "ar", "ridge", "har", "online", "rls"), COEFFICIENTS),
    **dict.fromkeys(("har_week", "harq", "har_semivariance", "har_jumps"), COEFFICIENTS),
}
"""Every model that can rank its inputs, and by what."""
FIRST = {"reversal": "log_return_1", "ar": "log_return_1"}


@pytest.mark.slow
@pytest.mark.parametrize("name", CURVES)
def test_each_round_is_told_with_its_losses_and_the_model_is_the_same(
    name: str, fitted_zoo: Mapping[str, Forecaster], training_frames: list[FeatureFrame]
) -> None:
    messages: list[str] = []
    model = training.fit(ZOO[name], DEFAULT, training_frames, 3, detail=messages.append)
    assert model.version == fitted_zoo[name].version
    unit, steps, parts = CURVES[name]
    values: dict[str | None, list[tuple[int, float, float]]] = {}
    for words in messages:
        match = ROUND.fullmatch(words)
        assert match is not None, words
        assert (match[1], int(match[3])) == (unit, steps)
        values.setdefault(match[4], []).append((int(match[2]), float(match[5]), float(match[6])))
    assert list(values) == parts
    for curve in values.values():
        assert [step for step, _, _ in curve] == [*range(1, steps + 1)]
        assert np.isfinite([losses for _, *losses in curve]).all()
    if unit == "round":  # the planted signal is learnt, and holds on rows held out
        taught, held_out = (next(iter(values.values()))[-1][place] for place in (1, 2))
        before, before_out = (next(iter(values.values()))[0][place] for place in (1, 2))
        assert taught < before
        assert held_out < before_out


def test_every_model_that_goes_in_rounds_stands_in_the_table() -> None:
    assert {name for name, model in ZOO.items() if model.iterative} == set(CURVES)


@pytest.mark.parametrize("name", ZOO)
def test_importance_is_given_by_the_models_that_can_rank_their_inputs(
    name: str, fitted_zoo: Mapping[str, Forecaster]
) -> None:
    importance = fitted_zoo[name].importance()
    if name not in RANKED:
        assert importance is None
        return
    assert importance is not None
    assert importance.whole == RANKED[name]
    shares = list(importance.shares.values())
    assert sum(shares) == pytest.approx(100.0)
    assert min(shares) >= 0
    assert shares == sorted(shares, reverse=True)
    assert ZOO[name](NAMES).importance() is None  # not fitted: nothing is known


@pytest.mark.parametrize("name", FIRST)
def test_the_planted_input_comes_first(name: str, fitted_zoo: Mapping[str, Forecaster]) -> None:
    importance = fitted_zoo[name].importance()
    assert importance is not None
    assert next(iter(importance.shares)) == FIRST[name]


def test_hars_importance_is_that_of_coefficients_on_standardised_inputs(
    fitted_zoo: Mapping[str, Forecaster], training_frames: list[FeatureFrame]
) -> None:
    model = fitted_zoo["har"]
    assert isinstance(model, HAR)
    x, y = (np.concatenate(part) for part in list(zip(*map(model._rows, training_frames), strict=True))[:2])
    sizes = np.zeros(len(NAMES_OF_HAR))
    for target in y.T:
        known = ~np.isnan(target)
        z = (x[known, 1:] - x[known, 1:].mean(axis=0)) / x[known, 1:].std(axis=0)
        sizes += np.abs(np.linalg.lstsq(np.c_[np.ones(len(z)), z], target[known], rcond=None)[0][1:])
    importance = model.importance()
    assert importance is not None
    assert importance.shares == pytest.approx(dict(zip(NAMES_OF_HAR, 100 * sizes / sizes.sum(), strict=True)), rel=1e-6)


def test_a_boosters_importance_is_the_gain_of_all_its_boosters(fitted_zoo: Mapping[str, Forecaster]) -> None:
    model = fitted_zoo["lightgbm"]
    gains = sum(one.booster.feature_importance("gain") for boosters in model.boosters for one in boosters)
    importance = model.importance()
    assert importance is not None
    assert importance.shares == pytest.approx(dict(zip(model.inputs, 100 * gains / gains.sum(), strict=True)))
    assert len(fitted_zoo["lightgbm_har"].importance().shares) == len(model.inputs) + 4


def test_a_combination_learns_in_the_stream_and_ranks_no_inputs() -> None:
    for model in COMBINERS.values():
        assert model(NAMES, fingerprint="8d1f").importance() is None


def test_shares_are_of_the_sum_the_largest_first(tmp_path) -> None:
    importance = Importance.of("all", ["a", "b", "c"], np.array([1.0, 3.0, 0.0]))
    assert importance == Importance("all", {"b": 75.0, "a": 25.0, "c": 0.0})
    assert Importance.of("all", ["a"], np.array([0.0])) is None
    importance.save(tmp_path)
    assert Importance.load(tmp_path) == importance
    (tmp_path / "importance.json").write_text("no json")
    assert Importance.load(tmp_path) is None
