"""Bitcoin Historical Data (Kaggle): one minute a row since 2012, in its two generations of columns."""

from sources.markets.file_name import symbol_of
from sources.tables.layout import Head, Layout, Source, columns_of

_OLD = {name: (name,) for name in ("open", "high", "low", "close")} | {
    "time": ("timestamp",),
    "volume": ("volume_(btc)",),
    "quote_volume": ("volume_(currency)",),
}


def recognise(head: Head) -> Layout | None:
    """Recognise the generation with Volume_(BTC), whose rows are NaN if nothing traded.

    The newer one (Timestamp,Open,High,Low,Close,Volume) is a plain table. The pair is bitcoin in the currency of the
    name.
    """
    columns = columns_of(head, _OLD)
    if len(columns) < len(_OLD):
        return None
    return Layout(kind="bar", columns=columns, symbol=symbol_of(head.name) or "BTCUSD")


SOURCE = Source(
    name="Bitcoin Historical Data",
    short="bitcoin-historical",
    columns="Timestamp,Open,High,Low,Close,Volume_(BTC),Volume_(Currency),Weighted_Price (or with Volume alone)",
    recognise=recognise,
)
