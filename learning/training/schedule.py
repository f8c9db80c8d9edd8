"""When to retrain: by cron and by drift, with a cooldown, all in event time (epoch ms). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from croniter import croniter

from settings import Settings
from topics.catalog import DAY_MS
from topics.records import Drift

HOUR_MS = 3_600_000


@dataclass(frozen=True)
class StreamState:
    """The known state of the stream: the newest and the oldest stored bar; the newest bar at the last run.

    `first` is the newest bar at the trainer's first check: the schedule counts from there if nothing has run yet, so
    that a replay of years does not trigger a training for each of their weeks.
    """

    newest: int
    oldest: int
    first: int
    last_run: int | None = None


def due(settings: Settings, seen: StreamState, alarms: Sequence[Drift], least_days: float) -> tuple[str, str] | None:
    """Return what requests a training, ``cron`` or ``drift``, and why; None if nothing does.

    A request lasts until a run has begun: so a training waits for the cooldown's end, and until there are `least_days`
    of history. Drift comes first, and only what was raised since the last run counts.
    """
    if seen.newest - seen.oldest < least_days * DAY_MS:
        return None
    if seen.last_run is not None and seen.newest - seen.last_run < settings.retrain_cooldown_hours * HOUR_MS:
        return None
    since = seen.first if seen.last_run is None else seen.last_run
    fresh = [alarm for alarm in alarms if alarm.time > since]
    if fresh and settings.retrain_on_drift:
        return "drift", alarm_text(fresh)
    if settings.retrain_cron:
        planned = planned_after(settings.retrain_cron, since)
        if planned <= seen.newest:
            return "cron", f"{settings.retrain_cron}: {_text(planned)} has passed"
    return None


def waits_for(settings: Settings, seen: StreamState, least_days: float) -> str:
    """Return in words what the next training waits for, in event time."""
    missing = least_days * DAY_MS - (seen.newest - seen.oldest)
    if missing > 0:
        return f"{missing / DAY_MS:.1f} more days of bars ({least_days:g} are needed)"
    since = seen.first if seen.last_run is None else seen.last_run
    cooled = 0 if seen.last_run is None else seen.last_run + round(settings.retrain_cooldown_hours * HOUR_MS)
    drift = " or when a drift is found" if settings.retrain_on_drift else ""
    if not settings.retrain_cron:
        return "when a drift is found" if drift else "when it is requested (foretick pipeline run)"
    when = max(planned_after(settings.retrain_cron, since), cooled)
    return f"due at {_text(when)} in event time (now {_text(seen.newest)}){drift}"


def planned_after(cron: str, time: int) -> int:
    """Return the first time after another that an expression in cron's syntax names, in UTC."""
    moment: datetime = croniter(cron, datetime.fromtimestamp(time / 1_000, UTC)).get_next(datetime)
    return round(moment.timestamp() * 1_000)


def alarm_text(alarms: Sequence[Drift]) -> str:
    """Return the line of the first alarm, and the number of others."""
    first = min(alarms, key=lambda alarm: (alarm.time, alarm.model, alarm.kind))
    others = f", and {len(alarms) - 1} more" if len(alarms) > 1 else ""
    return (
        f"{first.kind} of {first.model} {first.version}: {first.detector} {first.statistic:.4g} beyond "
        f"{first.limit:.4g} at {_text(first.time)}{others}"
    )


def _text(time: int) -> str:
    return datetime.fromtimestamp(time / 1_000, UTC).strftime("%Y-%m-%d %H:%M")
