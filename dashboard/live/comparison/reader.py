"""Reads what every model says of a symbol at every horizon, and how good each was lately, for all viewers."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg import Connection

from dashboard.database import connected, no_answer
from dashboard.live.comparison.queries import QUERIES
from dashboard.live.quantile_forecast import QuantileForecast
from dashboard.live.series_reader import BUCKET_BARS, ROLLING_BUCKETS
from dashboard.live.view_state import BarSeries
from dashboard.polled_reader import PolledReader
from storage.errors import place
from topics.units import interval_ms

PERIOD_S = 0.5
SKILL_S = 10.0
"""Skills are sums over a day: they are read again after so long."""
SKILL_BARS = ROLLING_BUCKETS * BUCKET_BARS
MOST_KEPT = 64

Place = tuple[str, int]
"""A model and a horizon [bars]."""


@dataclass(frozen=True)
class ComparisonKey:
    """A series, and until when of the data it is looked at [epoch ms]: None is now."""

    series: BarSeries
    until: int | None = None


@dataclass(frozen=True, kw_only=True)
class Skill:
    """The pinball skill against naive of so many forecasts."""

    value: float | None
    forecasts: int


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The forecasts at the newest bar [epoch ms], and the skills."""

    bar: float
    said: Mapping[Place, QuantileForecast]
    skills: Mapping[Place, Skill]

    @property
    def models(self) -> list[str]:
        """Return the models that have a forecast."""
        return sorted({model for model, _ in self.said})


class ComparisonSource:
    """Reads keys; remembers skills for a while, and what has not changed stays the same object."""

    def __init__(self) -> None:
        self._known: dict[ComparisonKey, tuple[float, Mapping[Place, Skill], Comparison | None]] = {}

    def read(self, connection: Connection, key: ComparisonKey) -> Comparison | None:
        """Return the comparison, None if the series has no bar."""
        asked: dict[str, Any] = {"symbol": key.series.symbol, "interval": key.series.interval}
        try:
            found = connection.execute(QUERIES["newest"], asked).fetchone()
        except psycopg.errors.UndefinedTable:
            return None  # a database that was not set up yet is empty
        until = found[0] if found else None
        if key.until is not None:
            until = datetime.fromtimestamp(key.until / 1000, UTC)
        if until is None:
            return None
        now = time.monotonic()
        read_at, skills, before = self._known.pop(key, (float("-inf"), {}, None))
        step = timedelta(milliseconds=interval_ms(key.series.interval))
        asked |= {"until": until, "step": step, "span": SKILL_BARS * step}
        if now - read_at >= SKILL_S:
            read_at, skills = now, read_skills(connection, asked)
        result = Comparison(bar=until.timestamp() * 1000, said=read_said(connection, asked), skills=skills)
        self._known[key] = read_at, skills, before if before == result else result
        if len(self._known) > MOST_KEPT:
            del self._known[next(iter(self._known))]
        return self._known[key][2]


def read_said(connection: Connection, asked: Mapping[str, Any]) -> dict[Place, QuantileForecast]:
    """Return each model's newest forecast of each horizon."""
    return {
        (model, horizon): QuantileForecast(time=at, price=price, q05=q05, q10=q10, q50=q50, q90=q90, q95=q95, p_up=p_up)
        for model, horizon, at, price, q05, q10, q50, q90, q95, p_up in connection.execute(QUERIES["said"], asked)
    }


def read_skills(connection: Connection, asked: Mapping[str, Any]) -> dict[Place, Skill]:
    """Return each model's skill at each horizon; where nothing has come true there is none."""
    rows = connection.execute(QUERIES["skill"], asked).fetchall()
    return {(model, horizon): Skill(value=value, forecasts=count) for model, horizon, value, count in rows}


def comparison_reader(url: str) -> PolledReader[Connection, ComparisonKey, Comparison | None]:
    """Return the thread that reads for all viewers."""
    where, source = place(url), ComparisonSource()
    return PolledReader(
        lambda: connected(url),
        source.read,
        period_s=PERIOD_S,
        failures=(psycopg.Error,),
        describe=lambda error: no_answer(where, error),
    )
