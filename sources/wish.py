"""What a user says of the files that are to be read, and wants of them."""

from dataclasses import dataclass

from sources.times import DateOrder


@dataclass(frozen=True)
class Wish:
    """What is wanted of the files: times from `start` (inclusive) to `end` (exclusive) in epoch ms, a symbol, an
    interval; and what is said of the files: how they write dates with strokes, where their dates do not tell.
    """

    start: int | None = None
    end: int | None = None
    symbol: str | None = None
    interval: str | None = None
    date_order: DateOrder | None = None
