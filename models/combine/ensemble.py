"""The ensemble: experts weighted online by their recent performance, in each regime or overall."""

from typing import ClassVar

import numpy as np

from features.frame import Floats, Ints
from models.combine import aggregation
from models.combine.combiner import Combination
from models.json_type import JSON

STRONG = ("ridge", "lightgbm")
"""The experts that share the floor, if they are present."""
REGIME = "regime_"


class EnsemblePlain(Combination):
    """ML-Poly over the experts, regardless of the regime; shrunk by the trailing calibration slope."""

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
    """ML-Poly over pairs of an expert and a regime, each awake with the regime's probability."""

    name: ClassVar[str] = "ensemble"

    @property
    def contexts(self) -> tuple[str, ...]:
        """The filtered probabilities of the regimes at each bar."""
        return tuple(name for name in self.names if name.startswith(REGIME))
