"""The consumer lag of a reader of Kafka, in rows and in event time, and its text.

A Kafka record holds up to several hundred rows, so a count of records is not informative.
"""

from collections.abc import Iterable
from typing import Self

from msgspec import Struct


class ConsumerLag(Struct, frozen=True):
    """A consumer lag: unprocessed Kafka records, the rows in them, and their event time in seconds.

    `seconds` is the event time of the newest record less that of the last processed one (of the first waiting one if
    none was). None is unknown; rows are unknown if more records wait than are read to count them.
    """

    records: int | None = None
    rows: int | None = None
    seconds: float | None = None

    @classmethod
    def of(cls, parts: Iterable["ConsumerLag"]) -> Self:
        """Return the lag of several partitions: the sum of records and rows, and the longest event time."""
        parts = list(parts)
        seconds = [part.seconds for part in parts if part.seconds is not None]
        return cls(
            _sum(part.records for part in parts),
            _sum(part.rows for part in parts),
            max(seconds, default=0.0) if len(seconds) == len(parts) else None,
        )

    def short(self) -> str:
        """Return rows and event time as far as known, for a cell of a table; a question mark if neither is.

        >>> known, partly = ConsumerLag(3, 1_200, 7_300.0), ConsumerLag(3, None, 7_300.0)
        >>> known.short(), partly.short(), ConsumerLag(3).short(), NOTHING.short()
        ('1,200 rows, 2 h', '2 h', '?', '0 rows')
        """
        if self.rows == 0:
            return "0 rows"
        rows = None if self.rows is None else "1 row" if self.rows == 1 else f"{self.rows:,} rows"
        return ", ".join(filter(None, (rows, None if self.seconds is None else length(self.seconds)))) or "?"

    def text(self) -> str:
        """Return the same for a sentence.

        >>> ConsumerLag(3, 1_200, 7_300.0).text(), ConsumerLag(3, 1_200).text(), ConsumerLag(3).text()
        ('1,200 rows, 2 h of event time', '1,200 rows', 'an unknown number of rows')
        """
        if self.rows is None and self.seconds is None:
            return "an unknown number of rows"
        return self.short() if self.seconds is None or self.rows == 0 else f"{self.short()} of event time"


NOTHING, UNKNOWN = ConsumerLag(0, 0, 0.0), ConsumerLag()


def _sum(numbers: Iterable[int | None]) -> int | None:
    """Return the sum, None if one is unknown."""
    results = list(numbers)
    known = [number for number in results if number is not None]
    return sum(known) if len(known) == len(results) else None


def length(seconds: float) -> str:
    """Return a duration in its largest unit.

    >>> length(95)
    '1 min'
    """
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{max(0, int(seconds))} s"
