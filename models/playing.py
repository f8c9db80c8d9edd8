"""A version of a model in service: what it predicts for, and what is known of its training."""

from dataclasses import dataclass
from math import inf
from typing import Protocol, cast

from features.frame import Floats
from models.combiner import Combiner
from models.forecaster import Forecaster
from topics.records import Role

Model = Forecaster | Combiner


class Unlike(Protocol):
    """A sample of the data that versions were trained on."""

    def dissimilarity(self, values: Floats) -> Floats:
        """Return how far rows [n, F] are from the sample, above 1 farther than it is from itself; NaN where unknown."""
        ...


@dataclass(frozen=True, eq=False)
class Playing:
    """A version that predicts in a role, by the `number`-th decision about its model; 0 where none was written down.

    From after `fresh_until` (epoch ms) on its training counts as too old. Without a `reference` nobody can tell how
    unlike a row is.
    """

    model: Model
    version: str
    role: Role = "champion"
    number: int = 0
    fresh_until: float = inf
    reference: Unlike | None = None

    @property
    def key(self) -> str:
        """Under which a state keeps what the version knows."""
        return f"{self.model.name} {self.version}"

    @property
    def forecaster(self) -> Forecaster:
        """The model as a forecaster, which those are that the predictor was given as such."""
        return cast(Forecaster, self.model)

    @property
    def combiner(self) -> Combiner:
        """The model as a combiner, which those are that the predictor was given as such."""
        return cast(Combiner, self.model)


def playing(model: Model | Playing) -> Playing:
    """Return a bare model as the champion."""
    return model if isinstance(model, Playing) else Playing(model, model.version)
