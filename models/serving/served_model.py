"""A version of a model in service: its role and its training."""

from dataclasses import dataclass
from math import inf
from typing import Protocol, cast

from features.frame import Floats
from models.combine.combiner import Combination, Combiner
from models.forecaster import Forecaster
from topics.records import Role

Model = Forecaster | Combiner


class OODReference(Protocol):
    """A sample of the data that versions were trained on."""

    def dissimilarity(self, values: Floats) -> Floats:
        """Return how far rows [n, F] are from the sample, above 1 farther than it is from itself; NaN if unknown."""
        ...


@dataclass(frozen=True, eq=False, kw_only=True)
class ServedModel:
    """A version that predicts in a role, by the `number`-th decision about its model; 0 if none was recorded.

    After `fresh_until` (epoch ms) its training counts as too old. Without a `reference` the dissimilarity is unknown.
    """

    model: Model
    version: str
    role: Role = "champion"
    number: int = 0
    fresh_until: float = inf
    reference: OODReference | None = None

    @property
    def key(self) -> str:
        """The key of the version's state."""
        return f"{self.model.name} {self.version}"

    @property
    def combines(self) -> bool:
        """Whether the model combines the forecasts of others."""
        return isinstance(self.model, Combination)

    @property
    def forecaster(self) -> Forecaster:
        """The model as a forecaster; only for models passed to the predictor as such."""
        return cast(Forecaster, self.model)

    @property
    def combiner(self) -> Combiner:
        """The model as a combiner; only for models passed to the predictor as such."""
        return cast(Combiner, self.model)


def as_served(model: Model | ServedModel) -> ServedModel:
    """Return a bare model as the champion."""
    return model if isinstance(model, ServedModel) else ServedModel(model=model, version=model.version)
