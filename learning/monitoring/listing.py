"""Queries of the alarms and the newest skills, for the commands."""

from typing import Any

import msgspec

from storage.bar_history import opened
from storage.row_records import record_of
from topics.records import Drift

ALARMS = """
SELECT model, version, kind, detector, (extract(epoch FROM time) * 1000)::int8, statistic, "limit", interval, symbol,
    horizon, (extract(epoch FROM since) * 1000)::int8, detail
FROM drift WHERE model = coalesce(%s, model) ORDER BY time DESC LIMIT %s
"""
SKILLS = """
WITH newest AS (SELECT interval, max(time) AS time FROM model_skill GROUP BY interval)
SELECT (extract(epoch FROM time) * 1000)::int8, interval, model, version, role, horizon, regime, days, forecasts,
    pinball_skill, mae_skill, coverage
FROM model_skill JOIN newest USING (interval, time)
WHERE model = coalesce(%s, model)
ORDER BY interval, model, role, version, days, regime, horizon
"""


class StoredSkill(msgspec.Struct, frozen=True, kw_only=True):
    """A row of model_skill: see storage/sql/0010_skill.sql and 0051_two_skills.sql; `time` in epoch ms."""

    time: int
    interval: str
    model: str
    version: str
    role: str
    horizon: int
    regime: str
    days: float
    forecasts: int
    pinball_skill: float | None
    mae_skill: float | None
    coverage: float | None


def alarms(url: str, model: str | None = None, most: int = 50) -> list[Drift]:
    """Return the newest alarms, newest first. Raises StorageError where the database cannot be read."""
    return [record_of(Drift, row) for row in _read(url, ALARMS, model, most)]


def skills(url: str, model: str | None = None) -> list[StoredSkill]:
    """Return the skills at the end of the newest hour. Raises StorageError where the database cannot be read."""
    return [record_of(StoredSkill, row) for row in _read(url, SKILLS, model)]


def _read(url: str, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with opened(url) as connection:
        return connection.execute(query.encode(), parameters).fetchall()
