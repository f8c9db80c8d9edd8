"""The search space of a model: its parameters, with the range and the default of each.

The ranges of the trees and the networks are from pilots on real minutes (the project's notes on forecasting, "Optuna"),
unless noted otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from types import MappingProxyType

from models.json_type import JSON

Value = float | int | str | bool
Parameters = Mapping[str, Value]
"""Values by the parameters' names; others have their default."""
NONE: Parameters = MappingProxyType({})


@dataclass(frozen=True)
class Integer:
    """A whole number from `low` to `high`; `log`: sampled uniformly in the logarithm."""

    low: int
    high: int
    default: int
    log: bool = False

    def taken(self, value: Value) -> int | None:
        """Return the value converted to this kind, None if it is not valid."""
        whole = isinstance(value, int) and not isinstance(value, bool)
        return int(value) if whole and self.low <= int(value) <= self.high else None

    def __str__(self) -> str:
        return f"a whole number from {self.low} to {self.high}"


@dataclass(frozen=True)
class Real:
    """A number from `low` to `high`; `log`: sampled uniformly in the logarithm."""

    low: float
    high: float
    default: float
    log: bool = False

    def taken(self, value: Value) -> float | None:
        """Return the value converted to this kind, None if it is not valid."""
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return float(value) if number and self.low <= float(value) <= self.high else None

    def __str__(self) -> str:
        return f"a number from {self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class Choice:
    """One of the `options`, which have no order."""

    options: tuple[Value, ...]
    default: Value

    def taken(self, value: Value) -> Value | None:
        """Return the value converted to this kind, None if it is not valid."""
        return next((option for option in self.options if option == value and type(option) is type(value)), None)

    def __str__(self) -> str:
        return f"one of {', '.join(map(str, self.options))}"


Kind = Integer | Real | Choice
Space = Mapping[str, Kind]

HALF_LIFE = Choice(("none", 180, 60), "none")
"""Days after which a row weighs half in the fit; none: all weigh the same."""
CLIP = Real(3.0, 6.0, 4.0)
"""Standard deviations to which targets are clipped."""


def half_life(value: Value) -> float:
    """Return the days of a `HALF_LIFE`."""
    return inf if value == "none" else float(value)


def defaults(space: Space) -> dict[str, Value]:
    """Return the values of an untuned model."""
    return {name: kind.default for name, kind in space.items()}


def tuned(model: str, space: Space, parameters: Parameters) -> dict[str, Value]:
    """Return those of the parameters that differ from their defaults, by name: a model of defaults is an untuned one.

    Raises ValueError with one line if the space does not have the name, or the value is none that it may take.
    """
    values: dict[str, Value] = {}
    for name in sorted(parameters):
        if name not in space:
            has = ", ".join(space) or "none"
            raise ValueError(f"model {model!r} has no parameter {name!r}; it has {has}")
        value = space[name].taken(parameters[name])
        if value is None:
            raise ValueError(f"{name} of model {model!r} is {parameters[name]!r}; it must be {space[name]}")
        if value != space[name].default:
            values[name] = value
    return values


def noted(values: Parameters) -> JSON:
    """Return the entry of an artifact's definition: none for an untuned model, whose version is unchanged."""
    return {"tuned": dict(values)} if values else {}


def of(definition: JSON) -> Parameters:
    """Return the parameters that `noted` put into a definition."""
    values: dict[str, Value] = definition.get("tuned", {})
    return values
