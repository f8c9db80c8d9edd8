"""A record as input of a rule: its symbol, series, values and identity."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from alerts.rules.kinds import KINDS, Kind
from alerts.rules.rule import Rule
from topics.records import Forecast

EVERYTHING = "ALL"
"""The symbol of an alert whose record names none."""


class Observation(NamedTuple):
    """A record, and one of its forecasts if the rule is on forecasts."""

    kind: Kind
    record: Any
    forecast: Forecast | None
    subject: str
    series: str
    time: int

    @property
    def horizon(self) -> int | None:
        """Return the horizon in bars, None if there is none."""
        return self.forecast.horizon if self.forecast else getattr(self.record, "horizon", None)

    def value(self, field: str) -> Any:
        """Return a field's value, None if it is unknown."""
        known = self.kind.fields[field]
        if not known.by_horizon:
            return known.of(self.record)
        return None if self.forecast is None else known.of(self.forecast)

    def identity(self) -> tuple[Any, ...]:
        """Return the record's identity, unique within its kind."""
        return (self.subject, self.series, *(getattr(self.record, name) for name in self.kind.moment))


def subject_of(record: Struct) -> str:
    """Return the symbol that a record is about; a component's name in capitals, or `EVERYTHING`."""
    symbol: str | None = getattr(record, "symbol", None)
    component: str | None = getattr(record, "component", None)
    return symbol or (component.upper() if component else EVERYTHING)


def observations(rule: Rule, record: Struct) -> Iterator[Observation]:
    """Yield the observations for the rule in a record of its kind."""
    kind = KINDS[rule.on]
    if kind.champions_only and getattr(record, "role", None) != "champion":
        return
    if rule.model is not None and getattr(record, "model", None) != rule.model:
        return
    if rule.interval is not None and getattr(record, "interval", None) != rule.interval:
        return
    subject = subject_of(record)
    if rule.symbols and not chosen(rule.symbols, subject):
        return
    series = _SEPARATOR.join(str(getattr(record, name)) for name in kind.series)
    time: int = getattr(record, kind.time)
    field = rule.when.field
    if field is not None and kind.fields[field].by_horizon:
        for forecast in getattr(record, "forecasts", ()):
            if rule.horizon in (None, forecast.horizon):
                named = f"{series}{_SEPARATOR}{forecast.horizon}"
                yield Observation(kind, record, forecast, subject, named, time)
    elif rule.horizon is None or rule.horizon == getattr(record, "horizon", None):
        yield Observation(kind, record, None, subject, series, time)


@lru_cache(65_536)
def chosen(patterns: tuple[str, ...], name: str) -> bool:
    """Return whether a name matches one of the patterns, in which ``*`` is any text and ``?`` any character."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def encoded(parts: tuple[Any, ...]) -> bytes:
    """Return the parts of an identity as bytes, the same in every process."""
    return msgspec.json.encode(parts)


_SEPARATOR = "|"
