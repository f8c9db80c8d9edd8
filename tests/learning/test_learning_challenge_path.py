"""The way of a test is that of the monitor's own test, looked at on the way."""

import numpy as np
import pytest

from learning.monitoring.challenge_path import ChallengePath
from learning.monitoring.e_test import ChampionChallengerTest

MINUTE, HOUR = 60_000, 3_600_000
HORIZONS = (1, 5)
ROWS = 1_000
GAIN = np.random.default_rng(6).normal(0.03, 0.1, (ROWS, 2))
GAIN[::9] = np.nan
TIME = MINUTE * np.arange(ROWS)


def path() -> ChallengePath:
    test = ChampionChallengerTest(horizons=HORIZONS, span=MINUTE, alpha=0.05, margin=0.002, least=100)
    return ChallengePath(test=test, every=HOUR)


def test_the_points_of_the_path_equal_the_tests_summary_at_their_bars():
    made = path()
    made.update(TIME, GAIN)
    for rows in (60, 600, ROWS):
        other = ChampionChallengerTest(horizons=HORIZONS, span=MINUTE, alpha=0.05, margin=0.002, least=100)
        other.update(TIME[:rows], GAIN[:rows])
        point = next(one for one in made.points if one.time == TIME[rows - 1])
        assert point.e_value == pytest.approx(other.summary()["e_value"])
        assert point.against == pytest.approx(other.summary()["e_value_against"])
        assert point.gain == pytest.approx(np.nansum(GAIN[:rows], axis=0).tolist())
    assert made.test.result is not None
    assert made.test.result.outcome == "won"
    assert len(made.points) == -(-ROWS // 60)


def test_the_path_does_not_depend_on_how_the_bars_were_cut():
    whole, pieces = path(), path()
    whole.update(TIME, GAIN)
    for begin in range(0, ROWS, 37):
        pieces.update(TIME[begin : begin + 37], GAIN[begin : begin + 37])
    assert [one.time for one in pieces.points] == [one.time for one in whole.points]
    for one, other in zip(pieces.points, whole.points, strict=True):
        assert one.e_value == pytest.approx(other.e_value)
        assert one.low == pytest.approx(other.low)
        assert one.high == pytest.approx(other.high)


def test_an_empty_update_adds_no_point():
    made = path()
    made.update(TIME[:0], GAIN[:0])
    assert made.points == []
