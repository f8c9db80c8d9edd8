"""The ensemble: experts weighed online by what they were worth lately, in each state of the market or in all alike."""

from typing import ClassVar

import numpy as np

from features.frame import Floats, Ints
from models import aggregation
from models.combiner import Combination
from models.forecaster import JSON

STRONG = ("ridge", "lightgbm")
"""The experts that have the floor between them, where they are there."""
REGIME = "regime_"


class EnsemblePlain(Combination):
    """ML-Poly over the experts, whatever the state of the market; shrunk by the trailing calibration slope."""

    name: ClassVar[str] = "ensemble_plain"
    played: ClassVar[int] = aggregation.PLAYED

    def _fresh(self, experts: int) -> JSON:
        shape = (3, max(len(self.contexts), 1), experts)
        return {"memory": np.zeros(shape).tolist(), "slope": [0.0, 0.0]}

    def _restored(self, learnt: JSON, moved: list[int]) -> dict[str, Floats]:
        memory = np.array(learnt["memory"], dtype=np.float64)
        unheard = np.zeros((*memory.shape[:2], 1))
        carried = np.ascontiguousarray(np.concatenate([memory, unheard], axis=2)[:, :, moved])
        return {"memory": carried, "slope": np.array(learnt["slope"], dtype=np.float64)}

    def _advance(
        self,
        learnt: dict[str, Floats],
        rows: Floats,
        old: int,
        at: Ints,
        y: Floats,
        horizon: int,
        experts: tuple[str, ...],
    ) -> tuple[int, Floats, Floats]:
        strong = np.array([float(name in STRONG) for name in experts])
        prior = aggregation.PRIOR * horizon
        return aggregation.advance(rows, old, at, y, learnt["memory"], learnt["slope"], strong, prior)

    def _constants(self) -> JSON:
        weighing = [aggregation.MEMORY, aggregation.SHARE, aggregation.FLOOR]
        shrinking = [aggregation.PRIOR, aggregation.LARGEST_SLOPE]
        return super()._constants() | {"strong": STRONG, "weighing": weighing, "shrinking": shrinking}


class Ensemble(EnsemblePlain):
    """ML-Poly over pairs of an expert and a state of the market, each awake as far as the market is in that state."""

    name: ClassVar[str] = "ensemble"

    @property
    def contexts(self) -> tuple[str, ...]:
        """The probabilities of the market's states, as filtered at each bar."""
        return tuple(name for name in self.names if name.startswith(REGIME))
