"""HAR whose past reaches back a week: the regression to which the other models of its family add columns."""

from typing import ClassVar

import numpy as np

from features.frame import FeatureFrame, Floats
from models.ewma_volatility import Walk
from models.json_type import JSON
from models.volatility import daily_regression, realised_measures
from models.volatility.har import HAR, HARMONICS, named
from models.volatility.realised_measures import WINDOWS, Measures
from models.volatility.realised_variance import Squares


class HARWeek(HAR):
    """Log realised variance on those of the past up to a week (Corsi 2009), with diurnal terms.

    A history of less than a day knows no day apart from a week: a slight ridge penalty shares what is alike.
    """

    name: ClassVar[str] = "har_week"
    inputs: ClassVar[tuple[str, ...]] = named(WINDOWS)
    reach: ClassVar[int] = realised_measures.SINGLE
    ridge: ClassVar[float] = 1e-9
    settings: ClassVar[JSON] = HAR.settings | {"windows": WINDOWS, "block": realised_measures.BLOCK, "ridge": ridge}

    def _unseen(self) -> JSON:
        return realised_measures.initial()

    def _see(self, state: JSON, frame: FeatureFrame, walk: Walk, floor: Floats) -> tuple[JSON, Squares, Floats]:
        state, seen, measures = realised_measures.step(state, frame, self._reach, walk)
        past = measures.squares / measures.bars
        x = daily_regression.inputs(past, floor, frame.time, HARMONICS)
        least = floor[:, None]
        return state, seen, np.column_stack([x, self._own(measures, np.maximum(past, least), least)])

    def _own(self, measures: Measures, variance: Floats, floor: Floats) -> Floats:  # noqa: ARG002 - for the others
        """Return what the model adds to the regression's inputs: [n, K].

        `variance` [n, W] is that of a bar in each window, at least `floor` [n, 1].
        """
        return np.empty((len(variance), 0))
