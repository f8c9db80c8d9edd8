"""CryptoDataDownload: a note or address in the first line, newest row first, four generations of time columns."""

from sources.formats.column_roles import unused
from sources.formats.plain import LEFT_OUT
from sources.tables.layout import Head, Layout, Source, columns_of

NAMES = ("unix", "date", "symbol", "open", "high", "low", "close", "Volume base", "Volume quote", "tradecount")
_FIELDS = {name: (name,) for name in ("symbol", "open", "high", "low", "close")} | {
    "time": ("unix", "date"),
    "trades": ("tradecount",),
}


def recognise(head: Head) -> Layout | None:
    """Recognise a date and a symbol column with prices and volumes in both currencies, or ten such columns unnamed.

    The unix column is the time (s, also as a float, or ms: a file pasted of two downloads has both); where there is
    none, the date is.
    """
    names: tuple[str, ...] = ()
    if head.header is None:
        if head.width != len(NAMES) or not all("/" in (cell or "") for cell in head.column(2)):
            return None
        names = NAMES
        head = Head(name=head.name, header=names, rows=head.rows)
    columns = columns_of(head, _FIELDS)
    volumes = [name for name in head.header or () if name.strip().lower().startswith("volume")]
    if (
        not columns.keys() >= {"time", "symbol", "open", "high", "low", "close"}
        or not head.has("date")
        or len(volumes) < 2
    ):
        return None
    base, quote = _volumes(volumes, _first(head, columns["symbol"]))
    columns |= {"volume": base, "quote_volume": quote}
    return Layout(
        kind="bar", columns=columns, names=names, left_out=() if names else unused(head, columns, LEFT_OUT | {"date"})
    )


def _first(head: Head, column: str) -> str:
    """Return the first symbol of a table."""
    return next((cell for cell in head.column(head.names.index(column)) if cell), "")


def _volumes(names: list[str], symbol: str) -> tuple[str, str]:
    """Return the columns of the base and the quote volume.

    They are named after the currency ("Volume ETH, Volume USD", in either order), or "volume_btc, volume".
    """
    first, second = names[:2]
    if first.strip().lower() == "volume":
        return second, first
    base = symbol.upper()
    currency = second.strip().upper().removeprefix("VOLUME").strip(" _")
    return (second, first) if currency and base.startswith(currency) else (first, second)


SOURCE = Source(
    name="CryptoDataDownload",
    short="cryptodatadownload",
    columns="unix,date,symbol,open,high,low,close,Volume BTC,Volume USDT,tradecount (below a note)",
    recognise=recognise,
)
