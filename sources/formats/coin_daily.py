"""Cryptocurrency Historical Prices (Kaggle): coin_Bitcoin.csv and its like, a day a row."""

from collections.abc import Callable
from pathlib import Path

from sources.tables.layout import Head, Layout, Source, columns_of
from topics.markets import canonical

_FIELDS = {name: (name,) for name in ("open", "high", "low", "close", "symbol")} | {
    "time": ("date",),
    "quote_volume": ("volume",),  # CoinMarketCap's, in dollars
}


def recognise(head: Head) -> Layout | None:
    """Recognise it by SNo and Marketcap; a row is stamped with its day's last second, its time is the day's start."""
    if not head.has("sno", "marketcap"):
        return None
    columns = columns_of(head, _FIELDS)
    return Layout(kind="bar", columns=columns, day=True) if len(columns) == len(_FIELDS) else None


def symbols(_: Path) -> Callable[[str], str]:
    """Return the function from a coin's ticker to a symbol: prices are in dollars, so ``BTC`` becomes ``BTCUSD``."""
    return lambda ticker: canonical(ticker) + "USD"


SOURCE = Source(
    name="Cryptocurrency Historical Prices",
    short="coin-daily",
    columns="SNo,Name,Symbol,Date,High,Low,Open,Close,Volume,Marketcap",
    recognise=recognise,
    symbols=symbols,
)
