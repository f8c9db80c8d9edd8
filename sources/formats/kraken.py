"""Kraken's OHLCVT files: seven columns without a header; an interval without a trade has no row."""

from sources.cells import is_epoch, is_ohlc
from sources.layout import Head, Layout, Source
from sources.names import symbol_of

NAMES = ("time", "open", "high", "low", "close", "volume", "trades")


def recognise(head: Head) -> Layout | None:
    """Recognise seven unnamed columns: unix time, prices with low <= open, close <= high, volume, a whole count."""
    if head.header is not None or head.width != len(NAMES) or not is_epoch(head.column(0)):
        return None
    if not is_ohlc(head, (1, 2, 3, 4)) or not all((cell or "").strip().isdecimal() for cell in head.column(6)):
        return None
    return Layout("bar", {name: name for name in NAMES}, NAMES, symbol_of(head.name))


SOURCE = Source("Kraken OHLCVT", "(no header) " + ",".join(NAMES), recognise)
