"""Binance klines: the public dumps (with and without a header, ms or us) and what people save from the REST API."""

from sources.formats.column_roles import unused
from sources.formats.plain import FIELDS, LEFT_OUT
from sources.markets.file_name import symbol_of
from sources.tables.layout import BAR_FIELDS, Head, Layout, Source, columns_of

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
        head = Head(name=head.name, header=names, rows=head.rows)
    else:
        names = ()
    if head.find("close_time", "close time") is None:
        return None
    columns = columns_of(head, _FIELDS)
    if not columns.keys() >= {"time", "open", "high", "low", "close", "volume"}:
        return None
    over = () if names else unused(head, columns, LEFT_OUT)
    return Layout(
        kind="bar",
        columns=columns,
        names=names,
        symbol=None if "symbol" in columns else symbol_of(head.name),
        left_out=over,
    )


def _later(after: str | None, before: str | None) -> bool:
    try:
        return float(after or "") > float(before or "") > 0
    except ValueError:
        return False


SOURCE = Source(
    name="Binance klines",
    short="binance-klines",
    columns=",".join(NAMES) + " (or the same without a header)",
    recognise=recognise,
)
