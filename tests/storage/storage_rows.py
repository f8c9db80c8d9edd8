"""Writing to a database and reading it back, for the tests of this room."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from msgspec import Struct
from psycopg import sql

from storage.timescale import Writer
from topics.catalog import (
    ALERTS,
    BARS,
    DEAD_LETTERS,
    DRIFT,
    FEATURES,
    GAPS,
    MODEL_EVENTS,
    OUTCOMES,
    PREDICTIONS,
    REGIMES,
    TICKS,
    Topic,
)

Records = Mapping[Topic, Sequence[Struct]]
Row = tuple[Any, ...]
READ = {
    TICKS: "SELECT symbol, time, price, amount, side, trade_id, venue, repaired, identity FROM ticks",
    GAPS: 'SELECT symbol, venue, start, "end", reason, trades, after_id, before_id, reader, topic, "partition", '
    "first_offset, last_offset FROM gaps",
    BARS: "SELECT symbol, interval, time, open, high, low, close, volume, trades, buy_volume, quote_volume, gap, "
    "buy_trades, market_return, market_rank, lead_return, suspect FROM bars",
    FEATURES: "SELECT symbol, interval, time, close, fingerprint, values FROM features",
    REGIMES: "SELECT symbol, interval, time, state, posterior, change_point FROM regimes",
    PREDICTIONS: "SELECT symbol, interval, time, model, version, horizon, fingerprint, regime, price, mean, scale, "
    "q05, q10, q25, q50, q75, q90, q95, p_up, weights, role, dissimilarity, expired FROM predictions",
    OUTCOMES: "SELECT symbol, interval, time, model, version, horizon, target_time, status, realised, absolute_error, "
    "naive_absolute_error, pinball, interval_hit, direction_hit, role FROM outcomes",
    ALERTS: "SELECT alert_id, rule, symbol, time, severity, message, rule_version, model, interval, horizon, value, "
    "suppressed FROM alerts",
    MODEL_EVENTS: "SELECT model, version, event, fingerprint, time, number, role, symbol, interval, reason "
    "FROM model_events",
    DRIFT: 'SELECT model, version, kind, detector, time, statistic, "limit", interval, symbol, horizon, since, detail '
    "FROM drift",
    DEAD_LETTERS: 'SELECT topic, "partition", "offset", reason, value, time, key, "row", size FROM dead_letters',
}
"""The columns in the order of the record's fields."""


def write(url: str, *batches: Records, origins: Sequence[str] = ()) -> None:
    async def run() -> None:
        writer = Writer(url)
        try:
            for batch in batches:
                await writer.write(batch, origins)
        finally:
            await writer.close()

    asyncio.run(run())


def stored(url: str, topic: Topic) -> list[Row]:
    with psycopg.connect(url) as connection:
        return connection.execute(READ[topic].encode()).fetchall()


def physical(url: str) -> list[Row]:
    """Every row with the transaction that wrote it: a row that was written again has another."""
    with psycopg.connect(url) as connection:
        return [
            row
            for table in ("ticks", "bars", "features", "regimes", "prediction_rows", "outcome_rows")
            for row in connection.execute(
                sql.SQL("SELECT xmin::text, t::text FROM {} t ORDER BY 2").format(sql.Identifier(table))
            )
        ]


def empty(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(
            "TRUNCATE ticks, gaps, bars, features, feature_definitions, regimes, prediction_rows, outcome_rows, "
            "score_sums, stale_score_hours, alerts, model_events, drift, dead_letters"
        )
