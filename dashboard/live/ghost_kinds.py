"""The days before that can be drawn behind the prices, shifted to the same hours of the present."""

from dataclasses import dataclass

DAY_MS = 86_400_000


@dataclass(frozen=True)
class GhostKind:
    """A line of the past: its name in the address, what the legend calls it, how far it is shifted [ms], its dash."""

    name: str
    label: str
    shift: int
    dash: tuple[int, ...]


GHOSTS = (
    GhostKind("day", "yesterday", DAY_MS, (7, 4)),
    GhostKind("week", "last week", 7 * DAY_MS, (2, 3)),
)
