"""Reads what is stored of one forecast."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.rows import dict_row

from dashboard.forecast import inputs
from dashboard.forecast.inputs import Inputs
from dashboard.forecast.queries import QUERIES
from dashboard.live.detail import ForecastKey
from topics.units import interval_ms


@dataclass(frozen=True, kw_only=True)
class VersionForecast:
    """The forecast of one version, in log returns over `price`: quantiles by name, None while unknown."""

    version: str
    role: str
    fingerprint: str
    regime: str | None
    expired: bool
    price: float
    mean: float | None
    scale: float | None
    quantiles: Mapping[str, float] | None
    p_up: float | None
    dissimilarity: float | None
    weights: Mapping[str, float] | None


@dataclass(frozen=True, kw_only=True)
class StoredOutcome:
    """The outcome: `status` is s scored, t stale or u unscored; None is unknown. Errors are log returns."""

    status: str
    realised: float | None
    absolute_error: float | None
    naive_absolute_error: float | None
    interval_hit: bool | None
    direction_hit: bool | None


@dataclass(frozen=True)
class RegimeThen:
    """The regime after the bar, its probability, and that of a change of volatility within the last hour."""

    state: str
    probability: float | None
    change_point: float | None


@dataclass(frozen=True, kw_only=True)
class StoredForecast:
    """What is stored of a forecast; None is that nothing is. `target` is when it is to come true.

    `beside` are the other versions that said something at the bar, with their roles; `passed` is that the target's bar
    is stored, or a later one.
    """

    said: VersionForecast | None
    beside: tuple[tuple[str, str], ...]
    outcome: StoredOutcome | None
    regime: RegimeThen | None
    inputs: Inputs | None
    target: float
    passed: bool


def read(connection: Connection, key: ForecastKey, folder: Path) -> StoredForecast:
    """Read a forecast; `folder` is <home>/models, where the versions' training data is described."""
    symbol, interval = key.series.symbol, key.series.interval
    time = datetime.fromtimestamp(key.time / 1000, UTC)
    asked = {"symbol": symbol, "interval": interval, "model": key.model, "horizon": key.horizon, "time": time}
    target = time + timedelta(milliseconds=key.horizon * interval_ms(interval))
    try:
        with connection.cursor(row_factory=dict_row) as cursor:
            rows = cursor.execute(QUERIES["said"], asked).fetchall()
        regime = connection.execute(QUERIES["regime"], asked).fetchone()
        features = connection.execute(QUERIES["features"], asked).fetchone()
        newest = connection.execute(QUERIES["newest"], asked).fetchone()
    except psycopg.errors.UndefinedTable:  # a database that was not set up yet is an empty one
        rows, regime, features, newest = [], None, None, None
    if not key.known(key.time):
        rows, regime, features = [], None, None
    come = key.known(target.timestamp() * 1000)
    said = _said(rows[0]) if rows else None
    whose = (key.model, said.version) if said else None
    return StoredForecast(
        said=said,
        beside=tuple((row["version"], row["role"]) for row in rows[1:]),
        outcome=_outcome(rows[0]) if rows and come else None,
        regime=RegimeThen(*regime) if regime else None,
        inputs=inputs.build(folder, whose, features[0], features[2], features[1]) if features else None,
        target=target.timestamp() * 1000,
        passed=come and newest is not None and newest[0] is not None and newest[0] >= target,
    )


def _said(row: Mapping[str, Any]) -> VersionForecast:
    quantiles = {name: value for name, value in row.items() if name[0] == "q" and name[1:].isdigit()}
    alike = ("version", "role", "fingerprint", "regime", "expired", "price", "mean", "scale", "p_up")
    return VersionForecast(
        **{name: row[name] for name in (*alike, "dissimilarity", "weights")},
        quantiles=None if None in quantiles.values() else quantiles,
    )


def _outcome(row: Mapping[str, Any]) -> StoredOutcome | None:
    if row["status"] is None:
        return None
    names = ("status", "realised", "absolute_error", "naive_absolute_error", "interval_hit", "direction_hit")
    return StoredOutcome(**{name: row[name] for name in names})
