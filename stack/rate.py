"""How often somebody may ask: each has a bucket that fills at a steady rate and gives one for a request."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Buckets:
    """The buckets of all who ask; `rate` in requests a second, `burst` what a bucket holds, `now` in seconds."""

    rate: float
    burst: int
    now: Callable[[], float]
    _levels: dict[str, tuple[float, float]] = field(default_factory=dict)

    def wait(self, who: str) -> float:
        """Take one out of somebody's bucket and return 0; where it is empty return after how many seconds it is not."""
        now = self.now()
        level, since = self._levels.get(who, (float(self.burst), now))
        level = min(float(self.burst), level + (now - since) * self.rate)
        if level < 1:
            self._levels[who] = level, now
            return (1 - level) / self.rate
        self._levels[who] = level - 1, now
        return 0.0
