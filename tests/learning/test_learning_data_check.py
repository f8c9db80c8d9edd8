"""The data's check says in a line what is wrong with the bars, and takes ordinary ones."""

import numpy as np
import pytest
from tuning_market import DAY, MINUTE, START, market

from features.frame import BarFrame
from learning.training.data_check import check

GOOD = market("COIN", 1, days=8)


def test_ordinary_bars_pass_and_are_described() -> None:
    findings = check([GOOD, market("OTHER", 2, days=8)], "1m")
    assert (findings.errors, findings.warnings) == ([], [])
    facts = findings.symbols["COIN"]
    assert (facts.rows, facts.first, facts.last) == (8 * 1_440, START, START + 8 * DAY - MINUTE)
    assert (facts.missing, facts.duplicates, facts.impossible, facts.stale) == (0, 0, 0, 0)


def jumped(rows: int, factor: float) -> BarFrame:
    """Prices that jump up and down again at so many bars."""
    factors = np.ones(len(GOOD))
    factors[100 : 100 + 2 * rows : 2] = factor
    return GOOD.with_columns(**{name: getattr(GOOD, name) * factors for name in ("open", "high", "low", "close")})


def still(share: float) -> BarFrame:
    rows = np.arange(len(GOOD)) < share * len(GOOD)
    return GOOD.with_columns(volume=np.where(rows, 0.0, GOOD.volume))


def repeated() -> BarFrame:
    return GOOD[np.r_[0:100, 99 : len(GOOD)]]


@pytest.mark.parametrize(
    ("bars", "line"),
    [
        ([], "no 1m bars are stored"),
        ([GOOD[:0]], "no 1m bars are stored"),
        ([GOOD[: 5 * 1_440]], "5.0 days of 1m bars: at least 7 are needed"),
        ([GOOD, GOOD], "COIN: two frames"),
        ([repeated()], "COIN: 1 bars are not later"),
        ([jumped(50, 3.0)], "COIN: 100 of 11520 returns are beyond"),
        ([jumped(1, np.nan)], "COIN: 2 of 11520 returns are beyond"),
    ],
)
def test_an_error_is_one_line(bars: list[BarFrame], line: str) -> None:
    findings = check(bars, "1m")
    assert len(findings.errors) == 1
    assert findings.errors[0].startswith(line)
    assert "\n" not in findings.errors[0]


@pytest.mark.parametrize(
    ("bars", "line"),
    [
        ([GOOD[np.arange(len(GOOD)) % 10 != 5]], "COIN: 10.0 % of its bars are missing"),
        ([still(0.6)], "COIN: the price did not change in 60.0 % of its bars"),
        ([GOOD, market("OTHER", 2, days=6)], "OTHER: its last bar is 2.0 days before the others'"),
    ],
)
def test_a_warning_stops_nothing(bars: list[BarFrame], line: str) -> None:
    findings = check(bars, "1m")
    assert (findings.errors, findings.warnings) == ([], [line])
