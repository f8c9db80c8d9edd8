"""When what is beyond its limit counts: once it has lasted, and once only until it is over."""

from dataclasses import dataclass


@dataclass
class Lasting:
    """A condition that is looked at step by step: it has begun after `steps` steps in a row, and ended likewise.

    `since` is the time of the first of these steps, None where the condition does not hold.
    """

    steps: int
    raised: bool = False
    since: int | None = None
    _in_a_row: int = 0

    def update(self, time: int, *, beyond: bool, within: bool) -> bool:
        """Take one look, at `time`; return True if the condition has begun with it.

        `beyond` is what begins it, `within` what ends it; between the two lies a band where it stays what it was.
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
