"""The fold predictions -> outcomes of one symbol and interval: each forecast meets what came true, once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import NamedTuple

import msgspec
import numpy as np
from msgspec.structs import replace

from features.frame import Floats
from models.labels import mature
from models.scores import or_none, score
from topics.records import QUANTILES, Outcome, Prediction, Role
from topics.units import interval_ms

TIME, PRICE, MEAN, FIRST = 0, 1, 2, 3
ROLE = FIRST + len(QUANTILES)
WIDTH = ROLE + 1
ROLES: tuple[Role, ...] = ("champion", "challenger", "shadow")
"""What the number in the column `ROLE` stands for."""
NO_QUANTILES = [float("nan")] * len(QUANTILES)
SCORED, STALE, UNSCORED = (np.array(status, dtype=object) for status in ("scored", "stale", "unscored"))


MOST_WAITING, MOST_OF_ALL, MOST_SERIES = 10_000, 36_000, 256
"""Forecasts that wait, of a series and of all of a symbol, and the series: a state of 96 bytes a forecast must fit into
one Kafka record of `topics.catalog.MAX_MESSAGE_BYTES`. Our own of four horizons are 81 a version."""


class Series(NamedTuple):
    """Whose forecasts are kept together."""

    model: str
    version: str
    horizons: tuple[int, ...]


@dataclass(frozen=True)
class Waiting:
    """The forecasts of one series whose labels have not matured.

    `last_time` is the series' newest prediction; `rows` holds, per horizon, [n, 4 + Q]: time, price, mean, quantiles,
    and the role in which it was made.
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
        return msgspec.msgpack.encode((self.last_time, waiting, WIDTH))

    @classmethod
    def loads(cls, value: bytes) -> "OutcomesState":
        """Return what `dumps` wrote; what waits since before there were roles was the champion's."""
        last_time, series, *width = msgspec.msgpack.decode(value)
        waiting = {}
        for model, version, horizons, newest, buffers in series:
            rows = tuple(_read(buffer, *width) for buffer in buffers)
            waiting[Series(model, version, tuple(horizons))] = Waiting(newest, rows)
        return cls(last_time, waiting)


def _read(buffer: bytes, width: int = ROLE) -> Floats:
    rows = np.frombuffer(buffer, dtype=np.float64).reshape(-1, width)
    return rows if width == WIDTH else np.column_stack([rows, np.full(len(rows), ROLES.index("champion"))])


@dataclass
class _New:
    """The predictions of one series that are new, by time, the last of these, and the roles of those seen before."""

    last_time: int
    predictions: dict[int, Prediction] = field(default_factory=dict)
    roles: dict[int, Role] = field(default_factory=dict)


def initial() -> OutcomesState:
    """Return the state before the first prediction."""
    return OutcomesState()


def step(state: OutcomesState, predictions: Sequence[Prediction]) -> tuple[OutcomesState, list[Outcome]]:
    """Return what `step_within` does, without what was refused."""
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
    waiting: dict[Series, Waiting] = {}
    matured: list[Outcome] = []
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
            matured += _outcomes(predictions[0], series, horizon, span, rows[:done], realised[:done])
            moments.append(at[:done])
            rest.append(rows[done:].copy())
        waiting[series] = Waiting(parts[-1].last_time, tuple(rest))
    order = np.argsort(np.concatenate(moments), kind="stable")  # what was ordered within a bar stays so
    outcomes = [matured[place] for place in order.tolist()]
    waiting, last = _fitting(waiting, state.waiting)
    refused = [one for one in predictions if one.time > last.get(_series(one), one.time)]
    return OutcomesState(max(bars, default=state.last_time), waiting), outcomes, refused


def _series(prediction: Prediction) -> Series:
    horizons = tuple([forecast.horizon for forecast in prediction.forecasts])
    return Series(prediction.model, prediction.version, horizons)


def _fitting(
    waiting: dict[Series, Waiting], before: Mapping[Series, Waiting]
) -> tuple[dict[Series, Waiting], dict[Series, int]]:
    """Return what may wait, and of each series that must give something up the last time that stays.

    What waited before stays before what is new; of what is new, the earlier. A series of which nothing waits is the
    first to be forgotten where there are too many: what of it comes again would be scored again, to the same rows.
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
            waiting[series], over[series] = Waiting(waiting[series].last_time, rows), int(cut) - 1
        room -= sum(map(len, waiting[series].rows))
    return waiting, over


def _arrived(
    state: OutcomesState, predictions: Sequence[Prediction]
) -> tuple[dict[Series, Waiting], dict[Series, Waiting]]:
    """Return what waits already, each row in the role in which it came last, and the new predictions as rows."""
    found: dict[Series, _New] = {}
    for prediction in predictions:
        series = _series(prediction)
        new = found.get(series)
        if new is None:
            kept = state.waiting.get(series)
            new = found[series] = _New(-1 if kept is None else kept.last_time)
        if prediction.time > new.last_time:
            new.last_time = prediction.time
            new.predictions[prediction.time] = prediction
        elif prediction.time in new.predictions:
            new.predictions[prediction.time] = replace(new.predictions[prediction.time], role=prediction.role)
        else:
            new.roles[prediction.time] = prediction.role
    again = {
        series: _cast(state.waiting[series], new)
        for series, new in found.items()
        if new.roles and series in state.waiting
    }
    arrived = {
        series: Waiting(new.last_time, _rows(list(new.predictions.values()), len(series.horizons)))
        for series, new in found.items()
    }
    return {**state.waiting, **again}, arrived


def _cast(waiting: Waiting, new: _New) -> Waiting:
    """Return the rows that wait, those that came again in the role of now."""
    parts = []
    for rows in waiting.rows:
        roles = [new.roles.get(int(time)) for time in rows[:, TIME]]
        column = [
            before if role is None else ROLES.index(role) for role, before in zip(roles, rows[:, ROLE], strict=True)
        ]
        parts.append(np.column_stack([rows[:, :ROLE], column]))
    return Waiting(waiting.last_time, tuple(parts))


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


def _outcomes(
    like: Prediction, series: Series, horizon: int, span: int, rows: Floats, realised: Floats
) -> Iterable[Outcome]:
    """Return the outcomes of forecasts [n, 4 + Q] of one series and horizon; realised [n] is NaN across a gap."""
    times = rows[:, TIME].astype(np.int64)
    known = ~np.isnan(realised)
    said, scores = score(realised, rows[:, MEAN], rows[:, FIRST:ROLE])
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
        [ROLES[role] for role in rows[:, ROLE].astype(np.int64).tolist()],
    )
