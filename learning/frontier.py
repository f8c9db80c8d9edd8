"""Until which bar all symbols have come, so that their mean can be taken."""

from collections.abc import Mapping
from math import inf

PATIENCE_S = 120.0


class Frontier:
    """The bar until which everything has been read, and until which it can be.

    A symbol that brings nothing new for `PATIENCE_S` seconds while it holds up the others is left behind until it has
    come up with them: its bars until then count nowhere. That alone depends on the clock.
    """

    def __init__(self, read: int) -> None:
        self.read = read
        self._seen: dict[str, tuple[int, float]] = {}

    def reach(self, newest: Mapping[str, int], now: float) -> int:
        """Return the bar up to which all symbols are complete, `read` where there is none later.

        `newest` has each symbol's newest bar (epoch ms), which may be half-written: the one before is the last that
        counts. `now` is in seconds of any clock.
        """
        for symbol, time in newest.items():
            before = self._seen.get(symbol)
            if before is None or time > before[0]:
                # One that had ended before the first bar that is read is not waited for at all.
                self._seen[symbol] = time, -inf if before is None and time <= self.read else now
        waited_for = [time for time, since in self._seen.values() if time > self.read + 1 or now - since < PATIENCE_S]
        return max(self.read, min(waited_for, default=0) - 1)
