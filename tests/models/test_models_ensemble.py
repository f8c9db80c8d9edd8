"""The combiners: as good as the best expert, better with contexts where they matter, and blind to the future."""

from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_data import MINUTE, START

from features.frame import FeatureFrame, Floats
from models.combine import aggregation
from models.combine.combiner import VOLATILITY, Combination
from models.combine.ensemble import Ensemble, EnsemblePlain
from models.combine.stacking import Stacking
from models.forecaster import Forecasts
from models.json_type import JSON
from models.labels import targets

REGIMES = ("regime_calm", "regime_wild")
H = (1, 5)
COMBINERS: dict[str, type[Combination]] = {model.name: model for model in (EnsemblePlain, Ensemble, Stacking)}
FIELDS = ("mean", "scale", "quantiles", "p_up")
every_combiner = pytest.mark.parametrize("name", COMBINERS)


def make(name: str) -> Combination:
    return COMBINERS[name](REGIMES, H, "print")


def forecasts_of(mean: Floats, scale: float = 1e-3) -> Forecasts:
    """Return what a model with these means [n, H] says."""
    scales = np.where(np.isnan(mean), np.nan, scale * np.sqrt(H))
    return Forecasts(mean, scales, np.repeat(scales[:, :, None], 7, axis=2), 0.5 + 0 * mean)


def planted(
    rows: int, strength: float, switching: bool = False, gaps: float = 0.0, seed: int = 0
) -> tuple[FeatureFrame, dict[str, Forecasts]]:
    """Return a market whose next return carries a signal, and experts of which `good` sees it and others see noise.

    In a switching market the state changes every 500 bars: `good` is right in the calm one and `other` in the wild one,
    and each is wrong by the sign in the state of the other.
    """
    rng = np.random.default_rng(seed)
    signal = rng.standard_normal(rows)
    wild = (np.arange(rows) // 500) % 2 == 1
    direction = np.where(wild, -1.0, 1.0) if switching else np.ones(rows)
    returns = 1e-3 * (strength * direction * signal + rng.standard_normal(rows))
    close = 100 * np.exp(np.concatenate([[0.0], np.cumsum(returns)[:-1]]))
    time = START + MINUTE * np.arange(rows, dtype=np.int64)
    posterior = np.column_stack([1.0 - wild, wild]).astype(np.float64)
    kept = np.sort(rng.permutation(rows)[: rows - int(gaps * rows)])
    frame = FeatureFrame(
        symbol="COIN", interval="1m", fingerprint="print", time=time[kept], close=close[kept], values=posterior[kept]
    )
    mean = 1e-3 * strength * signal[:, None] * np.ones(len(H))
    noise = 1e-3 * strength * rng.standard_normal((2, rows, len(H)))
    experts = {"good": mean, "other": -mean if switching else noise[0], "noise": noise[1]}
    return frame, {name: forecasts_of(values[kept]) for name, values in experts.items()}


def through_json(state: JSON) -> JSON:
    return msgspec.json.decode(msgspec.json.encode(state))


def part(forecasts: Mapping[str, Forecasts], rows: slice) -> dict[str, Forecasts]:
    return {name: Forecasts(*(getattr(item, field)[rows] for field in FIELDS)) for name, item in forecasts.items()}


def whole(combiner: Combination, frame: FeatureFrame, forecasts: Mapping[str, Forecasts]) -> tuple[Forecasts, Floats]:
    return combiner.step(combiner.initial(), frame, forecasts)[1:]


def bits(forecasts: Forecasts, weights: Floats, rows: slice = slice(None)) -> list[bytes]:
    return [getattr(forecasts, field)[rows].tobytes() for field in FIELDS] + [weights[rows].tobytes()]


def skill(frame: FeatureFrame, mean: Floats) -> float:
    """Return the R2 against zero one bar ahead, of the second half of the rows."""
    y = targets(frame, np.full(len(frame), 1e-3), H, 4.0)[:, 0]
    half = np.arange(len(frame)) >= len(frame) // 2
    return 1 - float(np.nansum((y - mean[:, 0] / 1e-3)[half] ** 2) / np.nansum(y[half] ** 2))


@every_combiner
def test_a_combination_is_about_as_good_as_its_best_expert(name: str) -> None:
    frame, experts = planted(12_000, 0.3)
    forecasts, weights = whole(make(name), frame, experts)
    best = skill(frame, experts["good"].mean)
    assert best > 0.06
    assert skill(frame, forecasts.mean) > best - 0.005
    assert weights[-1, 0, 0] > 0.8


def test_the_regret_against_the_best_expert_grows_slower_than_the_labels() -> None:
    frame, experts = planted(16_000, 0.3)
    combiner = EnsemblePlain((), H, "print")
    output = whole(combiner, frame, experts)[0].mean[:, 0] / 1e-3
    y = targets(frame, np.full(len(frame), 1e-3), H, 4.0)[:, 0]
    over = (y - output) ** 2 - (y - experts["good"].mean[:, 0] / 1e-3) ** 2
    early, late = np.nansum(over[30:4_000]) / 4_000, np.nansum(over[30:]) / 16_000
    assert late < 0.003
    assert late < early


def test_contexts_win_where_the_best_expert_changes_with_the_state_of_the_market() -> None:
    frame, experts = planted(12_000, 0.3, switching=True)
    gated, weights = whole(make("ensemble"), frame, experts)
    plain, _ = whole(make("ensemble_plain"), frame, experts)
    assert skill(frame, gated.mean) > 0.06
    assert skill(frame, plain.mean) < 0.02
    wild = frame.values[:, 1] == 1
    late = np.arange(len(frame)) >= 6_000
    assert weights[late & ~wild, 0, 0].mean() > 0.8
    assert weights[late & wild, 0, 1].mean() > 0.8


def test_an_unknown_state_of_the_market_counts_as_every_state_alike() -> None:
    frame, experts = planted(2_000, 0.3)
    unknown = msgspec.structs.replace(frame, values=np.full_like(frame.values, np.nan))
    even = msgspec.structs.replace(frame, values=np.full_like(frame.values, 0.5))
    assert bits(*whole(make("ensemble"), unknown, experts)) == bits(*whole(make("ensemble"), even, experts))


@every_combiner
@settings(max_examples=15, deadline=None)
@given(cuts=st.lists(st.integers(0, 400), max_size=6).map(sorted))
def test_cutting_anywhere_changes_no_bit(name: str, cuts: list[int]) -> None:
    frame, experts = planted(400, 0.3, gaps=0.1)
    combiner = make(name)
    state, forecasts, weights = combiner.initial(), [], []
    for first, end in zip([0, *cuts], [*cuts, len(frame)], strict=True):
        if end > first and first < len(frame):
            rows = slice(first, end)
            state, output, counted = combiner.step(through_json(state), frame[rows], part(experts, rows))
            forecasts.append(output)
            weights.append(counted)
    joined = Forecasts(*(np.concatenate([getattr(output, field) for output in forecasts]) for field in FIELDS))
    assert bits(joined, np.concatenate(weights)) == bits(*whole(combiner, frame, experts))


@every_combiner
def test_a_poisoned_label_changes_nothing_before_it_matures(name: str) -> None:
    frame, experts = planted(1_500, 0.3)
    bar = 1_000
    poisoned = frame.close.copy()
    poisoned[bar:] *= np.exp(np.random.default_rng(1).normal(0, 0.1, len(poisoned) - bar))
    one = whole(make(name), frame, experts)
    two = whole(make(name), msgspec.structs.replace(frame, close=poisoned), experts)
    assert bits(*one, slice(0, bar)) == bits(*two, slice(0, bar))
    assert bits(*one, slice(bar, None)) != bits(*two, slice(bar, None))


@every_combiner
def test_the_step_leaves_the_state_that_it_was_given(name: str) -> None:
    frame, experts = planted(800, 0.3)
    combiner = make(name)
    state, _, _ = combiner.step(combiner.initial(), frame[:400], part(experts, slice(0, 400)))
    before = msgspec.json.encode(state)
    combiner.step(state, frame[400:], part(experts, slice(400, None)))
    assert msgspec.json.encode(state) == before


@pytest.mark.parametrize("name", ["ensemble", "ensemble_plain"])
def test_weights_sum_to_one_and_the_strong_keep_their_floor(name: str) -> None:
    frame, experts = planted(6_000, 0.3)
    named = {"good": experts["good"], "ridge": experts["other"], "lightgbm": experts["noise"]}
    _, weights = whole(make(name), frame, named)
    known = weights[100:]
    assert np.allclose(known.sum(axis=2), 1.0, atol=1e-12)
    assert (known >= 0).all()
    half = aggregation.FLOOR / 2
    assert (known[:, :, 1:] >= half).all()
    assert known[-1, 0, 1:].sum() < 2 * half + aggregation.SHARE  # no more than that: they are of no use


@every_combiner
def test_an_expert_that_is_silent_sleeps_and_costs_the_others_nothing(name: str) -> None:
    frame, experts = planted(6_000, 0.3)
    silent = forecasts_of(np.full((len(frame), len(H)), np.nan))
    forecasts, weights = whole(make(name), frame, experts | {"silent": silent})
    without, _ = whole(make(name), frame, experts)
    assert forecasts.mean.tobytes() == without.mean.tobytes()
    assert (weights[:, :, 3] == 0).all()
    nobody, _ = whole(make(name), frame, {"silent": silent})
    assert all(np.isnan(getattr(nobody, field)).all() for field in FIELDS)


@every_combiner
def test_an_expert_that_falls_silent_for_a_while_comes_back_with_what_it_was_worth(name: str) -> None:
    frame, experts = planted(8_000, 0.3)
    mean = experts["good"].mean.copy()
    mean[5_000:5_500] = np.nan
    forecasts, weights = whole(make(name), frame, experts | {"good": forecasts_of(mean)})
    assert not np.isnan(forecasts.mean[100:]).any()
    assert (weights[5_000:5_500, :, 0] == 0).all()
    assert weights[5_500, 0, 0] > 0.7


@every_combiner
def test_weights_carry_on_by_name_when_experts_come_and_go(name: str) -> None:
    frame, experts = planted(6_200, 0.3)
    combiner = make(name)
    state, _, before = combiner.step(combiner.initial(), frame[:6_000], part(experts, slice(0, 6_000)))
    later = part(experts, slice(6_000, None))
    other = {"new": later["noise"], "good": later["good"], "other": later["other"]}
    state, forecasts, weights = combiner.step(through_json(state), frame[6_000:], other)
    assert state["experts"] == ["new", "good", "other"] == list(combiner.experts(other))
    assert abs(weights[0, 0, 1] - before[-1, 0, 0]) < 0.15
    assert not np.isnan(forecasts.mean).any()


@every_combiner
def test_a_combination_of_useless_experts_shrinks_to_zero(name: str) -> None:
    frame, experts = planted(12_000, 0.3)
    useless = {expert: experts[expert] for expert in ("other", "noise")}
    forecasts, _ = whole(make(name), frame, useless)
    output, loud = forecasts.mean[6_000:, 0], useless["noise"].mean[6_000:, 0]
    assert (output**2).mean() < 0.05 * (loud**2).mean()


@every_combiner
def test_the_scale_is_the_geometric_mean_of_the_volatility_models_or_the_ewma(name: str) -> None:
    frame, experts = planted(300, 0.3)
    zero = np.zeros((len(frame), len(H)))
    quiet = zero.copy()
    quiet[:200] = np.nan
    both = experts | {"har": forecasts_of(zero, 2e-3), "lightgbm_volatility": forecasts_of(quiet, 8e-3)}
    combiner = make(name)
    forecasts, _ = whole(combiner, frame, both)
    assert set(combiner.experts(both)).isdisjoint(VOLATILITY)
    assert np.allclose(forecasts.scale[50:200], 2e-3 * np.sqrt(H))
    assert np.allclose(forecasts.scale[200:], 4e-3 * np.sqrt(H))
    ewma, _ = whole(combiner, frame, experts)
    assert np.abs(ewma.scale[100:, 0] / 1e-3 - 1).max() < 0.4


@every_combiner
def test_saved_and_loaded_it_is_the_same(name: str, tmp_path: Path) -> None:
    combiner = make(name)
    combiner.save(tmp_path)
    loaded = COMBINERS[name].load(tmp_path)
    assert (loaded.version, loaded.fingerprint, loaded.horizons) == (combiner.version, "print", H)
    assert COMBINERS[name](REGIMES, H, "another").version != combiner.version
    with pytest.raises(ValueError, match="run foretick train"):
        COMBINERS[name].load(tmp_path / "nowhere")


@every_combiner
def test_without_an_expert_it_refuses_in_one_line_and_another_layout_begins_anew(name: str) -> None:
    frame, experts = planted(200, 0.3)
    with pytest.raises(ValueError, match="no model to combine"):
        make(name).step(make(name).initial(), frame, {"har": experts["good"]})
    other = COMBINERS[name](REGIMES, (1,), "print")
    first = {key: Forecasts(*(getattr(item, f)[:, :1] for f in FIELDS)) for key, item in experts.items()}
    state, _, _ = other.step(other.initial(), frame, first)
    _, forecasts, weights = make(name).step(state, frame, experts)
    assert bits(forecasts, weights) == bits(*whole(make(name), frame, experts))
