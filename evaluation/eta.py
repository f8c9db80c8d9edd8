"""Progress and remaining time of long work."""

from dataclasses import dataclass, field
from time import monotonic


@dataclass
class RemainingTime:
    """Steps done, of `total`; the rest is assumed to proceed at the rate since `began` (seconds)."""

    total: int
    done: int = 0
    began: float = field(default_factory=monotonic)

    def step(self) -> str:
        """Count one more step, and return the progress."""
        self.done += 1
        return self.text(monotonic())

    def text(self, now: float) -> str:
        """Return the progress, and about how long the rest takes.

        >>> RemainingTime(12, 3, began=0.0).text(now=60.0)
        '3 of 12, about 3 min left'
        """
        rest = self.total - self.done
        if not self.done or rest <= 0:
            return f"{self.done} of {self.total}"
        return f"{self.done} of {self.total}, about {format_duration((now - self.began) / self.done * rest)} left"


def format_duration(seconds: float) -> str:
    """Return a length of time in words.

    >>> format_duration(89), format_duration(5_400), format_duration(36_000)
    ('89 s', '90 min', '10.0 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6_000 else f"{seconds / 3_600:.1f} h"
