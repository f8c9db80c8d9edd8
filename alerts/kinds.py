"""What a rule can be about: each kind of record, its fields, and what makes a record the same record."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Any, get_args

from msgspec import Struct

from alerts.health import ComponentState, Health
from alerts.quantities import Unit
from topics.catalog import DRIFT, GAPS, MODEL_EVENTS, OUTCOMES, PREDICTIONS, REGIMES, Topic
from topics.records import QUANTILES, Drift, Forecast, Gap, ModelEvent, Outcome, Prediction, Regime, Role

Pair = tuple[float, float]
STATES = ("calm", "trending_up", "trending_down", "turbulent")
"""As in features.regimes, which takes seconds to import."""


@dataclass(frozen=True)
class Field:
    """A value of a record, or of one forecast of a prediction where it is `by_horizon`; None where it is unknown.

    A word where there is no `unit`, one of `words` unless they are empty. A number lies between `least` and `most`. Of
    a `rolling` field `of` gives a numerator and a denominator, and the value is made of the last outcomes' sums.
    """

    of: Callable[[Any], Any]
    unit: Unit | None = None
    least: float = -inf
    most: float = inf
    words: tuple[str, ...] = ()
    by_horizon: bool = False
    rolling: Callable[[float, float], float] | None = None


@dataclass(frozen=True)
class Kind:
    """A kind of record. `series` are the fields that it shares with what came before it and comes after it; with
    `moment`, its time and, where two may have one time, more, they are its identity.
    """

    record: type[Struct]
    topic: Topic | None
    fields: dict[str, Field]
    series: tuple[str, ...]
    moment: tuple[str, ...]
    template: str
    time: str = "time"
    champions_only: bool = False


def number(name: str, unit: Unit, least: float = -inf, most: float = inf, by_horizon: bool = False) -> Field:
    """Return the field of that attribute."""
    return Field(lambda record: getattr(record, name), unit, least, most, by_horizon=by_horizon)


def word(name: str, *words: str) -> Field:
    """Return the field of that attribute; true and false are words too."""

    def of(record: Any) -> str | None:
        value = getattr(record, name)
        return None if value is None else str(value).lower() if isinstance(value, bool) else str(value)

    return Field(of, words=words)


def _quantile(level: float) -> Callable[[Forecast], float | None]:
    place = QUANTILES.index(level)
    return lambda forecast: None if forecast.quantiles is None else forecast.quantiles[place]


def _width(forecast: Forecast) -> float | None:
    return None if forecast.quantiles is None else forecast.quantiles[-1] - forecast.quantiles[0]


def _share(name: str) -> Field:
    def of(outcome: Outcome) -> Pair | None:
        hit = getattr(outcome, name)
        return None if hit is None else (float(hit), 1.0)

    return Field(of, "probability", 0.0, 1.0, rolling=lambda hits, all_: hits / all_)


def _errors(outcome: Outcome) -> Pair | None:
    if outcome.absolute_error is None or outcome.naive_absolute_error is None:
        return None
    return outcome.absolute_error, outcome.naive_absolute_error


def _skill(error: float, naive: float) -> float:
    return 1 - error / naive if naive else (0.0 if error == 0 else -inf)


PREDICTION = {
    "mean": number("mean", "return", by_horizon=True),
    "median": Field(_quantile(0.5), "return", by_horizon=True),
    "low": Field(_quantile(0.05), "return", by_horizon=True),
    "high": Field(_quantile(0.95), "return", by_horizon=True),
    "width": Field(_width, "return", 0.0, by_horizon=True),
    "scale": number("scale", "return", 0.0, by_horizon=True),
    "p_up": number("p_up", "probability", 0.0, 1.0, by_horizon=True),
    "price": number("price", "price", 0.0),
    "dissimilarity": number("dissimilarity", "ratio", 0.0),
    "regime": word("regime", *STATES),
    "expired": word("expired", "true", "false"),
}
OUTCOME = {
    "realised": number("realised", "return"),
    "absolute_error": number("absolute_error", "return", 0.0),
    "pinball": number("pinball", "return", 0.0),
    "status": word("status", "scored", "stale", "unscored"),
    "interval_hit": word("interval_hit", "true", "false"),
    "direction_hit": word("direction_hit", "true", "false"),
    "coverage": _share("interval_hit"),
    "hit_rate": _share("direction_hit"),
    "skill": Field(_errors, "ratio", -inf, 1.0, rolling=_skill),
}
REGIME = {
    "state": word("state", *STATES),
    "probability": Field(lambda regime: regime.posterior.get(regime.state), "probability", 0.0, 1.0),
    "change_point": number("change_point", "probability", 0.0, 1.0),
}
DRIFTED = {
    "kind": word("kind", "errors", "coverage", "features", "dissimilarity", "expiry"),
    "detector": word("detector"),
    "statistic": number("statistic", "ratio"),
}
GAP = {
    "duration": Field(lambda gap: gap.end - gap.start, "duration", 0.0),
    "trades": number("trades", "count", 0.0),
    "venue": word("venue"),
    "reason": word("reason"),
}
MODEL_EVENT = {
    "event": word("event", "loaded", "refused", "serving"),
    "role": word("role", *get_args(Role)),
    "reason": word("reason"),
}
HEALTH = {
    "state": word("state", *get_args(ComponentState)),
    "restarts": number("restarts", "count", 0.0),
    "error": word("error"),
}

KINDS: dict[str, Kind] = {
    "prediction": Kind(
        Prediction,
        PREDICTIONS,
        PREDICTION,
        ("interval", "model"),
        ("version", "time"),
        "{symbol}: {model} expects {field} {value} over {horizon} bars of {interval} ({operator} {threshold})",
        champions_only=True,
    ),
    "outcome": Kind(
        Outcome,
        OUTCOMES,
        OUTCOME,
        ("interval", "model", "horizon"),
        ("version", "time"),
        "{symbol}: {field} of {model} at {horizon} bars of {interval} is {value} ({operator} {threshold})",
        time="target_time",
        champions_only=True,
    ),
    "regime": Kind(
        Regime,
        REGIMES,
        REGIME,
        ("interval",),
        ("time",),
        "{symbol}: {field} of the regime on {interval} is {value}",
    ),
    "drift": Kind(
        Drift,
        DRIFT,
        DRIFTED,
        ("model", "version", "kind", "detector", "interval", "horizon"),
        ("time",),
        "{symbol}: drift of {kind} of {model} found by {detector}",
    ),
    "gap": Kind(
        Gap,
        GAPS,
        GAP,
        ("venue",),
        ("start",),
        "{symbol}: trades of {venue} are missing over {duration} ({reason})",
        time="end",
    ),
    "model-event": Kind(
        ModelEvent,
        MODEL_EVENTS,
        MODEL_EVENT,
        ("model", "version", "event", "number", "interval"),
        ("time",),
        "{model} {version}: {event}",
    ),
    "health": Kind(
        Health,
        None,
        HEALTH,
        ("component",),
        ("time",),
        "component {component}: {field} is {value}",
    ),
}
