"""CoinAPI's OHLCV tables."""

from sources.markets.file_name import symbol_of
from sources.tables.layout import Head, Layout, Source, columns_of

_FIELDS = {
    "time": ("period start", "time_period_start"),
    "open": ("price open", "price_open"),
    "high": ("price high", "price_high"),
    "low": ("price low", "price_low"),
    "close": ("price close", "price_close"),
    "volume": ("volume traded", "volume_traded"),
    "trades": ("trades count", "trades_count"),
}


def recognise(head: Head) -> Layout | None:
    """Recognise all seven columns by name, in any order."""
    columns = columns_of(head, _FIELDS)
    return Layout(kind="bar", columns=columns, symbol=symbol_of(head.name)) if len(columns) == len(_FIELDS) else None


SOURCE = Source(
    name="CoinAPI OHLCV",
    short="coinapi",
    columns="Period Start,Period end,Time open,Time close,Price open,Price close,Price low,Price high,Volume traded,"
    "Trades count",
    recognise=recognise,
)
