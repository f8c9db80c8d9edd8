"""The kinds of records for rules: the fields of each, and its identity."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any, get_args

from msgspec import Struct

from alerts.component_health import ComponentHealth, ComponentState
from alerts.rules.message_values import Detail, ahead, closed, due, forecast, moment_of, price, text_detail
from alerts.rules.quantities import Unit
from models.skill import skill
from topics.catalog import DRIFT, GAPS, MODEL_EVENTS, OUTCOMES, PREDICTIONS, REGIMES, Topic
from topics.records import QUANTILES, Drift, Forecast, Gap, ModelEvent, Outcome, Prediction, Regime, Role

Pair = tuple[float, float]
STATES = ("calm", "trending_up", "trending_down", "turbulent")
"""As in features.regimes, which takes seconds to import."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """A value of a record, or of one forecast of a prediction where it is `by_horizon`; None if it is unknown.

    Without a `unit` it is a word, one of `words` unless they are empty. A number lies between `least` and `most`. Of a
    `rolling` field `of` gives a numerator and a denominator, and the value is made of the last outcomes' sums.
    """

    of: Callable[[Any], Any]
    unit: Unit | None = None
    least: float = -inf
    most: float = inf
    words: tuple[str, ...] = ()
    by_horizon: bool = False
    rolling: Callable[[float, float], float | None] | None = None


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of record. `series` are the fields that identify its series; with `moment`, its time and, if two can have
    the same time, further fields, they are its identity. `template` is an alert's message, `of_forecast` that of an
    alert about one forecast; `details` are the names in messages in addition to the fields.
    """

    record: type[Struct]
    topic: Topic | None
    fields: dict[str, Field]
    series: tuple[str, ...]
    moment: tuple[str, ...]
    template: str
    details: Mapping[str, Detail]
    of_forecast: str = ""
    time: str = "time"
    champions_only: bool = False


def field_of(on: str, name: str | None) -> Field:
    """Return the field of that name of a kind. Raises ValueError if it has none."""
    fields = KINDS[on].fields
    field = fields.get(name or "")
    if field is not None:
        return field
    if (on, name) == ("outcome", "skill"):
        raise ValueError(
            "when: skill is two numbers: pinball_skill, which tables, the API and the page show, and mae_skill, which "
            "rules on skill looked at"
        )
    raise ValueError(f"when: {on} has no field {name!r}; it has {', '.join(fields)}")


def number(name: str, unit: Unit, least: float = -inf, most: float = inf, by_horizon: bool = False) -> Field:
    """Return the field of that attribute."""
    return Field(of=lambda record: getattr(record, name), unit=unit, least=least, most=most, by_horizon=by_horizon)


def word(name: str, *words: str) -> Field:
    """Return the field of that attribute; true and false are words too."""

    def of(record: Any) -> str | None:
        value = getattr(record, name)
        return None if value is None else str(value).lower() if isinstance(value, bool) else str(value)

    return Field(of=of, words=words)


def _quantile(level: float) -> Callable[[Forecast], float | None]:
    place = QUANTILES.index(level)
    return lambda forecast: None if forecast.quantiles is None else forecast.quantiles[place]


def _width(forecast: Forecast) -> float | None:
    return None if forecast.quantiles is None else forecast.quantiles[-1] - forecast.quantiles[0]


def _share(name: str) -> Field:
    def of(outcome: Outcome) -> Pair | None:
        hit = getattr(outcome, name)
        return None if hit is None else (float(hit), 1.0)

    return Field(of=of, unit="probability", least=0.0, most=1.0, rolling=lambda hits, all_: hits / all_)


def _skill(loss: str, reference: str) -> Field:
    def of(outcome: Outcome) -> Pair | None:
        pair = getattr(outcome, loss), getattr(outcome, reference)
        return None if None in pair else pair

    return Field(of=of, unit="ratio", least=-inf, most=1.0, rolling=skill)


PREDICTION = {
    "mean": number("mean", "return", by_horizon=True),
    "median": Field(of=_quantile(0.5), unit="return", by_horizon=True),
    "low": Field(of=_quantile(0.05), unit="return", by_horizon=True),
    "high": Field(of=_quantile(0.95), unit="return", by_horizon=True),
    "width": Field(of=_width, unit="return", least=0.0, by_horizon=True),
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
    "pinball_skill": _skill("pinball", "naive_pinball"),
    "mae_skill": _skill("absolute_error", "naive_absolute_error"),
}
REGIME = {
    "state": word("state", *STATES),
    "probability": Field(of=lambda regime: regime.posterior.get(regime.state), unit="probability", least=0.0, most=1.0),
    "change_point": number("change_point", "probability", 0.0, 1.0),
}
DRIFTED = {
    "kind": word("kind", "errors", "coverage", "features", "dissimilarity", "expiry"),
    "detector": word("detector"),
    "statistic": number("statistic", "ratio"),
}
GAP = {
    "duration": Field(of=lambda gap: gap.end - gap.start, unit="duration", least=0.0),
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

RESOLVED = "{symbol}: forecast of {model} for {due} ({ahead} ahead) is {status}; the price moved {realised}; {found}"
CHANGED = "{symbol}: drift of {kind} of {model} found by {detector} at {time}; since {since}; {detail}; {found}"

KINDS: dict[str, Kind] = {
    "prediction": Kind(
        record=Prediction,
        topic=PREDICTIONS,
        fields=PREDICTION,
        series=("interval", "model"),
        moment=("version", "time"),
        template="{symbol} at {price}: prediction of {model} at {time}; {found}",
        details={"time": closed, "price": price, "forecast": forecast, "due": due, "ahead": ahead},
        of_forecast="{symbol} at {price}: {model} forecasts {forecast}, for {due} ({ahead} ahead); {found}",
        champions_only=True,
    ),
    "outcome": Kind(
        record=Outcome,
        topic=OUTCOMES,
        fields=OUTCOME,
        series=("interval", "model", "horizon"),
        moment=("version", "time"),
        template=RESOLVED,
        details={"time": due, "due": due, "ahead": ahead},
        time="target_time",
        champions_only=True,
    ),
    "regime": Kind(
        record=Regime,
        topic=REGIMES,
        fields=REGIME,
        series=("interval",),
        moment=("time",),
        template="{symbol}: regime {state} on {interval} bars at {time}; probability {probability}; {found}",
        details={"time": closed},
    ),
    "drift": Kind(
        record=Drift,
        topic=DRIFT,
        fields=DRIFTED,
        series=("model", "version", "kind", "detector", "interval", "horizon"),
        moment=("time",),
        template=CHANGED,
        details={"time": moment_of("time"), "since": moment_of("since"), "detail": text_detail("detail")},
    ),
    "gap": Kind(
        record=Gap,
        topic=GAPS,
        fields=GAP,
        series=("venue",),
        moment=("start",),
        template="{symbol}: trades of {venue} are missing over {duration}, {start} to {end} ({reason}); {found}",
        details={"time": moment_of("end"), "start": moment_of("start"), "end": moment_of("end")},
        time="end",
    ),
    "model-event": Kind(
        record=ModelEvent,
        topic=MODEL_EVENTS,
        fields=MODEL_EVENT,
        series=("model", "version", "event", "number", "interval"),
        moment=("time",),
        template="{model} {version}: {event} at {time}; {reason}; {found}",
        details={"time": moment_of("time")},
    ),
    "health": Kind(
        record=ComponentHealth,
        topic=None,
        fields=HEALTH,
        series=("component",),
        moment=("time",),
        template="component {component}: {state} at {time}; {error}; {found}",
        details={"time": moment_of("time"), "error": text_detail("error")},
    ),
}
