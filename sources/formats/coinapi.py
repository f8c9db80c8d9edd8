"""CoinAPI's OHLCV tables."""

from sources.layout import Head, Layout, Source, columns_of
from sources.names import symbol_of

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
    return Layout("bar", columns, symbol=symbol_of(head.name)) if len(columns) == len(_FIELDS) else None


SOURCE = Source(
    "CoinAPI OHLCV",
    "Period Start,Period end,Time open,Time close,Price open,Price close,Price low,Price high,Volume traded,"
    "Trades count",
    recognise,
)
