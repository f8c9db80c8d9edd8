"""Derived values for messages: times in UTC, prices, and a forecast's values."""

from collections.abc import Callable
from datetime import UTC, datetime
from math import exp
from typing import Any

from topics.prices import format_price
from topics.records import QUANTILES, Forecast, Outcome, Prediction
from topics.units import interval_ms, interval_name, is_time

Detail = Callable[[Any, Forecast | None], str | None]
"""Returns the text for a record and the alert's forecast; None if there is none."""
UNKNOWN = "an unknown time"
_LOW, _MIDDLE, _HIGH = (QUANTILES.index(level) for level in (0.05, 0.5, 0.95))


def moment(time: float) -> str:
    """Return epoch milliseconds as text, with seconds only if they are not 0.

    >>> moment(1_750_000_020_000), moment(1_750_000_050_250)
    ('2025-06-15 15:07 UTC', '2025-06-15 15:07:30 UTC')
    """
    try:
        at = datetime.fromtimestamp(time / 1000, UTC)
    except (OverflowError, ValueError, OSError):  # producers may choose any interval: 60 bars of 99999d
        return UNKNOWN
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at.second else f"{at:%Y-%m-%d %H:%M} UTC"


def moment_of(name: str) -> Detail:
    """Return the detail for a time of the record."""

    def of(record: Any, _: Forecast | None) -> str | None:
        time = getattr(record, name)
        return None if time is None else moment(time)

    return of


def text_detail(name: str) -> Detail:
    """Return the detail for a text of the record, if it has one."""
    return lambda record, _: getattr(record, name) or None


def closed(record: Any, _: Forecast | None) -> str | None:
    """Return when the record's bar closed: its time is when it began."""
    return moment(record.time + _length(record.interval))


def price(record: Prediction, _: Forecast | None) -> str:
    """Return the price at which a prediction was made."""
    return format_price(record.price)


def forecast(record: Prediction, output: Forecast | None) -> str | None:
    """Return the forecast price, the median if there is one, and its 90 % interval."""
    if output is None:
        return None
    quantiles = output.quantiles
    middle = output.mean if quantiles is None else quantiles[_MIDDLE]
    if middle is None:
        return "no price"
    at = format_price(record.price * exp(middle))
    if quantiles is None:
        return at
    low, high = (format_price(record.price * exp(quantiles[level])) for level in (_LOW, _HIGH))
    return f"{at}, 90% between {low} and {high}"


def due(record: Prediction | Outcome, output: Forecast | None) -> str | None:
    """Return a forecast's target time: the close of the bar that is `horizon` bars after its own."""
    horizon, length = _horizon(record, output), _length(record.interval)
    if horizon is None:
        return None
    return moment(record.time + (horizon + 1) * length) if length else UNKNOWN


def ahead(record: Prediction | Outcome, output: Forecast | None) -> str | None:
    """Return the horizon as a duration, or in bars if those are not cut by time."""
    horizon, length = _horizon(record, output), _length(record.interval)
    if horizon is None:
        return None
    return interval_name(horizon * length) if length else f"{horizon} bars of {record.interval}"


def _horizon(record: Prediction | Outcome, output: Forecast | None) -> int | None:
    return record.horizon if isinstance(record, Outcome) else output.horizon if output is not None else None


def _length(interval: str) -> int:
    """Return the length of a bar in milliseconds, 0 if it is not cut by time."""
    return interval_ms(interval) if is_time(interval) else 0
