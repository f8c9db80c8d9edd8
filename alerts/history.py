"""The stored records of a kind, in the order of their time: what a rule would have said."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, LiteralString, NamedTuple

from msgspec import Struct
from psycopg import Connection

from alerts.fold import State, step
from alerts.observation import observations
from alerts.rule import Rule
from topics.records import Alert, Drift, Forecast, Gap, ModelEvent, Outcome, Prediction, Regime

MS: LiteralString = "(extract(epoch FROM {}) * 1000)::int8"
BATCH = 5_000


def _prediction(row: Any) -> Prediction:
    symbol, interval, time, model, version, price, regime, expired, far, horizon, mean, scale, p_up, quantiles = row
    known = None if any(one is None for one in quantiles) else list(quantiles)
    forecast = Forecast(horizon, mean, scale, known, p_up)
    return Prediction(
        symbol, interval, time, model, version, "", price, [forecast], regime, dissimilarity=far, expired=expired
    )


class Stored(NamedTuple):
    """Where a kind is stored, which time the days are counted by, and how a row becomes a record."""

    table: LiteralString
    columns: LiteralString
    where: LiteralString
    record: Callable[[Any], Struct]
    time: LiteralString = "time"


_TIME, _END = MS.format("time"), MS.format('"end"')
STORED: dict[str, Stored] = {
    "prediction": Stored(
        "predictions",
        f"symbol, interval, {_TIME}, model, version, price, regime, expired, dissimilarity, horizon, mean, "
        "scale, p_up, ARRAY[q05, q10, q25, q50, q75, q90, q95]",
        "role = 'champion'",
        _prediction,
    ),
    "outcome": Stored(
        "outcomes",
        f"symbol, interval, {_TIME}, model, version, horizon, {MS.format('target_time')}, status, realised, "
        "absolute_error, naive_absolute_error, pinball, interval_hit, direction_hit",
        "role = 'champion'",
        lambda row: Outcome(*row),
    ),
    "regime": Stored(
        "regimes", f"symbol, interval, {_TIME}, state, posterior, change_point", "true", lambda row: Regime(*row)
    ),
    "drift": Stored(
        "drift",
        f"model, version, kind, detector, {_TIME}, coalesce(statistic, 'NaN'), coalesce(\"limit\", 'NaN'), interval, "
        f"symbol, horizon, {MS.format('since')}, detail",
        "true",
        lambda row: Drift(*row),
    ),
    "gap": Stored(
        "gaps",
        f"symbol, venue, {MS.format('start')}, {_END}, reason, trades, after_id, before_id",
        "true",
        lambda row: Gap(*row),
        '"end"',
    ),
    "model-event": Stored(
        "model_events",
        f"model, version, event, fingerprint, {_TIME}, number, role, symbol, interval, reason",
        "true",
        lambda row: ModelEvent(*row),
    ),
}


class Rehearsal(NamedTuple):
    """What a rule would have said of the stored records of the last days: how often, and the last times."""

    records: int
    alerts: int
    held: int
    symbols: dict[str, int]
    last: list[Alert]


def newest(connection: Connection, kind: str) -> datetime | None:
    """Return the time of the newest stored record of a kind."""
    row = connection.execute(f"SELECT max({STORED[kind].time}) FROM {STORED[kind].table}").fetchone()  # noqa: S608 - a constant
    return row[0] if row else None


def read(connection: Connection, kind: str, since: datetime) -> Iterator[Struct]:
    """Yield the stored records of a kind since a time, in order."""
    stored = STORED[kind]
    query: LiteralString = (
        f"SELECT {stored.columns} FROM {stored.table} "  # noqa: S608 - constants
        f"WHERE {stored.time} >= %s AND {stored.where} ORDER BY {stored.time}"
    )
    with connection.transaction(), connection.cursor(f"history_{stored.table}") as cursor:
        cursor.itersize = BATCH
        cursor.execute(query, (since,))
        yield from map(stored.record, cursor)


def rehearse(connection: Connection, rule: Rule, days: float, shown: int = 5) -> Rehearsal:
    """Return what a rule would have said of the last days that are stored, from a fresh state.

    Raises ValueError where records of its kind are not stored.
    """
    if rule.on not in STORED:
        raise ValueError(f"a rule on {rule.on} cannot be tried on the past: how the components were is not stored")
    end = newest(connection, rule.on)
    states: dict[str, State] = {}
    counted: dict[str, int] = {}
    last: list[Alert] = []
    records = held = 0
    for record in read(connection, rule.on, end - timedelta(days=days)) if end else ():
        records += 1
        for seen in observations(rule, record):
            states[seen.subject], alert = step(rule, states.get(seen.subject, State()), seen)
            if alert is not None:
                counted[alert.symbol] = counted.get(alert.symbol, 0) + 1
                held += alert.held
                last = [*last[-shown + 1 :], alert]
    held += sum(state.held for state in states.values())
    return Rehearsal(records, sum(counted.values()), held, counted, last)
