"""The comparison of engines: what they compute, how they are judged, and that those of our own packages are right."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bench.stream.environment import ENGINES, Engine
from bench.stream.market import judged, right, ticks
from bench.stream.measure import Load, run
from bench.stream.work import State, step


def test_the_indicators_are_what_pandas_finds() -> None:
    prices = pd.Series(100.0 + np.random.default_rng(3).normal(size=200).cumsum())
    state: State | None = None
    rows = []
    for price in prices:
        state, values = step(state, price)
        rows.append(values)
    results = pd.DataFrame(rows)
    ema = {span: prices.ewm(span=span, adjust=False).mean() for span in (12, 26)}
    macd = ema[12] - ema[26]
    change = prices.diff().fillna(0.0)
    gain, loss = (part.ewm(alpha=1 / 14, adjust=False).mean() for part in (change.clip(lower=0), -change.clip(upper=0)))
    expected = {
        "ema_12": ema[12],
        "macd": macd,
        "mean_20": prices.rolling(20, min_periods=1).mean(),
        "deviation_20": prices.rolling(20, min_periods=1).std(ddof=0),
    }
    for name, column in expected.items():
        np.testing.assert_allclose(results[name], column, rtol=1e-9, atol=1e-9, err_msg=name)
    # From the first move on; the signal begins at 0 as pandas' does, whose first MACD is 0.
    np.testing.assert_allclose(results["rsi_14"][1:], (100 * gain / (gain + loss))[1:], rtol=1e-9)
    np.testing.assert_allclose(results["macd_signal"], macd.ewm(span=9, adjust=False).mean(), rtol=1e-9, atol=1e-12)


def test_what_is_twice_wrong_or_missing_is_counted() -> None:
    expected = right(2, 6)
    rows: list[Any] = [dict(one) for one in expected.values()]
    values = [(0.0, json.dumps(rows[:3]).encode()), *((0.0, json.dumps(one).encode()) for one in rows[2:5])]
    assert judged(values, expected) == {"duplicates": 1, "wrong": 0, "missing": 1}
    rows[5]["rsi_14"] += 1e-6
    assert judged([(0.0, json.dumps(rows).encode())], expected) == {"duplicates": 0, "wrong": 1, "missing": 0}
    assert [tick["time"] for tick in ticks(2, 2, 2)] == [tick["time"] for tick in ticks(2, 0, 4)][2:]


@pytest.mark.services
@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("rows", [1, 50])
@pytest.mark.parametrize("engine", [one for one in ENGINES if not one.apart], ids=lambda one: one.program)
def test_an_engine_writes_every_row_right(engine: Engine, rows: int) -> None:
    figures = run(engine, Load(ticks=2_000, rows=rows))
    assert {name: figures[name] for name in ("duplicates", "wrong", "missing")} == {
        "duplicates": 0,
        "wrong": 0,
        "missing": 0,
    }
