"""The fold predictions -> outcomes of one symbol and interval: each forecast meets what came true, once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import NamedTuple

import msgspec
import numpy as np

from features.frame import Floats
from models.labels import mature
from models.scores import or_none, score
from topics.records import QUANTILES, Outcome, Prediction
from topics.units import interval_ms

TIME, PRICE, MEAN, FIRST = 0, 1, 2, 3
WIDTH = FIRST + len(QUANTILES)
NO_QUANTILES = [float("nan")] * len(QUANTILES)
SCORED, STALE, UNSCORED = (np.array(status, dtype=object) for status in ("scored", "stale", "unscored"))


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


@dataclass
class _New:
    """The predictions of one series that are new, and the time of the last of them."""

    last_time: int
    predictions: list[Prediction]


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
    matured: list[Outcome] = []
    moments = [np.empty(0, dtype=np.int64)]  # the bars at which they matured
    for series in {**state.waiting, **arrived}:
        parts = [part[series] for part in (state.waiting, arrived) if series in part]
        rest = []
        for column, horizon in enumerate(series.horizons):
            rows = np.concatenate([part.rows[column] for part in parts])
            span = horizon * interval_ms(predictions[0].interval)
            time, price = rows[:, TIME].astype(np.int64), rows[:, PRICE].copy()
            at, realised = mature(time, price, span, clock, close)
            done = int(np.searchsorted(at, len(clock)))
            matured += _outcomes(predictions[0], series, horizon, span, rows[:done], realised[:done])
            moments.append(at[:done])
            rest.append(rows[done:].copy())
        waiting[series] = Waiting(parts[-1].last_time, tuple(rest))
    order = np.argsort(np.concatenate(moments), kind="stable")  # what was ordered within a bar stays so
    outcomes = [matured[place] for place in order.tolist()]
    return OutcomesState(max(bars, default=state.last_time), waiting), outcomes


def _arrived(state: OutcomesState, predictions: Sequence[Prediction]) -> dict[Series, Waiting]:
    """Return the new predictions as rows, by series."""
    found: dict[Series, _New] = {}
    for prediction in predictions:
        horizons = tuple([forecast.horizon for forecast in prediction.forecasts])
        series = Series(prediction.model, prediction.version, horizons)
        new = found.get(series)
        if new is None:
            kept = state.waiting.get(series)
            new = found[series] = _New(-1 if kept is None else kept.last_time, [])
        if prediction.time > new.last_time:
            new.last_time = prediction.time
            new.predictions.append(prediction)
    return {
        series: Waiting(new.last_time, _rows(new.predictions, len(series.horizons))) for series, new in found.items()
    }


def _rows(predictions: Sequence[Prediction], horizons: int) -> tuple[Floats, ...]:
    """Return the rows [n, 3 + Q] of each horizon of predictions that all have as many."""
    forecasts = [forecast for prediction in predictions for forecast in prediction.forecasts]
    quantiles = chain.from_iterable([forecast.quantiles or NO_QUANTILES for forecast in forecasts])
    count = len(predictions)
    rows = np.empty((count, horizons, WIDTH))
    rows[:, :, TIME] = np.array([prediction.time for prediction in predictions], dtype=np.float64)[:, None]
    rows[:, :, PRICE] = np.array([prediction.price for prediction in predictions], dtype=np.float64)[:, None]
    # None becomes NaN.
    rows[:, :, MEAN] = np.array([forecast.mean for forecast in forecasts], dtype=np.float64).reshape(count, horizons)
    rows[:, :, FIRST:] = np.fromiter(quantiles, np.float64).reshape(count, horizons, len(QUANTILES))
    return tuple(rows.transpose(1, 0, 2))


def _outcomes(
    like: Prediction, series: Series, horizon: int, span: int, rows: Floats, realised: Floats
) -> Iterable[Outcome]:
    """Return the outcomes of forecasts [n, 3 + Q] of one series and horizon; realised [n] is NaN across a gap."""
    times = rows[:, TIME].astype(np.int64)
    known = ~np.isnan(realised)
    said, scores = score(realised, rows[:, MEAN], rows[:, FIRST:])
    return map(
        Outcome,
        repeat(like.symbol),
        repeat(like.interval),
        times.tolist(),
        repeat(series.model),
        repeat(series.version),
        repeat(horizon),
        (times + span).tolist(),
        np.where(known, np.where(said, SCORED, UNSCORED), STALE).tolist(),
        or_none(realised, known),
        *scores,
    )
