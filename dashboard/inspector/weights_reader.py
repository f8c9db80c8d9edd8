"""Reads from the database what an ensemble's weights were, and which series there are."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from psycopg import Connection

from storage.errors import place, reason
from storage.sql_blocks import load

QUERIES = load("dashboard.inspector")
PERIOD_S = 5.0
SPAN = timedelta(days=7)
STEPS = 300
"""Into about as many steps the span is cut, at least a minute each."""
CONNECT_S = 5


@dataclass(frozen=True, kw_only=True)
class WeightsKey:
    """A version of a combination, and the forecasts whose weights are wanted."""

    model: str
    version: str
    symbol: str
    interval: str
    horizon: int


@dataclass(frozen=True, kw_only=True)
class Database:
    """What was read: the series that have features, and the weights where they were asked for.

    `times` [n] in epoch ms are the steps; `weights` [n] by model; `regimes` has each regime's mean weight by model, and
    `counts` its forecasts. `newest` is the newest forecast with weights, None if there is none.
    """

    series: tuple[tuple[str, str], ...] = ()
    newest: datetime | None = None
    times: list[float] = field(default_factory=list)
    weights: dict[str, list[float]] = field(default_factory=dict)
    regimes: dict[str, dict[str, float]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)


def describe(url: str, error: Exception) -> str:
    """Return in a sentence why the database cannot be read."""
    return f"{place(url)} cannot be read: {reason(error)}"


def read(connection: Connection, key: WeightsKey | None) -> Database:
    """Return the series and, of a key, the weights of the last week before its newest forecast."""
    series = tuple(
        (str(symbol), str(interval)) for symbol, interval in connection.execute(QUERIES["series"]).fetchall()
    )
    if key is None:
        return Database(series=series)
    asked = {
        "symbol": key.symbol,
        "interval": key.interval,
        "model": key.model,
        "version": key.version,
        "horizon": key.horizon,
    }
    found = connection.execute(QUERIES["newest"], asked).fetchone()
    newest = found[0] if found else None
    if newest is None:
        return Database(series=series)
    window = {"end": newest, "span": SPAN, "step": max(SPAN / STEPS, timedelta(minutes=1))}
    rows = connection.execute(QUERIES["weights"], asked | window).fetchall()
    times = sorted({time for time, *_ in rows})
    at = {(time, model): weight for time, model, weight, _ in rows}
    models = sorted({model for _, model, *_ in rows})
    regimes: dict[str, dict[str, float]] = {}
    counts: dict[str, int] = {}
    for regime, model, weight, count in connection.execute(QUERIES["by_regime"], asked | window).fetchall():
        regimes.setdefault(regime, {})[model] = weight
        counts[regime] = max(counts.get(regime, 0), count)
    return Database(
        series=series,
        newest=newest,
        times=times,
        weights={model: [at.get((time, model), float("nan")) for time in times] for model in models},
        regimes=regimes,
        counts=counts,
    )
