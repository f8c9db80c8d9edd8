"""Debounces conditions: one counts once it has lasted, and only once until it is over."""

from dataclasses import dataclass


@dataclass
class Debounce:
    """A condition evaluated step by step: it begins after `steps` steps in a row, and ends likewise.

    `since` is the time of the first of these steps, None if the condition does not hold.
    """

    steps: int
    raised: bool = False
    since: int | None = None
    _in_a_row: int = 0

    def update(self, time: int, *, beyond: bool, within: bool) -> bool:
        """Process one step, at `time`; return True if the condition began with it.

        `beyond` begins it, `within` ends it; with neither it is unchanged.
        """
        if not self.raised:
            self.since = None if not beyond else time if self.since is None else self.since
        self._in_a_row = self._in_a_row + 1 if (within if self.raised else beyond) else 0
        if self._in_a_row < self.steps:
            return False
        self._in_a_row, self.raised = 0, not self.raised
        if not self.raised:
            self.since = None
        return self.raised
