"""How fast rows arrive, from counters that only grow."""

from collections import deque
from dataclasses import dataclass, field

WINDOW_S = 10.0


@dataclass(frozen=True)
class Rates:
    """Rows a second over the last refreshes; None is unknown."""

    bars: float | None = None
    predictions: float | None = None


@dataclass
class RateMeter:
    """The counters of the last `WINDOW_S` seconds."""

    samples: deque[tuple[float, int, int]] = field(default_factory=deque)

    def add(self, now: float, bars: int | None, predictions: int | None) -> Rates:
        """Take the counters read at `now` [s] and return the rates over the window.

        Counters that are unknown or have fallen (a dropped chunk, a reset) restart the window: the rate is unknown.
        """
        if bars is None or predictions is None:
            self.samples.clear()
            return Rates()
        if self.samples and (bars < self.samples[-1][1] or predictions < self.samples[-1][2]):
            self.samples.clear()
        self.samples.append((now, bars, predictions))
        while len(self.samples) > 2 and self.samples[1][0] <= now - WINDOW_S:
            self.samples.popleft()
        then, bars_then, predictions_then = self.samples[0]
        if now <= then:
            return Rates()
        return Rates((bars - bars_then) / (now - then), (predictions - predictions_then) / (now - then))
