"""The stored records of a kind, in the order of their time, for backtests of rules."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, LiteralString, NamedTuple

from msgspec import Struct
from msgspec.structs import replace
from psycopg import Connection

from alerts.rules.fold import State, step
from alerts.rules.observation import observations
from alerts.rules.rule import Rule
from models.skill import NAIVE
from storage.row_records import record_of
from topics.records import Alert, Drift, Forecast, Gap, ModelEvent, Outcome, Prediction, Regime

MS: LiteralString = "(extract(epoch FROM {}) * 1000)::int8"
BATCH = 5_000


def _prediction(row: Any) -> Prediction:
    symbol, interval, time, model, version, price, regime, expired, far, horizon, mean, scale, p_up, quantiles = row
    known = None if any(one is None for one in quantiles) else list(quantiles)
    forecast = Forecast(horizon=horizon, mean=mean, scale=scale, quantiles=known, p_up=p_up)
    return Prediction(
        symbol=symbol,
        interval=interval,
        time=time,
        model=model,
        version=version,
        fingerprint="",
        price=price,
        forecasts=[forecast],
        regime=regime,
        dissimilarity=far,
        expired=expired,
    )


def _beside_naive(rows: Iterator[Any]) -> Iterator[Struct]:
    """Yield the outcomes of rows in the order of time, with the naive model's losses, which are no column of theirs.

    Of several versions of the naive model the newest that was scored counts, as in the view `scores`.
    """
    for _, bar in groupby((record_of(Outcome, row) for row in rows), key=lambda outcome: outcome.time):
        outcomes = list(bar)
        naive = {
            (one.symbol, one.interval, one.horizon): one.pinball
            for one in outcomes
            if one.model == NAIVE and one.status == "scored"
        }
        for one in outcomes:
            loss = None if one.pinball is None else naive.get((one.symbol, one.interval, one.horizon))
            yield replace(one, naive_pinball=loss)


def _each(record: Callable[[Any], Struct]) -> Callable[[Iterator[Any]], Iterator[Struct]]:
    return lambda rows: map(record, rows)


class Stored(NamedTuple):
    """A kind's table, the time by which days are counted, and the conversion of its rows to records."""

    table: LiteralString
    columns: LiteralString
    where: LiteralString
    records: Callable[[Iterator[Any]], Iterator[Struct]]
    time: LiteralString = "time"
    rows: LiteralString = ""
    """What the rows are read from, where that is not the table; `then` is by what those of one time are ordered."""
    then: LiteralString = ""


_TIME, _END = MS.format("time"), MS.format('"end"')
STORED: dict[str, Stored] = {
    "prediction": Stored(
        "predictions",
        f"symbol, interval, {_TIME}, model, version, price, regime, expired, dissimilarity, horizon, mean, "
        "scale, p_up, ARRAY[q05, q10, q25, q50, q75, q90, q95]",
        "role = 'champion'",
        _each(_prediction),
    ),
    "outcome": Stored(
        "outcomes",
        f"symbol, interval, {_TIME}, model, version, horizon, {MS.format('target_time')}, "
        "CASE status WHEN 's' THEN 'scored' WHEN 't' THEN 'stale' ELSE 'unscored' END, realised, "
        "absolute_error, naive_absolute_error, pinball, interval_hit, direction_hit",
        "role = 'c'",
        _beside_naive,
        rows="outcome_rows JOIN series USING (series_id)",
        then=", series_id",
    ),
    "regime": Stored(
        "regimes",
        f"symbol, interval, {_TIME}, state, posterior, change_point",
        "true",
        _each(lambda row: record_of(Regime, row)),
    ),
    "drift": Stored(
        "drift",
        f"model, version, kind, detector, {_TIME}, coalesce(statistic, 'NaN'), coalesce(\"limit\", 'NaN'), interval, "
        f"symbol, horizon, {MS.format('since')}, detail",
        "true",
        _each(lambda row: record_of(Drift, row)),
    ),
    "gap": Stored(
        "gaps",
        f"symbol, venue, {MS.format('start')}, {_END}, reason, trades, after_id, before_id",
        "true",
        _each(lambda row: record_of(Gap, row)),
        '"end"',
    ),
    "model-event": Stored(
        "model_events",
        f"model, version, event, fingerprint, {_TIME}, number, role, symbol, interval, reason",
        "true",
        _each(lambda row: record_of(ModelEvent, row)),
    ),
}


class RuleBacktest(NamedTuple):
    """A rule's alerts on the stored records of the last days: their number, and the last ones."""

    records: int
    alerts: int
    suppressed: int
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
        f"SELECT {stored.columns} FROM {stored.rows or stored.table} "  # noqa: S608 - constants
        f"WHERE {stored.time} >= %s AND {stored.where} ORDER BY {stored.time}{stored.then}"
    )
    with connection.transaction(), connection.cursor(f"history_{stored.table}") as cursor:
        cursor.itersize = BATCH
        cursor.execute(query, (since,))
        yield from stored.records(cursor)


def backtest(connection: Connection, rule: Rule, days: float, shown: int = 5) -> RuleBacktest:
    """Return the alerts that a rule would have made on the last stored days, from a new state.

    Raises ValueError if records of its kind are not stored.
    """
    if rule.on not in STORED:
        raise ValueError(f"a rule on {rule.on} cannot be backtested: the components' states are not stored")
    end = newest(connection, rule.on)
    states: dict[str, State] = {}
    counted: dict[str, int] = {}
    last: list[Alert] = []
    records = suppressed = 0
    for record in read(connection, rule.on, end - timedelta(days=days)) if end else ():
        records += 1
        for seen in observations(rule, record):
            states[seen.subject], alert = step(rule, states.get(seen.subject, State()), seen)
            if alert is not None:
                counted[alert.symbol] = counted.get(alert.symbol, 0) + 1
                suppressed += alert.suppressed
                last = [*last[-shown + 1 :], alert]
    suppressed += sum(state.suppressed for state in states.values())
    return RuleBacktest(records, sum(counted.values()), suppressed, counted, last)
