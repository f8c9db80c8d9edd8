"""What a running `foretick live` tells of itself."""

from msgspec import Struct


class SymbolStatus(Struct):
    """One symbol's: counts since the start, the last trade, and how old it was when it came by our clock (ms)."""

    symbol: str
    market: str
    trades: int = 0
    repaired: int = 0
    duplicates: int = 0
    gaps: int = 0
    dead: int = 0
    reconnects: int = 0
    waiting: int = 0
    last_time: int | None = None
    last_id: str | None = None
    age_ms: float | None = None
    problem: str = ""


class Status(Struct):
    """A venue's: `skew_ms` is its clock's lead over ours, None where it does not tell the time."""

    venue: str
    pid: int
    since: int
    skew_ms: float | None = None
    symbols: list[SymbolStatus] = []
