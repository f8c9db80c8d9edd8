"""A user's options about files."""

from dataclasses import dataclass

from sources.markets.market import Kind
from sources.times.timestamps import DateOrder


@dataclass(frozen=True, kw_only=True)
class ReadRequest:
    """What is wanted of the files: times from `start` (inclusive) to `end` (exclusive) in epoch ms, a symbol, an
    interval; and what is said of the files: how they write dates with strokes, where their dates do not tell, of which
    market they are, the size of a contract in base currency (inverse: in quote currency), the zone of times that name
    none, and the layout, by its short name.
    """

    start: int | None = None
    end: int | None = None
    symbol: str | None = None
    interval: str | None = None
    date_order: DateOrder | None = None
    market: Kind | None = None
    contract_size: float | None = None
    zone: str | None = None
    layout: str | None = None
