"""The pace of a replay: full speed, or event time multiplied by the speed."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from sources.errors import SourceError
from sources.tables.columns import Columns, size, take

Rows = dict[int, Columns]
_LEAST_WAIT = 0.02


def speed_of(text: str) -> float | None:
    """Return how many times faster than real time ``60x`` is, or None for ``max``.

    Raises SourceError if the text is neither.

    >>> speed_of("60x")
    60.0
    """
    if text == "max":
        return None
    try:
        speed = float(text.removesuffix("x"))
    except ValueError:
        speed = 0.0
    if not 0 < speed < np.inf or not text.endswith("x"):
        raise SourceError(f"--speed {text!r} is neither max nor a number of times real time, such as 1x or 60x")
    return speed


def split(parts: Mapping[int, Columns], until: float) -> tuple[Rows, Rows]:
    """Part the rows of each series into those up to a time (epoch ms) and those after it; a series without rows is left
    out.
    """
    early, late = {}, {}
    for series, rows in parts.items():
        at = int(np.searchsorted(rows["time"], until, side="right"))
        if at:
            early[series] = take(rows, slice(at))
        if at < size(rows):
            late[series] = take(rows, slice(at, None))
    return early, late


@dataclass
class Pace:
    """Waits until rows are due. `speed` None is at once. The first row is due at once."""

    speed: float | None
    _begun: tuple[float, int] | None = field(default=None, init=False)

    async def due(self, rows: Rows) -> AsyncIterator[Rows]:
        """Yield the rows in steps, each when it is due."""
        if self.speed is None:
            yield rows
            return
        while rows:
            first = min(int(columns["time"][0]) for columns in rows.values())
            now = asyncio.get_running_loop().time()
            self._begun = self._begun or (now, first)
            wall, event = self._begun
            ready, later = split(rows, event + (now - wall) * self.speed * 1_000)
            if ready:
                yield ready
            else:
                await asyncio.sleep(max((first - event) / 1_000 / self.speed - (now - wall), _LEAST_WAIT))
            rows = later
