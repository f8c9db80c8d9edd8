"""What is counted while files are replayed."""

from msgspec import Struct


class Counts(Struct):
    """Counts of rows. `rows` of the files are `bars`, `ticks`, `duplicates`, `impossible`, `empty` (nothing traded), or
    `outside` what was asked for. `gaps` are places where `missing_intervals` lack. `first` and `last` are epoch ms.

    `sent` were sent by this run, `delivered_before` by an earlier one that was interrupted.
    """

    rows: int = 0
    bars: int = 0
    ticks: int = 0
    duplicates: int = 0
    impossible: int = 0
    empty: int = 0
    outside: int = 0
    gaps: int = 0
    missing_intervals: int = 0
    sent: int = 0
    delivered_before: int = 0
    first: int | None = None
    last: int | None = None
    symbols: dict[str, int] = {}
    seconds: float = 0.0
    complete_before: bool = False

    @property
    def handled(self) -> int:
        """The rows that are done with."""
        dropped = self.duplicates + self.impossible + self.empty + self.outside
        return self.sent + self.delivered_before + dropped

    def span(self, first: int, last: int) -> None:
        """Widen the span of time."""
        self.first = first if self.first is None else min(self.first, first)
        self.last = last if self.last is None else max(self.last, last)
