"""Semivariance HAR: falls and rises of the past weigh differently."""

from typing import ClassVar

from features.frame import Floats
from models.json_type import JSON
from models.volatility.har import named
from models.volatility.har_week import HARWeek
from models.volatility.realised_measures import WINDOWS, Measures

EXCESS = "excess of falls' variance"


class HARSemivariance(HARWeek):
    """`HARWeek` with the signed part of each past variance (Patton and Sheppard 2015).

    Each window adds the realised semivariance of falls less that of rises, over their sum, which is at least the
    floor. In logarithms the two semivariances themselves would be unknown where the price only rose or only fell.
    """

    name: ClassVar[str] = "har_semivariance"
    inputs: ClassVar[tuple[str, ...]] = named(WINDOWS, EXCESS)
    settings: ClassVar[JSON] = HARWeek.settings | {"own": EXCESS}

    def _own(self, measures: Measures, variance: Floats, floor: Floats) -> Floats:  # noqa: ARG002 - for the others
        return (2 * measures.falls - measures.squares) / (variance * measures.bars)
