"""The bar up to which all symbols are complete, so that their mean can be computed."""

from collections.abc import Mapping
from math import inf

ALLOWED_LATENESS_S = 120.0


class Watermark:
    """The bar until which everything has been read, and until which it can be.

    A symbol without new bars for `ALLOWED_LATENESS_S` seconds that delays the others is left out until it has caught
    up: its bars until then are not counted. Only this depends on the clock.
    """

    def __init__(self, read: int) -> None:
        self.read = read
        self._seen: dict[str, tuple[int, float]] = {}

    def advance(self, newest: Mapping[str, int], now: float) -> int:
        """Return the bar up to which all symbols are complete, `read` if there is none later.

        `newest` has each symbol's newest bar (epoch ms), which may be incomplete: the one before is the last that
        counts. `now` is in seconds of any clock.
        """
        for symbol, time in newest.items():
            before = self._seen.get(symbol)
            if before is None or time > before[0]:
                # A symbol that ended before the first bar read is not waited for.
                self._seen[symbol] = time, -inf if before is None and time <= self.read else now
        waited_for = [
            time for time, since in self._seen.values() if time > self.read + 1 or now - since < ALLOWED_LATENESS_S
        ]
        return max(self.read, min(waited_for, default=0) - 1)
