"""The fold predictions -> outcomes of one symbol: each forecast meets what came true, once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
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
class Market:
    """The newest bar seen at one interval, and what each series still waits for."""

    last_time: int = -1
    waiting: dict[Series, Waiting] = field(default_factory=dict)


@dataclass(frozen=True)
class OutcomesState:
    """What the fold of one symbol knows, by interval."""

    markets: dict[str, Market] = field(default_factory=dict)

    @property
    def last_time(self) -> int:
        """Return the time of the newest bar seen, -1 before the first."""
        return max((market.last_time for market in self.markets.values()), default=-1)

    def dumps(self) -> bytes:
        """Return the state as bytes (MessagePack), exactly."""
        return msgspec.msgpack.encode(
            [
                (
                    interval,
                    market.last_time,
                    [(*series, item.last_time, [r.tobytes() for r in item.rows]) for series, item in market.waiting.items()],
                )
                for interval, market in self.markets.items()
            ]
        )

    @classmethod
    def loads(cls, value: bytes) -> "OutcomesState":
        """Return what `dumps` wrote."""
        markets = {}
        for interval, last_time, series in msgspec.msgpack.decode(value):
            waiting = {
                Series(model, version, tuple(horizons)): Waiting(
                    newest, tuple(np.frombuffer(rows, dtype=np.float64).reshape(-1, WIDTH) for rows in buffers)
                )
                for model, version, horizons, newest, buffers in series
            }
            markets[interval] = Market(last_time, waiting)
        return cls(markets)


def initial() -> OutcomesState:
    """Return the state before the first prediction."""
    return OutcomesState()


def step(state: OutcomesState, predictions: Sequence[Prediction]) -> tuple[OutcomesState, list[Outcome]]:
    """Return the outcomes of what matured with these predictions, which bring the bars' closes with them.

    The bars of a symbol are the times of its predictions, whichever model's, in time order. A prediction no later than the
    last of its model and version is a redelivery and skipped; one that arrives after bars past its target is stale.
    Outcomes are ordered by the bar at which they matured, then by model, horizon and time.
    """
    markets, outcomes = dict(state.markets), []
    for interval, part in groupby(sorted(predictions, key=_interval), key=_interval):
        markets[interval], matured = _step_market(markets.get(interval, Market()), interval, list(part))
        outcomes += matured
    return OutcomesState(markets), outcomes


def _interval(prediction: Prediction) -> str:
    return prediction.interval


def _step_market(market: Market, interval: str, predictions: list[Prediction]) -> tuple[Market, list[Outcome]]:
    bars = {prediction.time: prediction.price for prediction in predictions if prediction.time > market.last_time}
    clock = np.array(list(bars), dtype=np.int64)
    close = np.array(list(bars.values()), dtype=np.float64)
    arrived = _arrived(market, predictions)
    waiting, matured = {}, []
    for series in {**market.waiting, **arrived}:
        old, new = market.waiting.get(series), arrived.get(series)
        rest = []
        for column, horizon in enumerate(series.horizons):
            parts = [part.rows[column] for part in (old, new) if part is not None]
            rows = parts[0] if len(parts) == 1 else np.concatenate(parts)
            time = rows[:, TIME].astype(np.int64)
            span = horizon * interval_ms(interval)
            at, realised = mature(time, np.ascontiguousarray(rows[:, PRICE]), span, clock, close)
            done = int(np.searchsorted(at, len(clock)))
            names = (predictions[0].symbol, interval, series.model, series.version, horizon)
            matured += zip(at[:done].tolist(), _outcomes(names, span, rows[:done], realised[:done]), strict=True)
            rest.append(rows[done:].copy())
        last = max(part.last_time for part in (old, new) if part is not None)
        waiting[series] = Waiting(last, tuple(rest))
    matured.sort(key=itemgetter(0))  # stable: by model, horizon and time within a bar
    newest = int(clock[-1]) if len(clock) else market.last_time
    return Market(newest, waiting), [outcome for _, outcome in matured]


def _arrived(market: Market, predictions: list[Prediction]) -> dict[Series, Waiting]:
    """Return the new predictions as rows, by series."""
    last: dict[Series, int] = {}
    lists: dict[Series, list[list[list[float]]]] = {}
    for prediction in predictions:
        forecasts = prediction.forecasts
        series = Series(prediction.model, prediction.version, tuple([forecast.horizon for forecast in forecasts]))
        if series not in last:
            known = market.waiting.get(series)
            last[series] = -1 if known is None else known.last_time
        if prediction.time <= last[series]:
            continue
        last[series] = prediction.time
        head = [float(prediction.time), prediction.price]
        columns = lists.setdefault(series, [[] for _ in forecasts])
        for column, forecast in zip(columns, forecasts, strict=True):
            mean = NAN if forecast.mean is None else forecast.mean
            column.append([*head, mean, *(forecast.quantiles or NO_QUANTILES)])
    return {series: Waiting(last[series], tuple(np.array(rows) for rows in columns)) for series, columns in lists.items()}


def _outcomes(names: tuple[str, str, str, str, int], span: int, rows: Floats, realised: Floats) -> list[Outcome]:
    symbol, interval, model, version, horizon = names
    outcomes = []
    times = rows[:, TIME].astype(np.int64).tolist()
    for time, value, scores in zip(times, realised.tolist(), score(realised, rows[:, MEAN], rows[:, FIRST:]), strict=True):
        outcomes.append(
            Outcome(symbol, interval, time, model, version, horizon, time + span, "stale")
            if value != value  # noqa: PLR0124 - NaN: no bar at the target
            else Outcome(symbol, interval, time, model, version, horizon, time + span, "unscored", value)
            if scores is None
            else Outcome(symbol, interval, time, model, version, horizon, time + span, "scored", value, *scores)
        )
    return outcomes
