"""What a model tells of one of its forecasts: what each input added to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from features.frame import FeatureFrame, Floats
from models import ewma_volatility
from models.ewma_volatility import Walk
from models.json_type import JSON

Quantity = Literal["mean", "log variance"]


@dataclass(frozen=True)
class Row:
    """The forecast in question: the state `before` and `after` its row, the row [1] and its horizon's place."""

    before: JSON
    after: JSON
    frame: FeatureFrame
    column: int

    @cached_property
    def walk(self) -> Walk:
        """The row's walk of the scale."""
        return ewma_volatility.walk(self.before.get("volatility", self.before), self.frame)[1]

    @property
    def sigma(self) -> float:
        """The volatility of one bar."""
        return float(self.walk.sigma[0])


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What made a forecast: the base and what each input [F] added to the `quantity`.

    The mean is in units of sigma sqrt(h); a variance is the logarithm of its ratio to sigma^2 h. A `note` stands in
    place of the parts where there is nothing to explain.
    """

    base: float
    names: Sequence[str]
    values: Sequence[float]
    parts: Sequence[float]
    attention: JSON
    note: str = ""
    quantity: Quantity = "mean"


def no_drift(name: str) -> Parts:
    """Return what a model tells whose mean is zero at every bar."""
    note = f"{name} forecasts no drift: its mean is zero at every bar, and there is nothing to explain"
    return Parts(base=0.0, names=[], values=[], parts=[], attention={}, note=note)


def weighed(base: float, names: Sequence[str], z: Floats, weights: Floats) -> Parts:
    """Return the parts of a linear model: coefficient times input."""
    return Parts(base=base, names=names, values=z.tolist(), parts=(z * weights).tolist(), attention={})
