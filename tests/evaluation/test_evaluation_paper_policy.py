"""The policy on paper, against accounts that are kept by hand and a plain loop."""

import numpy as np
import pytest

from evaluation.paper_policy import DAY_MS, paper_equity

MINUTE = 60_000
RNG = np.random.default_rng(2)


def plain(symbol: np.ndarray, time: np.ndarray, mean: np.ndarray, realised: np.ndarray, horizon: int, cost: float):
    """Return gross and traded as a reader of the docstring would count them: one account after the other."""
    gross = traded = 0.0
    accounts = 0
    for one in np.unique(symbol):
        for account in range(horizon):
            accounts += 1
            position, until = 0, None
            rows = np.flatnonzero((symbol == one) & (time // MINUTE % horizon == account))
            for row in rows:
                if until is not None and until != time[row]:
                    traded += abs(position)
                    position = 0
                options = sorted((-1, 0, 1), key=lambda p, now=position: p != now)
                values = [p * mean[row] - cost * abs(p - position) for p in options]
                chosen = options[int(np.argmax(values))]
                traded += abs(chosen - position)
                gross += chosen * realised[row]
                position, until = chosen, time[row] + horizon * MINUTE
    return gross / accounts, traded / accounts


@pytest.mark.parametrize("horizon", [1, 5])
@pytest.mark.parametrize("cost", [0.0, 2e-4])
def test_earnings_and_trades_equal_a_plain_loop(horizon: int, cost: float):
    rows = 600
    symbol = np.repeat([0, 1], rows)
    minutes = np.sort(RNG.choice(rows + 40, rows, replace=False))
    time = MINUTE * np.concatenate([minutes, np.arange(rows)])
    mean, realised = RNG.normal(0, 3e-4, (2, 2 * rows))
    made = paper_equity(symbol, time, mean, realised, horizon=horizon, span=MINUTE, cost=cost)
    gross, traded = plain(symbol, time, mean, realised, horizon, cost)
    assert made.gross[-1] == pytest.approx(gross)
    assert made.traded[-1] == pytest.approx(traded)
    assert made.net[-1] == pytest.approx(gross - cost * traded)


def test_long_long_short_equals_the_hand_calculation():
    mean = np.array([0.002, 0.0001, -0.003])
    realised = np.array([0.01, 0.02, -0.005])
    made = paper_equity(
        np.zeros(3, dtype=np.int64), MINUTE * np.arange(3), mean, realised, horizon=1, span=MINUTE, cost=0.001
    )
    assert made.gross.tolist() == pytest.approx([0.01, 0.03, 0.035])
    assert made.traded.tolist() == pytest.approx([1, 1, 3])
    assert made.cost.tolist() == pytest.approx([0.001, 0.001, 0.003])
    assert made.time.tolist() == [MINUTE, 2 * MINUTE, 3 * MINUTE]
    assert made.break_even == pytest.approx(0.035 / 3)
    assert made.turnover == pytest.approx(3 / (2 * MINUTE / DAY_MS))
    assert made.drawdown == 0


def test_a_forecast_that_does_not_exceed_its_cost_is_not_traded():
    mean, realised = RNG.normal(0, 1e-4, (2, 500))
    made = paper_equity(
        np.zeros(500, dtype=np.int64), MINUTE * np.arange(500), mean, realised, horizon=1, span=MINUTE, cost=0.01
    )
    assert made.traded[-1] == made.gross[-1] == made.cost[-1] == 0
    assert made.break_even is None


def test_the_future_does_not_change_what_was_earned():
    mean, realised = RNG.normal(0, 3e-4, (2, 500))
    symbol, time = np.zeros(500, dtype=np.int64), MINUTE * np.arange(500)
    whole, part = (
        paper_equity(symbol[:rows], time[:rows], mean[:rows], realised[:rows], horizon=5, span=MINUTE, cost=1e-4)
        for rows in (500, 300)
    )
    assert whole.net[:300].tolist() == pytest.approx(part.net.tolist())


def test_nothing_known_is_an_empty_equity():
    unknown = np.full(3, np.nan)
    made = paper_equity(
        np.zeros(3, dtype=np.int64), MINUTE * np.arange(3), unknown, unknown, horizon=1, span=MINUTE, cost=0.0
    )
    assert len(made.time) == 0
    assert (made.turnover, made.break_even, made.drawdown) == (None, None, None)
