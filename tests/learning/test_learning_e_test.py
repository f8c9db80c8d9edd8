"""A challenger that is no better is promoted as rarely as alpha says, and one that is better soon."""

import numpy as np
import pytest

from bench.promotion import ALPHA, CASES, Case, former, present
from learning.monitoring.e_test import ChampionChallengerTest
from models.scoring import e_process
from settings import Settings

HORIZONS = (1, 5, 15, 60)
MINUTE = 60_000
BETTER, WORSE = Case(challenger=0.1), Case(champion=0.1)


def trial(gain: np.ndarray, least: int = 1, margin: float = 0.002) -> ChampionChallengerTest:
    made = ChampionChallengerTest(horizons=HORIZONS, span=MINUTE, alpha=ALPHA, margin=margin, least=least)
    made.update(MINUTE * np.arange(len(gain)), gain)
    return made


def outcome(made: ChampionChallengerTest) -> str | None:
    return None if made.result is None else made.result.outcome


@pytest.mark.slow
@pytest.mark.parametrize("carry", [0.0, 0.9])
def test_one_that_is_no_better_is_rarely_promoted_though_looked_at_after_every_bar(carry: float) -> None:
    runs = 300
    verdicts = [outcome(trial(Case(carry=carry).gains(seed, 5_000), margin=0.0)) for seed in range(runs)]
    for verdict in ("won", "lost"):
        assert verdicts.count(verdict) / runs <= ALPHA


def test_one_that_is_better_wins_and_one_that_is_worse_loses() -> None:
    better = [outcome(trial(BETTER.gains(seed, 6_000))) for seed in range(40)]
    worse = [outcome(trial(WORSE.gains(seed, 6_000))) for seed in range(40)]
    assert better.count("won") >= 38
    assert worse.count("lost") >= 38


def test_one_that_is_better_at_one_horizon_and_worse_on_average_is_not_promoted_any_more() -> None:
    gains = [CASES["better at 1 bar, worse on average"].gains(seed, 3_000) for seed in range(10)]
    assert {present(gain, HORIZONS).outcome for gain in gains} <= {None, "lost"}
    assert [former(gain, HORIZONS).outcome for gain in gains].count("won") >= 5


def test_one_that_is_better_by_less_than_the_margin_is_not_promoted() -> None:
    rng = np.random.default_rng(2)
    gain = 0.01 + rng.normal(0.0, 0.05, (6_000, 4))
    assert outcome(trial(gain, margin=0.005)) == "won"
    assert outcome(trial(gain, margin=0.015)) is None


def test_versions_with_the_same_losses_are_neither_better_nor_worse() -> None:
    made = trial(np.zeros((3_000, 4)), margin=0.0)
    assert made.result is None
    assert made.evidence.tolist() == [1.0, 1.0]


def test_without_the_longest_horizon_nothing_is_decided_and_the_mean_is_unknown() -> None:
    gain = np.full((3_000, 4), 0.05)
    gain[:, 3] = np.nan
    made = trial(gain)
    assert made.result is None
    assert "weighted_gain" not in made.summary()


def test_the_monitor_and_the_page_test_by_the_settings() -> None:
    made = ChampionChallengerTest.of(Settings(promote_alpha=0.01, promote_margin=0.003, promote_bars=7), (1, 5), MINUTE)
    assert (made.alpha, made.margin, made.least, made.horizons) == (0.01, 0.003, 7, (1, 5))


def test_nothing_is_won_before_the_least_number_of_bars() -> None:
    gain = np.full((3_000, 4), 0.05)
    made = trial(gain, least=2_000)
    assert made.result is not None
    assert (made.result.outcome, made.result.time) == ("won", 1_999 * MINUTE)
    assert made.result.evidence["bars"] == 2_000
    assert made.result.evidence["gain_60"] == pytest.approx(0.05)
    assert made.result.evidence["weighted_gain"] == pytest.approx(0.05)


def test_one_that_is_worse_at_one_horizon_does_not_win() -> None:
    rng = np.random.default_rng(1)
    gain = 0.05 + rng.normal(0.0, 0.05, (3_000, 4))
    gain[:, 1] -= 0.15
    made = trial(gain, least=1_500)
    assert made.evidence[0] >= 1 / ALPHA  # on average it is better
    assert made.result is None


def test_the_verdict_does_not_depend_on_how_the_bars_were_cut() -> None:
    gain = BETTER.gains(7, 4_000)
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
    np.testing.assert_array_equal(whole.by_horizon, pieces.by_horizon)


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
