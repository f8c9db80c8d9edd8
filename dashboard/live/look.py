"""The colours, names and clock of a page."""

from collections.abc import Mapping
from dataclasses import dataclass

from dashboard.clock import Clock
from dashboard.palette import Palette


@dataclass(frozen=True, kw_only=True)
class Look:
    """How all is coloured and named; `old` is that the fan is no forecast of what comes next.

    `opened` is the time [epoch ms] of the bar whose forecast is told in detail.
    """

    palette: Palette
    models: Mapping[str, str]
    regimes: Mapping[str, str]
    model: str | None
    hidden: frozenset[str]
    clock: Clock
    old: bool
    opened: int | None = None

    @property
    def fan(self) -> str:
        """Return the fan's colour: its model's, grey once it is old."""
        return self.palette.muted if self.old else self.models.get(self.model or "", self.palette.baseline)
