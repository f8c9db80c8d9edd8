"""Detects versions whose training data is too old."""

from learning.monitoring.change import Change

DAY_MS = 86_400_000


class Expiry:
    """The age of a version whose training data ends with the bar at `last`, in event time."""

    def __init__(self, last: int, days: float) -> None:
        self._last, self._days = last, days
        self.raised = False

    def update(self, time: int) -> Change | None:
        """Process the time of the newest bar."""
        until = self._last + round(self._days * DAY_MS)
        if self.raised or time <= until:
            return None
        self.raised = True
        age = (time - self._last) / DAY_MS
        detail = f"the training data ended {age:.1f} days ago"
        return Change("expiry", "age", time, age, self._days, until, detail)
