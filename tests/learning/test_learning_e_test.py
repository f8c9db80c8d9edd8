"""A challenger that is no better is promoted as rarely as alpha says, and one that is better soon."""

import numpy as np
import pytest
from scipy.signal import lfilter

from learning.monitoring.e_test import ChampionChallengerTest
from models.scoring import e_process

HORIZONS = (1, 5, 15, 60)
MINUTE = 60_000


def gains(seed: int, rows: int, champion: float, challenger: float, carry: float = 0.0) -> np.ndarray:
    """Return the gains [n, H] over forecasters whose forecasts are noise of these sizes, in a market whose volatility
    wanders; the labels overlap, and each forecast's noise carries a share of the last one's.
    """
    rng = np.random.default_rng(seed)
    size = rows + 60
    volatility = 1e-3 * np.exp(0.3 * np.cumsum(rng.normal(0.0, 0.03, size)))
    price = np.concatenate([[0.0], np.cumsum(rng.normal(0.0, 1.0, size) * volatility)])
    noise = lfilter([1.0], [1.0, -carry], rng.normal(0.0, 1.0, (2, size))) * np.sqrt(1.0 - carry**2)
    values = np.full((size, len(HORIZONS)), np.nan)
    for column, horizon in enumerate(HORIZONS):
        label = price[horizon:] - price[:-horizon]
        unit = volatility[: len(label)] * np.sqrt(horizon)
        ours, theirs = (
            np.abs(label - unit * share * part[: len(label)])
            for share, part in zip((champion, challenger), noise, strict=True)
        )
        values[horizon - 1 :, column][: len(label)] = (ours - theirs) / (ours + theirs)
    return values[60:]


def trial(gain: np.ndarray, least: int = 1, alpha: float = 0.05) -> ChampionChallengerTest:
    made = ChampionChallengerTest(horizons=HORIZONS, span=MINUTE, alpha=alpha, least=least)
    made.update(MINUTE * np.arange(len(gain)), gain)
    return made


def outcome(made: ChampionChallengerTest) -> str | None:
    return None if made.result is None else made.result.outcome


@pytest.mark.slow
@pytest.mark.parametrize("carry", [0.0, 0.9])
def test_one_that_is_no_better_is_rarely_promoted_though_looked_at_after_every_bar(carry: float) -> None:
    runs, alpha = 300, 0.05
    verdicts = [outcome(trial(gains(seed, 5_000, 0.4, 0.4, carry), alpha=alpha)) for seed in range(runs)]
    for verdict in ("won", "lost"):
        assert verdicts.count(verdict) / runs <= alpha


def test_one_that_is_better_wins_and_one_that_is_worse_loses() -> None:
    better = [outcome(trial(gains(seed, 6_000, 0.4, 0.1))) for seed in range(40)]
    worse = [outcome(trial(gains(seed, 6_000, 0.1, 0.4))) for seed in range(40)]
    assert better.count("won") >= 38
    assert worse.count("lost") >= 38


def test_nothing_is_won_before_the_least_number_of_bars() -> None:
    gain = np.full((3_000, 4), 0.05)
    made = trial(gain, least=2_000)
    assert made.result is not None
    assert (made.result.outcome, made.result.time) == ("won", 1_999 * MINUTE)
    assert made.result.evidence["bars"] == 2_000
    assert made.result.evidence["gain_60"] == pytest.approx(0.05)


def test_one_that_is_worse_at_one_horizon_does_not_win() -> None:
    rng = np.random.default_rng(1)
    gain = 0.05 + rng.normal(0.0, 0.05, (3_000, 4))
    gain[:, 1] -= 0.15
    assert outcome(trial(gain, least=1_500)) == "lost"


def test_the_verdict_does_not_depend_on_how_the_bars_were_cut() -> None:
    gain = gains(7, 4_000, 0.4, 0.1)
    gain[::7] = np.nan
    whole, pieces = (
        trial(gain, least=500),
        ChampionChallengerTest(horizons=HORIZONS, span=MINUTE, alpha=0.05, margin=0.002, least=500),
    )
    time = MINUTE * np.arange(len(gain))
    verdicts = [pieces.update(time[start : start + 37], gain[start : start + 37]) for start in range(0, 4_000, 37)]
    assert whole.result == pieces.result
    assert [verdict for verdict in verdicts if verdict] == [whole.result]
    np.testing.assert_array_equal(whole.evidence, pieces.evidence)


def test_the_wealth_is_that_of_who_bets_by_hand() -> None:
    gain = np.array([0.1, -0.2, 0.3, np.nan, 0.05])
    _, evidence = e_process.step(e_process.initial(2), np.array([0, 1, 0, 1, 1]), gain)
    first = np.mean((1 + e_process.STAKES * 0.1) * (1 + e_process.STAKES * 0.3))
    second = np.mean((1 - e_process.STAKES * 0.2) * (1 + e_process.STAKES * 0.05))
    assert evidence[0, -1] == pytest.approx((first + second) / 2)
    assert evidence[1, 0] == pytest.approx((np.mean(1 - e_process.STAKES * 0.1) + 1) / 2)
    assert evidence[0, 3] == evidence[0, 2]


def test_the_wealth_grows_no_further_than_evidence_goes() -> None:
    _, evidence = e_process.step(e_process.initial(1), np.zeros(5_000, dtype=np.int64), np.full(5_000, 1.0))
    assert np.isfinite(evidence).all()
