"""HARQ: a past variance counts for less where it was measured less exactly."""

from math import sqrt
from typing import ClassVar

import numpy as np

from features.frame import Floats
from models.json_type import JSON
from models.volatility.har import named
from models.volatility.har_week import HARWeek
from models.volatility.realised_measures import WINDOWS, Measures

ERROR = "error times log variance over the week's"


class HARQ(HARWeek):
    """`HARWeek` whose coefficients change with the variances' errors (Bollerslev, Patton and Quaedvlieg 2016).

    Each window but the longest adds its log variance less that of the week, times the standard error of a log realised
    variance: the root of 2/3 of the sum of r^4 over the square of the sum of r^2, from the realised quarticity by the
    delta method. So a variance that is hardly measured can be drawn towards the week's.
    """

    name: ClassVar[str] = "harq"
    inputs: ClassVar[tuple[str, ...]] = named(WINDOWS, ERROR)[:-1]
    settings: ClassVar[JSON] = HARWeek.settings | {"own": ERROR}

    def _own(self, measures: Measures, variance: Floats, floor: Floats) -> Floats:  # noqa: ARG002 - for the others
        logs = np.log(variance)
        return np.asarray((errors(measures) * (logs - logs[:, -1:]))[:, :-1])


def errors(measures: Measures) -> Floats:
    """Return the standard error of each window's log variance: [n, W].

    Where no price moved it is the largest that there is, that of a window in which one bar moved.
    """
    moved = measures.squares > 0
    squared = np.divide(measures.fourths, measures.squares**2, out=np.ones(moved.shape), where=moved)
    return np.asarray(sqrt(2 / 3) * np.sqrt(squared))
