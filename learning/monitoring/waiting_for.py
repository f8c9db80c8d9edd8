"""Describes what the learning loop waits for, from the bars, skills and runs in the database."""

from datetime import UTC, datetime

import msgspec

from learning.monitoring.block_means import BARS, LEARNT
from learning.training.data_check import FEWEST_DAYS
from learning.training.schedule import HOUR_MS, StreamState, waits_for
from models.skill import NAIVE
from settings import Settings
from storage.bar_history import opened
from storage.row_records import record_of
from topics.units import interval_ms

PROGRESS = """
WITH looked AS (SELECT max(time) AS time FROM model_skill WHERE interval = %(interval)s)
SELECT (extract(epoch FROM min(b.time)) * 1000)::int8, (extract(epoch FROM max(b.time)) * 1000)::int8,
    (SELECT (extract(epoch FROM time) * 1000)::int8 FROM looked), count(*) FILTER (WHERE b.time < looked.time),
    EXISTS (SELECT FROM outcome_rows JOIN series USING (series_id) WHERE interval = %(interval)s AND status = 's'),
    (SELECT (extract(epoch FROM max(bar_time)) * 1000)::int8 FROM pipeline_runs)
FROM bars b CROSS JOIN looked WHERE b.interval = %(interval)s
"""
TRIED = """
SELECT count(DISTINCT o.time) FROM outcome_rows o JOIN series s USING (series_id)
WHERE s.interval = %s AND s.model = %s AND s.version = %s AND s.horizon = 1 AND o.role = 'h' AND o.status = 's'
"""
NOTHING = "no {interval} bars are stored yet: run foretick replay FILE or foretick live VENUE SYMBOL"


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """The progress of an interval's bars, and of the model monitor. Times are epoch ms, None if there is none.

    `looked` is the end of the last hour scored by the monitor, and `compared` the number of bars of all symbols before
    that.
    """

    interval: str
    first: int | None
    newest: int | None
    looked: int | None
    compared: int
    scored: bool
    last_run: int | None


def progress(settings: Settings) -> Progress:
    """Read it. Raises StorageError if the database cannot be read."""
    with opened(settings.database_url.get_secret_value()) as connection:
        row = connection.execute(PROGRESS, {"interval": settings.interval}).fetchone()
    assert row is not None  # noqa: S101 - for mypy: an aggregate has one row
    return record_of(Progress, (settings.interval, *row))


def of_skill(result: Progress) -> str:
    """Return what the first skills wait for, or their end time."""
    if result.first is None or result.newest is None:
        return "no skill yet: " + NOTHING.format(interval=result.interval)
    hour = max(HOUR_MS, interval_ms(result.interval))
    due = (result.first // hour + 1) * hour
    now = f"the newest is that of {minute(result.newest)}"
    if result.newest <= due:
        return f"no skill yet: the first rows come with the bars after {minute(due)}; {now}"
    if not result.scored:
        return f"no skill yet: no forecast has matured; {now} (foretick status shows the lags)"
    if result.looked is None:
        return f"no skill yet: the watch has not read that far; {now} (foretick logs watch)"
    return f"skill and coverage in %, until {minute(result.looked)} UTC"


def of_drift(result: Progress, model: str | None) -> str:
    """Return the bars compared without an alarm, or what the comparison waits for."""
    none = "no alarm" if model is None else f"no alarm of {model}"
    if model == NAIVE:
        return f"{none}: it is the baseline of the other models, and is not monitored"
    if result.first is None:
        return f"{none}: " + NOTHING.format(interval=result.interval)
    if result.looked is None:
        return f"{none}: nothing is compared yet; " + of_skill(result).removeprefix("no skill yet: ")
    block = BARS * interval_ms(result.interval)
    judged = (-(-result.first // block) + LEARNT) * block
    errors = f"; a model's errors count from {minute(judged)} on" if result.looked < judged else ""
    span = f"{result.compared:,} {result.interval} bars from {minute(result.first)} to {minute(result.looked)}"
    return f"{none}: {span} UTC compared, without a lasting change{errors}"


def of_training(result: Progress, settings: Settings) -> str:
    """Return when the next training is due."""
    if result.first is None or result.newest is None:
        return "the next training: " + NOTHING.format(interval=result.interval)
    # The trainer's first bar is not stored; for a scheduled time since then it has already requested a run.
    seen = StreamState(result.newest, result.first, result.newest, result.last_run)
    return "the next training: " + waits_for(settings, seen, FEWEST_DAYS)


def minute(time: int) -> str:
    """Return an event time as text, UTC."""
    return datetime.fromtimestamp(time / 1_000, UTC).strftime("%Y-%m-%d %H:%M")


def tried(settings: Settings, model: str, version: str) -> int:
    """Return the number of bars on which a challenger was tested. Raises StorageError if the database cannot be
    read."""
    with opened(settings.database_url.get_secret_value()) as connection:
        row = connection.execute(TRIED, (settings.interval, model, version)).fetchone()
    return int(row[0]) if row else 0
