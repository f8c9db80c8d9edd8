"""Reads the page's data of one series, model and horizon, as columns for the plots."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

import numpy as np
from psycopg import Connection

from dashboard.live.columns import Columns
from dashboard.live.fan import NewestForecast, build
from dashboard.live.queries import QUERIES
from dashboard.live.regime_ribbon import RegimeSpan, runs
from dashboard.live.timeframes import Window
from dashboard.live.view_state import BarSeries
from models.skill import NAIVE
from topics.units import interval_ms, is_time

Rows = Sequence[tuple[Any, ...]]

BAR_COLUMNS = ("time", "open", "high", "low", "close", "volume")
RESOLVED_COLUMNS = ("time", "lower", "upper", "realised", "hit", "made")
SCORE_COLUMNS = ("time", "scored", "coverage", "skill", "direction", "moved", "error")

BUCKET_BARS = 60
ROLLING_BUCKETS = 24
SHOWN_BUCKETS = 7 * 24
LEAST_SCORED = 60
"""Scores are in buckets of 60 bars, each over 24 buckets, for 168 of them; over fewer than 60 outcomes none is
shown."""
ALARM_LASTS = timedelta(days=1)
"""For how long, by the data's time, an alarm of the drift monitor is shown."""


@dataclass(frozen=True, kw_only=True)
class Key:
    """A viewer's selection. `model` is None while none is known; `span` is in bars, `window` the part that is drawn.

    With `until` [epoch ms] it is what was known then: of bars those that had ended.
    """

    series: BarSeries
    model: str | None
    horizon: int
    span: int
    window: Window
    until: int | None = None

    @property
    def step(self) -> timedelta:
        """Return the length of a bar."""
        return timedelta(milliseconds=interval_ms(self.series.interval))

    @property
    def frame(self) -> timedelta:
        """Return the length of a candle."""
        return timedelta(milliseconds=interval_ms(self.window.timeframe))


@dataclass(frozen=True, kw_only=True)
class Newest:
    """The newest time of each record of a series; None if there is none.

    `reached` [s] sums the newest times of every model's and horizon's forecasts and outcomes: it changes with each of
    them that goes on; of a replay, which asks for a bar, it is 0.
    """

    bar: datetime | None
    prediction: datetime | None
    outcome: datetime | None
    regime: datetime | None
    reached: float = 0.0


@dataclass(frozen=True)
class RegimeNow:
    """The newest regime: its state and, where known, that state's probability."""

    state: str
    probability: float | None


@dataclass(frozen=True, kw_only=True)
class Latest:
    """What is shown of the series whatever part is drawn: its last close, that of a span before, its first bar."""

    close: float
    before: float
    first: datetime


@dataclass(frozen=True, kw_only=True)
class CoverageAlarm:
    """The drift monitor's finding that an interval covers too little; `since` in epoch ms, `horizon` in bars."""

    detail: str
    since: float
    horizon: int | None


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """All data drawn for one key, read at one time; `serial` grows with each reading.

    `scores` is by model, None while they were not read yet.
    """

    key: Key
    serial: int
    newest: Newest
    latest: Latest
    models: tuple[str, ...]
    bars: Columns
    fan: Columns
    runs: tuple[RegimeSpan, ...]
    regime: RegimeNow | None
    scores: dict[str, Columns] | None
    alarm: CoverageAlarm | None = None

    @property
    def behind(self) -> int | None:
        """Return how many bars the newest forecast is behind the newest bar, None without one."""
        return bars_behind(self.newest, interval_ms(self.key.series.interval))


def bars_behind(newest: Newest, step: int) -> int | None:
    """Return how many bars of `step` ms the newest forecast is behind the newest bar, None if either is not there."""
    if newest.bar is None or newest.prediction is None:
        return None
    return max(0, round((newest.bar - newest.prediction) / timedelta(milliseconds=step)))


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
    bar, prediction, outcome, regime, reached = row or (None, None, None, None, 0.0)
    return Newest(bar=bar, prediction=prediction, outcome=outcome, regime=regime, reached=reached)


def read_scores(connection: Connection, key: Key, newest: Newest) -> dict[str, Columns]:
    """Return each model's rolling coverage, skill, share of right directions and mean absolute error.

    `scored` counts the outcomes, and `moved` those of them in which a side was taken and the price moved.
    """
    if newest.outcome is None or newest.bar is None:
        return {}
    step = key.step
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
    connection: Connection, key: Key, newest: Newest, scores: dict[str, Columns] | None, serial: int
) -> Snapshot | None:
    """Read what is drawn for that key, or None if the series has no bar."""
    if newest.bar is None:
        return None
    start, end = edges(key, newest.bar)
    parameters = {
        "symbol": key.series.symbol,
        "interval": key.series.interval,
        "model": key.model,
        "horizon": key.horizon,
        "step": key.step,
        "frame": key.frame,
        "span": key.span * key.step,
        "start": start,
        "end": end,
        "newest": newest.bar,
        "lasting": ALARM_LASTS,
        "later": ALARM_LASTS if key.until is None else timedelta(0),
    }
    framed = "" if key.frame == key.step else "_by_frame"
    names = ("latest", "models", f"bars{framed}", f"resolved{framed}", "fan", "coverage_alarm", f"regimes{framed}")
    latest, series, drawn, resolved, said, drifts, regimes = _all(connection, names, parameters)
    close, before, first, state, probability = latest[0]
    newest_forecasts = [
        NewestForecast(time=time, price=price, horizon=horizon, quantiles=_known(levels), p_up=p_up)
        for time, price, horizon, *levels, p_up in said
    ]
    alarms = [CoverageAlarm(detail=text, since=since, horizon=ahead) for text, since, ahead in drifts]
    return Snapshot(
        key=key,
        serial=serial,
        newest=newest,
        latest=Latest(close=close, before=before, first=first),
        models=tuple(str(model) for (model,) in series) if newest.prediction else (),
        bars=beside(_columns(BAR_COLUMNS, drawn), _columns(RESOLVED_COLUMNS, resolved)),
        fan=build(newest_forecasts, key.series.interval),
        runs=tuple(runs(regimes, key.window.timeframe)),
        regime=RegimeNow(state, probability) if state is not None else None,
        scores=scores,
        alarm=alarms[0] if alarms else None,
    )


def _all(connection: Connection, names: Sequence[str], parameters: Mapping[str, object]) -> list[Rows]:
    """Return the rows of several queries, which are sent together: on busy cores each way there and back waits."""
    with connection.pipeline():
        cursors = [connection.execute(QUERIES[name], parameters) for name in names]
        return [cursor.fetchall() for cursor in cursors]


def edges(key: Key, newest: datetime) -> tuple[datetime, datetime]:
    """Return the times of the first and the last bar that are read: no candle at the beginning is cut."""
    end = newest if key.window.end is None else datetime.fromtimestamp(key.window.end / 1000, UTC)
    if key.until is not None:
        end = min(end, newest)
    start = end - (key.window.bars - 1) * key.step
    if key.frame != key.step:
        start -= (start - datetime.fromtimestamp(0, UTC)) % key.frame
    return start, end


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
