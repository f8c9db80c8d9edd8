"""What the learning loop waits for, in words: of the bars, the watch's rows and the runs that are in the database."""

from datetime import UTC, datetime

import msgspec

from learning.blocks import BARS, LEARNT
from learning.check import FEWEST_DAYS
from learning.schedule import HOUR_MS, Seen, waits_for
from learning.scored import NAIVE
from settings import Settings
from storage.history import opened
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
NOTHING = "no {interval} bars are stored yet: foretick replay FILE or foretick live VENUE SYMBOL brings some"


class Progress(msgspec.Struct, frozen=True):
    """How far the bars of an interval have come, and the watch with them. Times are epoch ms, None where there is none.

    `looked` is the end of the last hour that the watch has judged, and `compared` the bars of all symbols before that.
    """

    interval: str
    first: int | None
    newest: int | None
    looked: int | None
    compared: int
    scored: bool
    last_run: int | None


def progress(settings: Settings) -> Progress:
    """Read it. Raises StorageError where the database cannot be read."""
    with opened(settings.database_url.get_secret_value()) as connection:
        row = connection.execute(PROGRESS, {"interval": settings.interval}).fetchone()
    assert row is not None  # noqa: S101 - for mypy: an aggregate has one row
    return Progress(settings.interval, *row)


def of_skill(found: Progress) -> str:
    """Return what the first skills wait for, or until when they reach."""
    if found.first is None or found.newest is None:
        return "no skill yet: " + NOTHING.format(interval=found.interval)
    hour = max(HOUR_MS, interval_ms(found.interval))
    due = (found.first // hour + 1) * hour
    now = f"the newest is that of {minute(found.newest)}"
    if found.newest <= due:
        return f"no skill yet: the first rows come with the bars after {minute(due)}; {now}"
    if not found.scored:
        return f"no skill yet: no forecast has come true; {now} (foretick status: who is behind?)"
    if found.looked is None:
        return f"no skill yet: the watch has not come so far; {now} (foretick logs watch)"
    return f"skill and coverage in %, until {minute(found.looked)} UTC"


def of_drift(found: Progress, model: str | None) -> str:
    """Return what was compared without an alarm, or what the comparison waits for."""
    none = "no alarm" if model is None else f"no alarm of {model}"
    if model == NAIVE:
        return f"{none}: it is what the other models are measured by, and nobody watches it"
    if found.first is None:
        return f"{none}: " + NOTHING.format(interval=found.interval)
    if found.looked is None:
        return f"{none}: nothing is compared yet; " + of_skill(found).removeprefix("no skill yet: ")
    block = BARS * interval_ms(found.interval)
    judged = (-(-found.first // block) + LEARNT) * block
    errors = f"; a model's errors count from {minute(judged)} on" if found.looked < judged else ""
    span = f"{found.compared:,} {found.interval} bars from {minute(found.first)} to {minute(found.looked)}"
    return f"{none}: {span} UTC compared, and nothing has lasted beyond its limit{errors}"


def of_training(found: Progress, settings: Settings) -> str:
    """Return when the next training is due."""
    if found.first is None or found.newest is None:
        return "the next training: " + NOTHING.format(interval=found.interval)
    # What the trainer saw first is not written down; a time that has passed since then it has asked for already.
    seen = Seen(found.newest, found.first, found.newest, found.last_run)
    return "the next training: " + waits_for(settings, seen, FEWEST_DAYS)


def minute(time: int) -> str:
    """Return a time in the bars' time, UTC."""
    return datetime.fromtimestamp(time / 1_000, UTC).strftime("%Y-%m-%d %H:%M")


def tried(settings: Settings, model: str, version: str) -> int:
    """Return on how many bars a challenger was judged. Raises StorageError where the database cannot be read."""
    with opened(settings.database_url.get_secret_value()) as connection:
        row = connection.execute(TRIED, (settings.interval, model, version)).fetchone()
    return int(row[0]) if row else 0
