"""The span of a table's times, chunk by chunk, and whether they rise or fall."""

from dataclasses import dataclass

from sources.tables.columns import Array


@dataclass(kw_only=True)
class Span:
    """The first and the last time (ms), and in which order the rows stand; of no rows `last` is 0."""

    first: int = 2**63 - 1
    last: int = 0
    rises: bool = True
    falls: bool = True
    _before: int | None = None

    def add(self, time: Array) -> None:
        """See the times of some rows, all of which can be read."""
        if not len(time):
            return
        step = int(time[0]) - (int(time[0]) if self._before is None else self._before)
        self.rises = self.rises and step >= 0 and bool((time[1:] >= time[:-1]).all())
        self.falls = self.falls and step <= 0 and bool((time[1:] <= time[:-1]).all())
        self.first, self.last = min(self.first, int(time.min())), max(self.last, int(time.max()))
        self._before = int(time[-1])
