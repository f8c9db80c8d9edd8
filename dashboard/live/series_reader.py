"""Reads the page's data of one series, model and horizon, as columns for the plots."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import numpy as np
from psycopg import Connection

from dashboard.live.columns import Columns
from dashboard.live.fan import NewestForecast, build
from dashboard.live.queries import QUERIES
from dashboard.live.regime_ribbon import RegimeSpan, runs
from dashboard.live.view_state import BarSeries
from models.skill import NAIVE
from topics.units import interval_ms, is_time

Rows = Sequence[tuple[Any, ...]]

BAR_COLUMNS = ("time", "open", "high", "low", "close", "volume")
RESOLVED_COLUMNS = ("time", "lower", "upper", "realised", "hit")
SCORE_COLUMNS = ("time", "scored", "coverage", "skill", "direction", "moved", "error")

BUCKET_BARS = 60
ROLLING_BUCKETS = 24
SHOWN_BUCKETS = 7 * 24
LEAST_SCORED = 60
"""Scores are in buckets of 60 bars, each over 24 buckets, for 168 of them; over fewer than 60 outcomes none is
shown."""


@dataclass(frozen=True)
class Key:
    """A viewer's selection. `model` is None while none is known; `span` is in bars."""

    series: BarSeries
    model: str | None
    horizon: int
    span: int


@dataclass(frozen=True)
class Newest:
    """The newest time of each record of a series; None if there is none."""

    bar: datetime | None
    prediction: datetime | None
    outcome: datetime | None
    regime: datetime | None


@dataclass(frozen=True)
class RegimeNow:
    """The newest regime: its state and, where known, that state's probability."""

    state: str
    probability: float | None


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """All data drawn for one key, read at one time. `scores` is by model; `serial` grows with each reading."""

    key: Key
    serial: int
    newest: Newest
    models: tuple[str, ...]
    bars: Columns
    fan: Columns
    runs: tuple[RegimeSpan, ...]
    regime: RegimeNow | None
    scores: dict[str, Columns]


def read_series(connection: Connection) -> tuple[BarSeries, ...]:
    """Return every series that has bars cut by time: the page draws nothing else."""
    results = (BarSeries(*row) for row in connection.execute(QUERIES["series"]).fetchall())
    return tuple(series for series in results if is_time(series.interval))


def read_inserted(connection: Connection) -> tuple[int | None, int | None]:
    """Return how many bars and predictions were ever stored; None if the server does not say."""
    row = connection.execute(QUERIES["inserted"]).fetchone() or (None, None)
    bars, predictions = (None if count is None else int(count) for count in row)
    return bars, predictions


def read_newest(connection: Connection, series: BarSeries) -> Newest:
    """Return how far the series has come: four index look-ups."""
    row = connection.execute(QUERIES["newest"], {"symbol": series.symbol, "interval": series.interval}).fetchone()
    return Newest(*(row or (None, None, None, None)))


def read_scores(connection: Connection, key: Key, newest: Newest) -> dict[str, Columns]:
    """Return each model's rolling coverage, skill, share of right directions and mean absolute error.

    `scored` counts the outcomes, and `moved` those of them in which a side was taken and the price moved.
    """
    if newest.outcome is None or newest.bar is None:
        return {}
    step = timedelta(milliseconds=interval_ms(key.series.interval))
    parameters = {
        "symbol": key.series.symbol,
        "interval": key.series.interval,
        "horizon": key.horizon,
        "baseline": NAIVE,
        "bucket": BUCKET_BARS * step,
        "rolling": (ROLLING_BUCKETS - 1) * BUCKET_BARS * step,
        "since": newest.outcome - (SHOWN_BUCKETS + ROLLING_BUCKETS) * BUCKET_BARS * step,
        "end": newest.outcome,
        "least": LEAST_SCORED,
    }
    rows = connection.execute(QUERIES["scores"], parameters).fetchall()
    scores = {}
    for model, of_model in groupby(rows, key=lambda row: str(row[0])):
        columns = _columns(SCORE_COLUMNS, [row[1:] for row in of_model])
        # The last bucket is still filling: its score is as of the newest bar, not of the bucket's end.
        columns["time"] = np.minimum(columns["time"], newest.bar.timestamp() * 1000)
        scores[model] = columns
    return scores


def read_snapshot(
    connection: Connection, key: Key, newest: Newest, scores: dict[str, Columns], serial: int
) -> Snapshot | None:
    """Read what is drawn for that key, or None if the series has no bar."""
    if newest.bar is None:
        return None
    step = timedelta(milliseconds=interval_ms(key.series.interval))
    parameters = {
        "symbol": key.series.symbol,
        "interval": key.series.interval,
        "model": key.model,
        "horizon": key.horizon,
        "step": step,
        "start": newest.bar - key.span * step,
        "end": newest.bar,
        "newest": newest.prediction,
    }

    def rows(name: str) -> Rows:
        return connection.execute(QUERIES[name], parameters).fetchall()

    models = tuple(str(model) for (model,) in rows("models")) if newest.prediction else ()
    regimes = rows("regimes")
    bars = _columns(BAR_COLUMNS, rows("bars"))
    resolved = _columns(RESOLVED_COLUMNS, rows("resolved"))
    newest_forecasts = [
        NewestForecast(time=time, price=price, horizon=horizon, quantiles=_known(levels), p_up=p_up)
        for time, price, horizon, *levels, p_up in rows("fan")
    ]
    return Snapshot(
        key=key,
        serial=serial,
        newest=newest,
        models=models,
        bars=beside(bars, resolved),
        fan=build(newest_forecasts, key.series.interval),
        runs=tuple(runs(((time, state) for time, state, _ in regimes), key.series.interval)),
        regime=RegimeNow(regimes[-1][1], (regimes[-1][2] or {}).get(regimes[-1][1])) if regimes else None,
        scores=scores,
    )


def beside(bars: Columns, resolved: Columns) -> Columns:
    """Set the resolved forecasts beside the bars at which they came true; NaN if a bar has none."""
    joined = dict(bars)
    place = np.searchsorted(bars["time"], resolved["time"])
    result = place < len(bars["time"])
    result[result] = bars["time"][place[result]] == resolved["time"][result]
    for name in RESOLVED_COLUMNS[1:]:
        column = np.full(len(bars["time"]), np.nan)
        column[place[result]] = resolved[name][result]
        joined[name] = column
    return joined


def _columns(names: Sequence[str], rows: Rows) -> Columns:
    table = np.array(rows, dtype=np.float64).reshape(len(rows), len(names))
    return {name: np.ascontiguousarray(table[:, place]) for place, name in enumerate(names)}


def _known(levels: Sequence[float | None]) -> tuple[float, ...] | None:
    known = tuple(level for level in levels if level is not None)
    return known if len(known) == len(levels) else None
