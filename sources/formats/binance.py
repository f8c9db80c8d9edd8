"""Binance klines: the public dumps (with and without a header, ms or us) and what people save from the REST API."""

from sources.formats.plain import FIELDS
from sources.layout import BAR_FIELDS, Head, Layout, Source, columns_of
from sources.names import symbol_of

NAMES = (
    "open_time",
    "open",
    "high",
    "low",
    "close",
    "volume",
    "close_time",
    "quote_volume",
    "count",
    "taker_buy_volume",
    "taker_buy_quote_volume",
    "ignore",
)
_FIELDS = {"time": ("open_time", "open time", "timestamp"), "symbol": ("symbol",)} | {
    name: FIELDS[name] for name in BAR_FIELDS
}


def recognise(head: Head) -> Layout | None:
    """Recognise twelve columns with a close time in the seventh, or a header that names the close time."""
    if head.header is None:
        if head.width != len(NAMES) or not all(_later(row[6], row[0]) for row in head.rows):
            return None
        names = tuple(NAMES)
        head = Head(head.name, names, head.rows)
    else:
        names = ()
    if head.find("close_time", "close time") is None:
        return None
    columns = columns_of(head, _FIELDS)
    if not columns.keys() >= {"time", "open", "high", "low", "close", "volume"}:
        return None
    return Layout("bar", columns, names, symbol=None if "symbol" in columns else symbol_of(head.name))


def _later(after: str | None, before: str | None) -> bool:
    try:
        return float(after or "") > float(before or "") > 0
    except ValueError:
        return False


SOURCE = Source("Binance klines", ",".join(NAMES) + " (or the same without a header)", recognise)
