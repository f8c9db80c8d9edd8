"""The matching: a pure fold per rule and symbol, `(state, observation) → (state, alert)`.

Time is the records' own. Records that are not newer than the last of their series are skipped, so that a repeated
record makes no second alert; and an alert's id is made of the rule, its version and the record's identity, so that the
fold over an older state gives the same id.
"""

from hashlib import blake2b
from math import fsum
from typing import Any

from msgspec import Struct

from alerts.rules import message
from alerts.rules.observation import Observation, encoded
from alerts.rules.quiet_hours import is_quiet
from alerts.rules.rule import Rule
from topics.records import Alert, Forecast

MOST_SERIES = 256
"""The most models, horizons and versions whose last value is kept for one symbol; the least recent one is dropped."""


class SeriesState(Struct, frozen=True, array_like=True):
    """The state of one series: its last time, whether the rule may alert, the last word, the last outcomes."""

    seen: int = -1
    armed: bool = True
    last: str | None = None
    window: tuple[tuple[float, float], ...] = ()


class State(Struct, frozen=True, array_like=True):
    """The time of the rule's last alert on the symbol, the number suppressed since, and its series by their names."""

    fired: int | None = None
    suppressed: int = 0
    series: dict[str, SeriesState] = {}


FRESH = SeriesState()


def step(rule: Rule, state: State, seen: Observation) -> tuple[State, Alert | None]:
    """Process one record; return the new state, and the alert, if any."""
    known = state.series.get(seen.series, FRESH)
    if seen.time <= known.seen:
        return state, None
    value, window = _value(rule, known, seen)
    matched = _matches(rule, known, value) and _confident(rule, seen.forecast)
    speaks = matched and known.armed and not _silent(rule, state, seen.time)
    after = SeriesState(seen.time, _armed(rule, known.armed, value, speaks), _word(rule, known, value), window)
    series = _kept(state.series | {seen.series: after})
    if not speaks:
        suppressed = state.suppressed + 1 if matched and known.armed else state.suppressed
        return State(state.fired, suppressed, series), None
    return State(seen.time, 0, series), alert(rule, seen, value, state.suppressed)


def alert(rule: Rule, seen: Observation, value: Any, suppressed: int) -> Alert:
    """Return the alert that a rule makes of a record."""
    return Alert(
        alert_id=f"{rule.name}-{rule.version}-{blake2b(encoded(seen.identity()), digest_size=12).hexdigest()}",
        rule=rule.name,
        symbol=seen.subject,
        time=seen.time,
        severity=rule.severity,
        message=message.compose(rule, seen, value, suppressed),
        rule_version=rule.version,
        model=getattr(seen.record, "model", None),
        interval=getattr(seen.record, "interval", None),
        horizon=seen.horizon,
        value=value if isinstance(value, float) else None,
        suppressed=suppressed,
    )


def _value(rule: Rule, known: SeriesState, seen: Observation) -> tuple[Any, tuple[tuple[float, float], ...]]:
    """Return the condition's value and the window after it; for a rolling field None until the window is full."""
    if rule.when.field is None:
        return None, ()
    value, rolling = seen.value(rule.when.field), seen.kind.fields[rule.when.field].rolling
    if rolling is None:
        return (float(value) if isinstance(value, int) else value), ()
    if value is None:
        return None, known.window
    window = (*known.window, value)[-rule.window :]
    if len(window) < rule.window:
        return None, window
    return rolling(fsum(part for part, _ in window), fsum(whole for _, whole in window)), window


def _matches(rule: Rule, known: SeriesState, value: Any) -> bool:
    when = rule.when
    if when.operator == "any":
        return True
    if value is None:
        return False
    if when.operator in {"above", "below"}:
        assert when.threshold is not None  # noqa: S101 - for mypy: `alerts.rules.check` sees to it
        return bool(value > when.threshold) if when.operator == "above" else bool(value < when.threshold)
    if when.operator == "is":
        return bool(value == when.word)
    turned = known.last is not None and known.last != value
    return turned and (when.operator == "changes" or value == when.word)


def _confident(rule: Rule, forecast: Forecast | None) -> bool:
    """Return whether the forecast has the rule's minimum confidence; an unknown one has not."""
    if rule.min_confidence is not None and (
        forecast is None or forecast.p_up is None or abs(forecast.p_up - 0.5) < rule.min_confidence
    ):
        return False
    if rule.min_signal is None:
        return True
    if forecast is None or forecast.mean is None or forecast.scale is None:
        return False
    return abs(forecast.mean) / forecast.scale >= rule.min_signal


def _silent(rule: Rule, state: State, time: int) -> bool:
    cooling = bool(rule.cooldown_ms) and state.fired is not None and time < state.fired + rule.cooldown_ms
    return cooling or is_quiet(rule.quiet, time)


def _armed(rule: Rule, armed: bool, value: Any, speaks: bool) -> bool:
    """Return whether the rule may alert at the next record: with a rearm level, not before it was reached."""
    if rule.rearm is None:
        return True
    if speaks:
        return False
    if armed or value is None:
        return armed
    return bool(value <= rule.rearm) if rule.when.operator == "above" else bool(value >= rule.rearm)


def _word(rule: Rule, known: SeriesState, value: Any) -> str | None:
    return (value or known.last) if rule.when.operator in {"becomes", "changes"} else None


def _kept(series: dict[str, SeriesState]) -> dict[str, SeriesState]:
    if len(series) > MOST_SERIES:
        del series[min(series, key=lambda name: series[name].seen)]
    return series
