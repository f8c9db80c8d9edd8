"""A rule: which records, which condition, and how often it may alert."""

from typing import Literal

from msgspec import Struct

Operator = Literal["above", "below", "is", "becomes", "changes", "any"]
Severity = Literal["info", "warning", "critical"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")


class When(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A condition. `threshold` (above, below) is in the records' own scale: a log return, a share, milliseconds.

    ``is`` holds on every record with that `word`, ``becomes`` on the first one after another word, ``changes`` on every
    first one after another, ``any`` on every record.
    """

    operator: Operator
    field: str | None = None
    threshold: float | None = None
    word: str | None = None


class Quiet(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Hours of every day in which a rule makes no alerts, from `start` up to `end` in minutes after midnight of
    `zone`."""

    start: int
    end: int
    zone: str = "UTC"


class Rule(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A rule over records of the kind `on`; None and empty mean all. `alerts.rules.check` validates it.

    `symbols` are names or patterns (``BTC*``). `min_confidence` is the least distance of P(up) from 0.5, `min_signal`
    that of the mean from 0, in scales. With `rearm` a rule that has alerted waits until the value has returned to that
    level; `cooldown_ms` is the least time between two alerts about one symbol, in event time. `window` is the number of
    outcomes of a rolling field, such as coverage. Each change of a rule is a new `version` with a new state.
    """

    name: str
    on: str
    when: When
    symbols: tuple[str, ...] = ()
    model: str | None = None
    horizon: int | None = None
    interval: str | None = None
    min_confidence: float | None = None
    min_signal: float | None = None
    rearm: float | None = None
    cooldown_ms: int = 0
    quiet: Quiet | None = None
    window: int = 100
    severity: Severity = "warning"
    message: str = ""
    version: int = 0
