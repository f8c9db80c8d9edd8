"""The fold predictions -> outcomes of one symbol and interval: each forecast meets what came true, once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import NamedTuple

import msgspec
import numpy as np

from features.frame import Floats
from models.labels import mature
from models.scores import score
from topics.records import QUANTILES, Outcome, Prediction
from topics.units import interval_ms

TIME, PRICE, MEAN, FIRST = 0, 1, 2, 3
WIDTH = FIRST + len(QUANTILES)
NAN = float("nan")
NO_QUANTILES = [NAN] * len(QUANTILES)


class Series(NamedTuple):
    """Whose forecasts are kept together."""

    model: str
    version: str
    horizons: tuple[int, ...]


@dataclass(frozen=True)
class Waiting:
    """The forecasts of one series whose labels have not matured.

    `last_time` is the series' newest prediction; `rows` holds, per horizon, [n, 3 + Q]: time, price, mean, quantiles.
    """

    last_time: int
    rows: tuple[Floats, ...]


@dataclass(frozen=True)
class OutcomesState:
    """The newest bar seen, -1 before the first, and what each series still waits for."""

    last_time: int = -1
    waiting: dict[Series, Waiting] = field(default_factory=dict)

    def dumps(self) -> bytes:
        """Return the state as bytes (MessagePack), exactly."""
        waiting = [(*key, item.last_time, [r.tobytes() for r in item.rows]) for key, item in self.waiting.items()]
        return msgspec.msgpack.encode((self.last_time, waiting))

    @classmethod
    def loads(cls, value: bytes) -> "OutcomesState":
        """Return what `dumps` wrote."""
        last_time, series = msgspec.msgpack.decode(value)
        waiting = {}
        for model, version, horizons, newest, buffers in series:
            rows = tuple(np.frombuffer(buffer, dtype=np.float64).reshape(-1, WIDTH) for buffer in buffers)
            waiting[Series(model, version, tuple(horizons))] = Waiting(newest, rows)
        return cls(last_time, waiting)


def initial() -> OutcomesState:
    """Return the state before the first prediction."""
    return OutcomesState()


def step(state: OutcomesState, predictions: Sequence[Prediction]) -> tuple[OutcomesState, list[Outcome]]:
    """Return the outcomes of what matured with these predictions, which bring the bars' closes with them.

    The bars are the times of the predictions, whichever model's: so the last forecasts of a model that left service
    mature too. Bars come in time order. A prediction no later than the last of its model and version is a redelivery
    and skipped; one that comes when bars past its target have been seen is stale. Outcomes are ordered by the bar at
    which they matured, then by model (in the order in which they were met), horizon and time.
    """
    if not predictions:
        return state, []
    bars = {prediction.time: prediction.price for prediction in predictions if prediction.time > state.last_time}
    clock = np.array(sorted(bars), dtype=np.int64)
    close = np.array([bars[time] for time in clock.tolist()], dtype=np.float64)
    arrived = _arrived(state, predictions)
    waiting: dict[Series, Waiting] = {}
    matured: list[tuple[int, Outcome]] = []
    for series in {**state.waiting, **arrived}:
        parts = [part[series] for part in (state.waiting, arrived) if series in part]
        rest = []
        for column, horizon in enumerate(series.horizons):
            rows = np.concatenate([part.rows[column] for part in parts])
            span = horizon * interval_ms(predictions[0].interval)
            time, price = rows[:, TIME].astype(np.int64), rows[:, PRICE].copy()
            at, realised = mature(time, price, span, clock, close)
            done = int(np.searchsorted(at, len(clock)))
            outcomes = _outcomes(predictions[0], series, horizon, span, rows[:done], realised[:done])
            matured += zip(at[:done].tolist(), outcomes, strict=True)
            rest.append(rows[done:].copy())
        waiting[series] = Waiting(parts[-1].last_time, tuple(rest))
    matured.sort(key=itemgetter(0))  # stable: what was ordered within a bar stays so
    return OutcomesState(max(bars, default=state.last_time), waiting), [outcome for _, outcome in matured]


def _arrived(state: OutcomesState, predictions: Sequence[Prediction]) -> dict[Series, Waiting]:
    """Return the new predictions as rows, by series."""
    last: dict[Series, int] = {}
    heads: dict[Series, list[float]] = {}
    said: dict[Series, list[float]] = {}
    for prediction in predictions:
        forecasts = prediction.forecasts
        series = Series(prediction.model, prediction.version, tuple([forecast.horizon for forecast in forecasts]))
        if series not in last:
            last[series] = state.waiting[series].last_time if series in state.waiting else -1
            heads[series], said[series] = [], []
        if prediction.time <= last[series]:
            continue
        last[series] = prediction.time
        heads[series] += (prediction.time, prediction.price)
        numbers = said[series]
        for forecast in forecasts:
            numbers.append(NAN if forecast.mean is None else forecast.mean)
            numbers += forecast.quantiles or NO_QUANTILES
    arrived = {}
    for series, numbers in said.items():
        head = np.array(heads[series], dtype=np.float64).reshape(-1, 2)
        forecast_rows = np.array(numbers, dtype=np.float64).reshape(len(head), len(series.horizons), WIDTH - MEAN)
        columns = tuple(np.hstack([head, forecast_rows[:, column]]) for column in range(len(series.horizons)))
        arrived[series] = Waiting(last[series], columns)
    return arrived


def _outcomes(
    like: Prediction, series: Series, horizon: int, span: int, rows: Floats, realised: Floats
) -> list[Outcome]:
    """Return the outcomes of forecasts [n, 3 + Q] of one series and horizon; realised [n] is NaN across a gap."""
    outcomes = []
    times = rows[:, TIME].astype(np.int64).tolist()
    scores = score(realised, rows[:, MEAN], rows[:, FIRST:])
    for time, value, scored in zip(times, realised.tolist(), scores, strict=True):
        head = (like.symbol, like.interval, time, series.model, series.version, horizon, time + span)
        if value != value:  # noqa: PLR0124 - NaN: no bar at the target
            outcomes.append(Outcome(*head, "stale"))
        elif scored is None:
            outcomes.append(Outcome(*head, "unscored", value))
        else:
            outcomes.append(Outcome(*head, "scored", value, *scored))
    return outcomes
