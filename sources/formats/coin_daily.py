"""Cryptocurrency Historical Prices (Kaggle): coin_Bitcoin.csv and its like, a day a row."""

from collections.abc import Callable
from pathlib import Path

from sources.layout import Head, Layout, Source, columns_of, joined

_FIELDS = {name: (name,) for name in ("open", "high", "low", "close", "volume", "symbol")} | {"time": ("date",)}


def recognise(head: Head) -> Layout | None:
    """Recognise it by SNo and Marketcap; a row is stamped with its day's last second, its time is the day's start."""
    if not head.has("sno", "marketcap"):
        return None
    columns = columns_of(head, _FIELDS)
    return Layout("bar", columns, day=True) if len(columns) == len(_FIELDS) else None


def symbols(_: Path) -> Callable[[str], str]:
    """Return what turns a coin's ticker into a symbol: prices are in dollars, so ``BTC`` becomes ``BTCUSD``."""
    return lambda ticker: joined(ticker) + "USD"


SOURCE = Source(
    "Cryptocurrency Historical Prices", "SNo,Name,Symbol,Date,High,Low,Open,Close,Volume,Marketcap", recognise, symbols
)
