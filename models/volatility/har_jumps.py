"""HAR with jumps: the continuous part of the past variance and its jumps weigh differently."""

from math import pi
from typing import ClassVar

import numpy as np

from features.frame import Floats
from models.json_type import JSON
from models.volatility.har import named
from models.volatility.har_week import HARWeek
from models.volatility.realised_measures import WINDOWS, Measures

JUMPS = "log (1 + jumps over continuous variance)"


class HARJumps(HARWeek):
    """`HARWeek` with the jumps in each past variance: HAR-CJ of Andersen, Bollerslev and Diebold (2007), in logarithms.

    The continuous part is the bipower variation, at most the variance and at least the floor. Each window adds the
    logarithm of the variance over that part, so that together the two inputs span both parts' logarithms. No jump is
    left out as insignificant: the test's distribution is for many more bars than the short windows have.
    """

    name: ClassVar[str] = "har_jumps"
    inputs: ClassVar[tuple[str, ...]] = named(WINDOWS, JUMPS)
    settings: ClassVar[JSON] = HARWeek.settings | {"own": JUMPS}

    def _own(self, measures: Measures, variance: Floats, floor: Floats) -> Floats:
        continuous = np.clip(0.5 * pi * measures.products / measures.bars, floor, variance)
        return np.asarray(np.log(variance / continuous))
