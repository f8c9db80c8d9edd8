"""Logs the versions' scores on the stream to their runs in MLflow, after each day of event time."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psycopg import Connection

from learning.monitoring.reader import moment
from learning.monitoring.skill import ALL, DAY_MS, HOUR_MS
from learning.tracking import registered_versions
from learning.tracking.run import MlflowRun
from learning.tracking.tracker import Tracker
from models.registry import provenance
from models.serving.deployment import roles
from topics.records import QUANTILES, Deployment

if TYPE_CHECKING:
    from mlflow import MlflowClient

PERCENT = 100.0
WEEK = 7.0
LEAST_S = 60.0
"""The least time between two logs, since a replay has days in seconds."""
UNTIL = "stream until"
"""The tag of a run with the end of its last logged day (epoch ms)."""
DAILY = f"""
SELECT (extract(epoch FROM time) * 1000)::int8, horizon, pinball_skill, coverage FROM model_skill
WHERE interval = %s AND model = %s AND version = %s AND regime = '{ALL}' AND days = 1
    AND time > %s AND time <= %s AND date_trunc('day', time AT TIME ZONE 'UTC') = time AT TIME ZONE 'UTC'
ORDER BY time, horizon
"""  # noqa: S608 - our own constant
WEEKLY = f"""
SELECT horizon, pinball_skill, mae_skill FROM model_skill
WHERE interval = %s AND model = %s AND version = %s AND regime = '{ALL}' AND days = %s AND time = %s
"""  # noqa: S608 - likewise
BELOW = ", ".join(f"avg((o.realised <= p.q{round(100 * level):02})::int)::float8" for level in QUANTILES)
SCORED = f"""
SELECT s.horizon, count(*), avg(o.interval_hit::int)::float8, avg(o.direction_hit::int)::float8, {BELOW}
FROM series s JOIN outcome_rows o USING (series_id) JOIN prediction_rows p USING (series_id)
WHERE s.interval = %s AND s.model = %s AND s.version = %s AND o.status = 's' AND p.time = o.time
    AND o.time >= %s AND o.time < %s AND p.time >= %s AND p.time < %s
GROUP BY s.horizon ORDER BY s.horizon
"""  # noqa: S608 - likewise


class StreamLog:
    """Logs finished days to each version's run: curves by day, and a table and a plot of the last week."""

    def __init__(self, connection: Connection, interval: str, models: Path) -> None:
        self._connection, self._interval, self._models = connection, interval, models
        self._logged: Mapping[tuple[str, str], int] = {}
        self._next = 0.0

    def is_due(self, latest: Mapping[str, Deployment], newest: int) -> bool:
        """Return whether there may be something to log at the bar at `newest` (epoch ms)."""
        day = _last_day(newest)
        return time.monotonic() >= self._next and any(self._logged.get(one) != day for one in _playing(latest))

    def log(self, tracker: Tracker, latest: Mapping[str, Deployment], newest: int) -> None:
        """Log the scores before the last midnight up to `newest` (epoch ms).

        Raises TrackingError: the next attempt is as late as after a success, to spare a failing server.
        """
        day, served = _last_day(newest), _playing(latest)
        self._logged, self._next = dict.fromkeys(served, day), time.monotonic() + LEAST_S
        for model, version in sorted(served):
            results: tuple[str, str] | None = tracker.call(lambda client, m=model, v=version: _run(client, m, v))  # type: ignore[misc] # mypy infers no type for a default that binds the loop's variable
            if results is not None:
                self._version(MlflowRun(tracker, results[0], None), model, version, int(results[1]), day)

    def _version(self, run: MlflowRun, model: str, version: str, known: int, day: int) -> None:
        whose: tuple[Any, ...] = (self._interval, model, version)
        daily = self._connection.execute(DAILY, (*whose, moment(known), moment(day))).fetchall()
        if not daily:
            return
        origin = provenance.read(self._models / model / version)
        first = daily[0][0] if origin is None else origin.last
        curves: dict[str, list[tuple[int, float]]] = {}
        for end, horizon, skill, coverage in daily:
            after = round((end - first) / DAY_MS)
            for name, value in (("skill against naive percent", skill), ("coverage of 90 percent", coverage)):
                if value is not None:
                    points = curves.setdefault(f"stream by day: {name}/{horizon:02} bars ahead", [])
                    points.append((after, PERCENT * value))
        run.curves(curves)
        self._week(run, whose, daily[-1][0])
        run.tags({UNTIL: str(daily[-1][0])})

    def _week(self, run: MlflowRun, whose: tuple[Any, ...], end: int) -> None:
        span = (moment(end - round(WEEK * DAY_MS)), moment(end))
        scored = self._connection.execute(SCORED, (*whose, *span, *span)).fetchall()
        skills = {row[0]: row[1:] for row in self._connection.execute(WEEKLY, (*whose, WEEK, moment(end))).fetchall()}
        rows = [(horizon, *row[:3], *skills.get(horizon, (None, None))) for horizon, *row in scored]
        columns: dict[str, list[Any]] = {
            "bars ahead": [row[0] for row in rows],
            "forecasts": [row[1] for row in rows],
            "skill against naive percent": [_percent(row[4]) for row in rows],
            "absolute error saved percent": [_percent(row[5]) for row in rows],
            "coverage of 90 percent": [_percent(row[2]) for row in rows],
            "hit rate percent": [_percent(row[3]) for row in rows],
        }
        run.table(columns, "stream week.json")
        below = {horizon: row[3:] for horizon, *row in scored if None not in row[3:]}
        if below:
            from learning.tracking import plots  # noqa: PLC0415 - what evaluates, 30 MB that a watch without MLflow is not to pay

            run.text(plots.calibration(QUANTILES, below), "plots/stream week calibration.svg")


def _last_day(newest: int) -> int:
    """Return the end of the last day whose skill is stored: it is complete once an outcome of the next hour has
    arrived."""
    return (newest - 2 * HOUR_MS) // DAY_MS * DAY_MS


def _playing(latest: Mapping[str, Deployment]) -> set[tuple[str, str]]:
    return {(model, version) for model, one in latest.items() for version in roles(one)}


def _percent(share: float | None) -> float | None:
    return None if share is None else round(PERCENT * share, 3)


def _run(client: "MlflowClient", model: str, version: str) -> tuple[str, str] | None:
    """Return the run of a registered version, and the end of its last logged day; None if none is registered."""
    number = registered_versions.numbers(client, model).get(version)
    if number is None:
        return None
    run_id = client.get_model_version(registered_versions.named(model), number).run_id
    if not run_id:
        return None
    return str(run_id), str(client.get_run(run_id).data.tags.get(UNTIL, "0"))
