"""The fold predictions -> outcomes of one symbol and interval: each forecast is scored once, when it has matured."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import NamedTuple

import msgspec
import numpy as np
from msgspec.structs import replace

from features.frame import Floats
from models.labels import mature
from models.scoring.scores import or_none, score
from models.skill import NAIVE
from topics.records import QUANTILES, Outcome, Prediction, Role
from topics.units import interval_ms

TIME, PRICE, MEAN, FIRST = 0, 1, 2, 3
ROLE = FIRST + len(QUANTILES)
WIDTH = ROLE + 1
ROLES: tuple[Role, ...] = ("champion", "challenger", "standby")
"""The roles by their number in the column `ROLE`."""
NO_QUANTILES = [float("nan")] * len(QUANTILES)
SCORED, STALE, UNSCORED = (np.array(status, dtype=object) for status in ("scored", "stale", "unscored"))


MOST_WAITING, MOST_OF_ALL, MOST_SERIES = 10_000, 36_000, 256
"""The most pending forecasts of a series and of a symbol, and the most series: a state of 96 bytes a forecast must fit
into one Kafka record of `topics.catalog.MAX_MESSAGE_BYTES`. Our own of four horizons are 81 a version."""


class ForecastSeries(NamedTuple):
    """Whose forecasts are kept together."""

    model: str
    version: str
    horizons: tuple[int, ...]


@dataclass(frozen=True)
class PendingForecasts:
    """The forecasts of one series whose labels have not matured.

    `last_time` is the series' newest prediction; `rows` holds, per horizon, [n, 4 + Q]: time, price, mean, quantiles,
    and the role in which it was made.
    """

    last_time: int
    rows: tuple[Floats, ...]


@dataclass(frozen=True)
class OutcomesState:
    """The newest bar seen, -1 before the first, and the pending forecasts of each series."""

    last_time: int = -1
    waiting: dict[ForecastSeries, PendingForecasts] = field(default_factory=dict)

    def dumps(self) -> bytes:
        """Return the state as bytes (MessagePack), exactly."""
        waiting = [(*key, item.last_time, [r.tobytes() for r in item.rows]) for key, item in self.waiting.items()]
        return msgspec.msgpack.encode((self.last_time, waiting, WIDTH))

    @classmethod
    def loads(cls, value: bytes) -> "OutcomesState":
        """Read the output of `dumps`; pending forecasts without a role were the champion's."""
        last_time, series, *width = msgspec.msgpack.decode(value)
        waiting = {}
        for model, version, horizons, newest, buffers in series:
            rows = tuple(_read(buffer, *width) for buffer in buffers)
            waiting[ForecastSeries(model, version, tuple(horizons))] = PendingForecasts(newest, rows)
        return cls(last_time, waiting)


def _read(buffer: bytes, width: int = ROLE) -> Floats:
    rows = np.frombuffer(buffer, dtype=np.float64).reshape(-1, width)
    return rows if width == WIDTH else np.column_stack([rows, np.full(len(rows), ROLES.index("champion"))])


@dataclass
class _NewPredictions:
    """The predictions of one series that are new, by time, the last of these, and the roles of those seen before."""

    last_time: int
    predictions: dict[int, Prediction] = field(default_factory=dict)
    roles: dict[int, Role] = field(default_factory=dict)


def initial() -> OutcomesState:
    """Return the state before the first prediction."""
    return OutcomesState()


def step(state: OutcomesState, predictions: Sequence[Prediction]) -> tuple[OutcomesState, list[Outcome]]:
    """Return the result of `step_within`, without the refused predictions."""
    return step_within(state, predictions)[:2]


def step_within(
    state: OutcomesState, predictions: Sequence[Prediction]
) -> tuple[OutcomesState, list[Outcome], list[Prediction]]:
    """Return the new state, the outcomes, and the predictions that are refused.

    The outcomes of what matured with these predictions, which bring the bars' closes with them.

    The bars are the times of the predictions, whichever model's: so the last forecasts of a model that left service
    mature too. Bars come in time order. A prediction no later than the last of its model and version is a redelivery
    and skipped, but for its role: after a crash in the middle of a switch it may be another. One that comes when bars
    past its target have been seen is stale. Outcomes are ordered by the bar at which they matured, then by model (in
    the order in which they were met), horizon and time. A prediction is refused whose forecasts would be more than may
    wait: `MOST_WAITING` of a series, `MOST_OF_ALL` together, of `MOST_SERIES` series.
    """
    if not predictions:
        return state, [], []
    bars = {prediction.time: prediction.price for prediction in predictions if prediction.time > state.last_time}
    clock = np.array(sorted(bars), dtype=np.int64)
    close = np.array([bars[time] for time in clock.tolist()], dtype=np.float64)
    known, arrived = _arrived(state, predictions)
    waiting: dict[ForecastSeries, PendingForecasts] = {}
    matured: list[_Matured] = []
    moments = [np.empty(0, dtype=np.int64)]  # the bars at which they matured
    for series in {**known, **arrived}:
        parts = [part[series] for part in (known, arrived) if series in part]
        rest = []
        for column, horizon in enumerate(series.horizons):
            rows = np.concatenate([part.rows[column] for part in parts])
            span = horizon * interval_ms(predictions[0].interval)
            time, price = rows[:, TIME].astype(np.int64), rows[:, PRICE].copy()
            at, realised = mature(time, price, span, clock, close)
            done = int(np.searchsorted(at, len(clock)))
            matured.append(_Matured(series, horizon, span, rows[:done], realised[:done]))
            moments.append(at[:done])
            rest.append(rows[done:].copy())
        waiting[series] = PendingForecasts(parts[-1].last_time, tuple(rest))
    order = np.argsort(np.concatenate(moments), kind="stable")  # what was ordered within a bar stays so
    naive = _naive_losses(matured)
    made = [outcome for part in matured for outcome in _outcomes(predictions[0], part, naive.get(part.horizon, {}))]
    outcomes = [made[place] for place in order.tolist()]
    waiting, last = _fitting(waiting, state.waiting)
    refused = [one for one in predictions if one.time > last.get(_series(one), one.time)]
    return OutcomesState(max(bars, default=state.last_time), waiting), outcomes, refused


def _series(prediction: Prediction) -> ForecastSeries:
    horizons = tuple([forecast.horizon for forecast in prediction.forecasts])
    return ForecastSeries(prediction.model, prediction.version, horizons)


def _fitting(
    waiting: dict[ForecastSeries, PendingForecasts], before: Mapping[ForecastSeries, PendingForecasts]
) -> tuple[dict[ForecastSeries, PendingForecasts], dict[ForecastSeries, int]]:
    """Return the pending rows within the limits, and for each series that exceeds them the last time kept.

    Older pending rows have priority over new ones; of new ones, the earlier. Series without pending rows are dropped
    first if there are too many: repeated predictions of them would be scored again, with the same rows.
    """
    lengths = {series: sum(map(len, one.rows)) for series, one in waiting.items()}
    if len(waiting) > MOST_SERIES:
        first = sorted(waiting, key=lambda one: (lengths[one] == 0, one not in before, -waiting[one].last_time))
        kept = set(first[:MOST_SERIES])
        over = {series: -1 for series in waiting if series not in kept and lengths[series]}
        waiting = {series: one for series, one in waiting.items() if series in kept}
    else:
        over = {}
    room = MOST_OF_ALL
    for series in sorted(waiting, key=lambda one: (one not in before, lengths[one])):
        most = min(MOST_WAITING, room)
        if lengths[series] > most:
            times = np.sort(np.concatenate([rows[:, TIME] for rows in waiting[series].rows]))
            cut = times[most]  # all rows of one prediction stay, or none
            rows = tuple(part[part[:, TIME] < cut] for part in waiting[series].rows)
            waiting[series], over[series] = PendingForecasts(waiting[series].last_time, rows), int(cut) - 1
        room -= sum(map(len, waiting[series].rows))
    return waiting, over


def _arrived(
    state: OutcomesState, predictions: Sequence[Prediction]
) -> tuple[dict[ForecastSeries, PendingForecasts], dict[ForecastSeries, PendingForecasts]]:
    """Return the pending rows, each in its latest role, and the new predictions as rows."""
    values: dict[ForecastSeries, _NewPredictions] = {}
    for prediction in predictions:
        series = _series(prediction)
        new = values.get(series)
        if new is None:
            kept = state.waiting.get(series)
            new = values[series] = _NewPredictions(-1 if kept is None else kept.last_time)
        if prediction.time > new.last_time:
            new.last_time = prediction.time
            new.predictions[prediction.time] = prediction
        elif prediction.time in new.predictions:
            new.predictions[prediction.time] = replace(new.predictions[prediction.time], role=prediction.role)
        else:
            new.roles[prediction.time] = prediction.role
    again = {
        series: _cast(state.waiting[series], new)
        for series, new in values.items()
        if new.roles and series in state.waiting
    }
    arrived = {
        series: PendingForecasts(new.last_time, _rows(list(new.predictions.values()), len(series.horizons)))
        for series, new in values.items()
    }
    return {**state.waiting, **again}, arrived


def _cast(waiting: PendingForecasts, new: _NewPredictions) -> PendingForecasts:
    """Return the pending rows, repeated ones with their present role."""
    parts = []
    for rows in waiting.rows:
        roles = [new.roles.get(int(time)) for time in rows[:, TIME]]
        column = [
            before if role is None else ROLES.index(role) for role, before in zip(roles, rows[:, ROLE], strict=True)
        ]
        parts.append(np.column_stack([rows[:, :ROLE], column]))
    return PendingForecasts(waiting.last_time, tuple(parts))


def _rows(predictions: Sequence[Prediction], horizons: int) -> tuple[Floats, ...]:
    """Return the rows [n, 4 + Q] of each horizon of predictions that all have as many."""
    forecasts = [forecast for prediction in predictions for forecast in prediction.forecasts]
    quantiles = chain.from_iterable([forecast.quantiles or NO_QUANTILES for forecast in forecasts])
    count = len(predictions)
    rows = np.empty((count, horizons, WIDTH))
    rows[:, :, TIME] = np.array([prediction.time for prediction in predictions], dtype=np.float64)[:, None]
    rows[:, :, PRICE] = np.array([prediction.price for prediction in predictions], dtype=np.float64)[:, None]
    # None becomes NaN.
    rows[:, :, MEAN] = np.array([forecast.mean for forecast in forecasts], dtype=np.float64).reshape(count, horizons)
    rows[:, :, FIRST:ROLE] = np.fromiter(quantiles, np.float64).reshape(count, horizons, len(QUANTILES))
    rows[:, :, ROLE] = np.array([ROLES.index(prediction.role) for prediction in predictions])[:, None]
    return tuple(rows.transpose(1, 0, 2))


class _Matured(NamedTuple):
    """Forecasts [n, 4 + Q] of one series and horizon, and their realised returns [n], NaN across a gap."""

    series: ForecastSeries
    horizon: int
    span: int
    rows: Floats
    realised: Floats


def _naive_losses(matured: Iterable[_Matured]) -> dict[int, dict[int, float | None]]:
    """Return the pinball losses of the naive model's champion by horizon and time.

    All forecasts of a bar and horizon mature together, so the losses that the others are set beside are all here.
    """
    values: dict[int, dict[int, float | None]] = {}
    for series, horizon, _, rows, realised in matured:
        if series.model == NAIVE:
            ours = rows[:, ROLE] == ROLES.index("champion")
            _, scores = score(realised[ours], rows[ours, MEAN], rows[ours, FIRST:ROLE])
            times = rows[ours, TIME].astype(np.int64).tolist()
            values.setdefault(horizon, {}).update(zip(times, scores.pinball, strict=True))
    return values


def _outcomes(like: Prediction, matured: _Matured, naive: Mapping[int, float | None]) -> Iterable[Outcome]:
    """Return the outcomes of forecasts; `naive` are the naive model's losses at their horizon, by the time."""
    series, horizon, span, rows, realised = matured
    times = rows[:, TIME].astype(np.int64)
    known = ~np.isnan(realised)
    output, scores = score(realised, rows[:, MEAN], rows[:, FIRST:ROLE])
    at = times.tolist()
    return map(
        Outcome,
        repeat(like.symbol),
        repeat(like.interval),
        at,
        repeat(series.model),
        repeat(series.version),
        repeat(horizon),
        (times + span).tolist(),
        np.where(known, np.where(output, SCORED, UNSCORED), STALE).tolist(),
        or_none(realised, known),
        *scores,
        [ROLES[role] for role in rows[:, ROLE].astype(np.int64).tolist()],
        map(naive.get, at) if naive else repeat(None),
    )
