"""Fitting the regimes: what was planted is found, names mean the same in every fit, on real minutes too."""

from dataclasses import replace
from functools import cache
from itertools import permutations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from feature_bars import MINUTE, frame_of, real, walk

from features import hmm
from features.frame import BarFrame
from features.hmm import THIN
from features.regimes import DEFAULT, LONG, STATES, RegimeParameters

pytestmark = pytest.mark.slow

Floats = npt.NDArray[np.float64]
PLANTED = RegimeParameters(
    means=((-0.5, 0.1), (-0.1, 1.3), (0.1, -1.4), (0.7, -0.1)),
    deviations=((0.25, 0.4), (0.3, 0.5), (0.35, 0.45), (0.3, 0.8)),
    transition=(
        (0.985, 0.006, 0.004, 0.005),
        (0.008, 0.98, 0.002, 0.01),
        (0.01, 0.0, 0.98, 0.01),
        (0.02, 0.01, 0.01, 0.96),
    ),
    temper=0.15,
)


def simulated(rows: int, seed: int) -> Floats:
    """(heat, drift) of a chain with the planted parameters: independent draws, which the fit sees every 15th of."""
    random = np.random.default_rng(seed)
    ladder = np.cumsum(PLANTED.transition, axis=1)
    states = np.zeros(rows, dtype=int)
    for t, chance in enumerate(random.random(rows - 1)):
        states[t + 1] = min(int(np.searchsorted(ladder[states[t]], chance)), 3)
    return np.array(PLANTED.means)[states] + np.array(PLANTED.deviations)[states] * random.normal(size=(rows, 2))


def ordered(order: tuple[int, ...]) -> RegimeParameters:
    """The default parameters, their states in another order."""
    return replace(
        DEFAULT,
        means=tuple(DEFAULT.means[state] for state in order),
        deviations=tuple(DEFAULT.deviations[state] for state in order),
        transition=tuple(tuple(DEFAULT.transition[i][j] for j in order) for i in order),
    )


def close(a: RegimeParameters, b: RegimeParameters, within: float) -> None:
    np.testing.assert_allclose(a.means, b.means, rtol=0, atol=within)
    np.testing.assert_allclose(a.deviations, b.deviations, rtol=0, atol=within)


def lasting(parameters: RegimeParameters) -> Floats:
    """Bars that each state lasts on average."""
    lasts: Floats = 1 / (1 - np.diag(parameters.transition))
    return lasts


def test_planted_regimes_are_recovered() -> None:
    observed = [simulated(200_000, seed) for seed in (1, 2)]
    fitted = hmm.fit(observed, prior=0)
    close(fitted, PLANTED, within=0.05)
    np.testing.assert_allclose(lasting(fitted), lasting(PLANTED), rtol=0.15)
    leaning = hmm.fit(observed)
    halfway = (np.array(PLANTED.means) + np.array(DEFAULT.means)) / 2
    np.testing.assert_allclose(leaning.means, halfway, rtol=0, atol=0.35)


def test_every_order_of_the_start_gives_the_same_names_and_numbers() -> None:
    observed = [simulated(60_000, seed=3)]
    fitted = hmm.fit(observed)
    for order in permutations(range(4)):
        close(hmm.fit(observed, ordered(order)), fitted, within=1e-3)


def test_the_fit_is_the_same_each_time() -> None:
    observed = [simulated(20_000, seed=4)]
    assert hmm.fit(observed) == hmm.fit([sequence.copy() for sequence in observed])


def test_states_are_named_by_volatility_and_trend() -> None:
    means = np.array([[0.6, 0.2], [-0.1, -1.5], [-0.4, 0.0], [0.1, 1.2]])
    assert [STATES[position] for position in np.argsort(hmm.named(means))] == [
        "turbulent",
        "trending_down",
        "calm",
        "trending_up",
    ]


def test_with_few_or_no_observations_the_fit_stays_at_the_default() -> None:
    assert hmm.fit([]) == DEFAULT
    close(hmm.fit([simulated(60, seed=5)]), DEFAULT, within=0.05)
    unknown = np.full((100 * THIN, 2), np.nan)
    close(hmm.fit([unknown]), DEFAULT, within=1e-5)


def test_equal_observations_do_not_make_a_state_certain() -> None:
    fitted = hmm.fit([np.tile([0.55, 0.0], (100_000, 1))], prior=0.0)
    assert np.isfinite(fitted.array()).all()
    assert min(min(row) for row in fitted.deviations) == 0.05


def test_the_transition_of_one_bar_is_the_root_of_that_of_fifteen() -> None:
    for planted, within in ((DEFAULT.transition, 1e-12), (PLANTED.transition, 1e-4)):  # in the second a chance is 0
        fifteen = np.linalg.matrix_power(np.array(planted), THIN)
        np.testing.assert_allclose(hmm.per_bar(fifteen), planted, rtol=0, atol=within)
    without_a_root = np.array([[0.1, 0.9, 0, 0], [0, 0.1, 0.9, 0], [0, 0, 0.1, 0.9], [0.9, 0, 0, 0.1]])
    nearest = hmm.per_bar(without_a_root)
    assert (nearest >= 0).all()
    np.testing.assert_allclose(nearest.sum(axis=1), 1, rtol=1e-12)


def test_observations_are_those_of_whole_windows_and_stop_at_long_gaps() -> None:
    bars = walk(1_000, seed=6)
    (whole,) = hmm.observations(frame_of(bars))
    assert len(whole) == len(bars) - LONG
    assert np.isfinite(whole).all()
    bars.loc[500:, "time"] += 100 * MINUTE
    first, second = hmm.observations(frame_of(bars))
    np.testing.assert_array_equal(first, whole[: 500 - LONG])
    np.testing.assert_array_equal(second, whole[500:])
    assert hmm.observations(frame_of(bars.iloc[:LONG])) == []


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"means": DEFAULT.means[:3]}, "means are not 4 rows of 2"),
        ({"means": ((float("nan"), 0.0), *DEFAULT.means[1:])}, "means are not finite"),
        ({"deviations": ((0.0, 1.0), *DEFAULT.deviations[1:])}, "deviation is less"),
        ({"transition": ((0.9, 0.0, 0.0, 0.0), *DEFAULT.transition[1:])}, "not a distribution"),
        ({"transition": ((1.1, -0.1, 0.0, 0.0), *DEFAULT.transition[1:])}, "not a distribution"),
        ({"temper": 0.0}, "temper"),
    ],
)
def test_parameters_that_cannot_be_are_refused(wrong: dict[str, object], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        replace(DEFAULT, **wrong)


@cache
def minutes(name: str) -> BarFrame:
    return frame_of(pd.read_parquet(real("panel_bitfinex_1m", f"{name}.parquet"), columns=["time", "close"]))


@pytest.mark.parametrize("start", [DEFAULT, ordered((3, 2, 0, 1))], ids=["as meant", "permuted"])
def test_two_halves_of_a_real_year_give_the_same_regimes(start: RegimeParameters) -> None:
    halves = []
    for part in (0, 1):
        observed = []
        for name in ("btcusd", "ethusd", "ltcusd"):
            frame = minutes(name)
            middle = len(frame) // 2
            observed += hmm.observations(frame[middle:] if part else frame[:middle])
        halves.append(hmm.fit(observed, start))
    close(*halves, within=0.15)
    np.testing.assert_allclose(lasting(halves[0]), lasting(halves[1]), rtol=0.2)
    for fitted in halves:
        calm, up, down, turbulent = fitted.means
        assert calm[0] < min(up[0], down[0]) <= max(up[0], down[0]) < turbulent[0]
        assert down[1] < -1 < max(abs(calm[1]), abs(turbulent[1])) + 0.9 < 1 < up[1]
        assert (lasting(fitted) > 20).all()


def test_another_venue_gives_the_same_regimes() -> None:
    folder = real("permissive", "panel_1m_binance_usdm_2025-05")
    observed = []
    for coin in ("ADA", "SOL", "BNB", "LTC"):
        bars = pd.read_feather(folder / f"{coin}_USDT_USDT-1m-futures.feather", columns=["date", "close"])
        time = (bars["date"] - pd.Timestamp(0, tz="UTC")) // pd.Timedelta("1ms")
        observed += hmm.observations(frame_of(bars.assign(time=time)))
    fitted = hmm.fit(observed)
    other = hmm.fit(hmm.observations(minutes("ethusd")))
    close(fitted, other, within=0.3)
    assert (lasting(fitted) > 20).all()
