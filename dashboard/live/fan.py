"""The newest forecast as a fan in price, ahead of the last candle."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp

import numpy as np

from dashboard.live.columns import Columns
from topics.records import QUANTILES
from topics.units import interval_ms

LEVELS = tuple(f"q{round(level * 100):02d}" for level in QUANTILES)
BANDS = (("90 %", "q05", "q95"), ("80 %", "q10", "q90"), ("50 %", "q25", "q75"))
"""Nominal coverage, lower and upper quantile; widest first, so that the narrow ones are drawn on top."""


@dataclass(frozen=True, kw_only=True)
class NewestForecast:
    """The forecast of one model at one bar for one horizon: quantiles of the log return, None while unknown."""

    time: float
    price: float
    horizon: int
    quantiles: tuple[float, ...] | None
    p_up: float | None


def build(newest_forecasts: Sequence[NewestForecast], interval: str) -> Columns:
    """Return the fan's outline: ``time`` [ms], ``horizon`` [bars], ``p_up``, and a price for each of `LEVELS`.

    It starts at the price of the forecast's own bar, where nothing is uncertain. Horizons without quantiles are left
    out; with none left, the fan is empty.
    """
    known = sorted((one for one in newest_forecasts if one.quantiles is not None), key=lambda one: one.horizon)
    empty: Columns = {name: np.empty(0) for name in ("time", "horizon", "p_up", *LEVELS)}
    if not known:
        return empty
    rows = [(known[0].time, 0.0, np.nan, *(known[0].price for _ in LEVELS))]
    for one in known:
        prices = (one.price * exp(quantile) for quantile in one.quantiles or ())
        p_up = np.nan if one.p_up is None else one.p_up
        rows.append((one.time + one.horizon * interval_ms(interval), float(one.horizon), p_up, *prices))
    return dict(zip(empty, np.array(rows, dtype=float).T, strict=True))


def slots(points: Columns, start: float) -> Columns:
    """Return the points with the times nearest to each, from ``left`` to ``right``; the first begins at `start`."""
    time = points["time"]
    if not len(time):
        return points | {"left": time, "right": time}
    middle = (time[1:] + time[:-1]) / 2
    beyond = time[-1] + (time[-1] - middle[-1] if len(middle) else time[-1] - start)
    return points | {"left": np.append(start, middle), "right": np.append(middle, beyond)}


def at(fan: Columns, horizon: int) -> Columns:
    """Return the one row of the fan at that horizon, or none."""
    chosen = fan["horizon"] == horizon
    return {name: column[chosen] for name, column in fan.items()}
