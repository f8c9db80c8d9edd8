"""Rate limits: each client has a token bucket."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class RateLimiter:
    """The buckets of all clients; `rate` in requests a second, `burst` is a bucket's size, `now` in seconds."""

    rate: float
    burst: int
    now: Callable[[], float]
    _levels: dict[str, tuple[float, float]] = field(default_factory=dict)

    def wait(self, who: str) -> float:
        """Take a token from a client's bucket and return 0; if it is empty, return the seconds until there is one."""
        now = self.now()
        level, since = self._levels.get(who, (float(self.burst), now))
        level = min(float(self.burst), level + (now - since) * self.rate)
        if level < 1:
            self._levels[who] = level, now
            return (1 - level) / self.rate
        self._levels[who] = level - 1, now
        return 0.0
