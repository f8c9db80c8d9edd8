"""What happened beside the market of the tests: a promotion, a rollback, a run, drift, a gap, alerts; and features."""

from collections.abc import Sequence
from typing import Any

import psycopg
from dashboard_market import FIRST, MINUTE, Market
from storing import store

from topics.catalog import ALERTS, DRIFT, FEATURES, GAPS, MODEL_EVENTS
from topics.records import Alert, Drift, Features, Gap, ModelEvent

DEPLOYMENT = """
INSERT INTO model_deployments (model, number, action, champion, challengers, fingerprint, time, decided_by, why)
VALUES ('gbm', %s, %s, %s, '{}', 'print', to_timestamp(%s), %s, %s)
"""
RUN = """
INSERT INTO pipeline_runs (run_id, why, requested_by, bar_time, state, options)
VALUES ('r7', 'drift of errors', 'watch', to_timestamp(%s), 'done', '{}')
"""
NAMES = ("rsi_14", "log_return_1")
NOW = FIRST + 1_000_000 * MINUTE
"""When the decisions were made: long after the market, as where one replays."""


def at(minute: int) -> int:
    """Return the time of a minute [ms]."""
    return FIRST + minute * MINUTE


def happen(market: Market, newest: int) -> None:
    """Store events of each kind in the last hours before the minute `newest`."""
    with psycopg.connect(market.url, autocommit=True) as connection:
        for number, action, version, by, why in (
            (1, "promote", "v2", "sequential test", "e-value 21.3 > 20"),
            (2, "rollback", "v1", "user", "worse in the <b>evening</b>"),
            (3, "promote", "v3", "user", "not yet in service"),
        ):
            connection.execute(DEPLOYMENT, (number, action, version, NOW / 1000, by, why))
        connection.execute(RUN, (at(newest - 120) / 1000,))
    serving: dict[str, Any] = {"model": "gbm", "event": "serving", "fingerprint": "print", "interval": "1m"}
    drift: dict[str, Any] = {"model": "gbm", "version": "v1", "interval": "1m", "statistic": 9.0, "limit": 5.0}
    store(
        market.url,
        {
            MODEL_EVENTS: [
                ModelEvent(**serving, version="v2", number=1, time=at(newest - 100), symbol="BTCUSDT"),
                ModelEvent(**serving, version="v1", number=2, time=at(newest - 40), symbol="BTCUSDT"),
                ModelEvent(**serving, version="v1", number=2, time=at(newest - 90), symbol="ETHUSDT"),
            ],
            DRIFT: [
                Drift(
                    **drift,
                    kind="errors",
                    detector="CUSUM",
                    time=at(newest - 70),
                    since=at(newest - 95),
                    symbol="BTCUSDT",
                    detail="errors 1.4 times those of the training",
                )
            ],
            GAPS: [
                Gap(symbol="BTCUSDT", venue="binance", start=at(newest - 60), end=at(newest - 50), reason="no answer"),
            ],
            ALERTS: [
                Alert(
                    alert_id=f"a{minute}",
                    rule="big move",
                    symbol=symbol,
                    time=at(minute),
                    severity="warning",
                    message=f"moved by {minute} bp",
                )
                for minute, symbol in (
                    *((newest - 20, "BTCUSDT"), (newest - 15, "ALL"), (newest - 10, "ETHUSDT")),
                    *((newest - 300, "BTCUSDT"),),
                )
            ],
        },
    )


def indicate(market: Market, minutes: range, fingerprint: str = "print", names: Sequence[str] = NAMES) -> None:
    """Store features of minutes: the first is the minute itself, the second its tenth, unknown in the first hour."""
    values = {"rsi_14": float, "log_return_1": lambda minute: None if minute < 60 else minute / 10}
    with psycopg.connect(market.url, autocommit=True) as connection:
        connection.execute("INSERT INTO feature_definitions VALUES (%s, %s)", (fingerprint, list(names)))
    rows = [
        Features(
            symbol="BTCUSDT",
            interval="1m",
            time=at(minute),
            close=1.0,
            fingerprint=fingerprint,
            values=[values[name](minute) for name in names],
        )
        for minute in minutes
    ]
    store(market.url, {FEATURES: rows})
