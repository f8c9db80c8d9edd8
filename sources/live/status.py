"""The status of a running `foretick live`."""

from msgspec import Struct


class SymbolStatus(Struct, kw_only=True):
    """One symbol's: counts since it is watched, the last trade, and how old it was when it came by our clock (ms)."""

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
    since: int = 0


class Status(Struct, kw_only=True):
    """A venue's: `skew_ms` is its clock's lead over ours, None if it does not tell the time; `heard` is when its
    last message came, `unreadable` how many ccxt could not read.
    """

    venue: str
    pid: int
    since: int
    skew_ms: float | None = None
    heard: int | None = None
    unreadable: int = 0
    problem: str = ""
    symbols: list[SymbolStatus] = []

    @property
    def wrong(self) -> str | None:
        """Return what prevents it from receiving messages, None if nothing does."""
        if not self.symbols:
            return "no symbol is watched"
        return (
            self.problem or "; ".join(f"{each.market}: {each.problem}" for each in self.symbols if each.problem) or None
        )
