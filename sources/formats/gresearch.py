"""G-Research Crypto Forecasting (Kaggle): one long table of 14 assets, a minute a row."""

import csv
from collections.abc import Callable
from pathlib import Path

from sources.tables.layout import Head, Layout, Source, columns_of

ASSETS = {
    "0": "Binance Coin",
    "1": "Bitcoin",
    "2": "Bitcoin Cash",
    "3": "Cardano",
    "4": "Dogecoin",
    "5": "EOS.IO",
    "6": "Ethereum",
    "7": "Ethereum Classic",
    "8": "IOTA",
    "9": "Litecoin",
    "10": "Maker",
    "11": "Monero",
    "12": "Stellar",
    "13": "TRON",
}
"""Asset_ID to Asset_Name, as in asset_details.csv, for tables without that file."""
TICKERS = {
    "Binance Coin": "BNB",
    "Bitcoin": "BTC",
    "Bitcoin Cash": "BCH",
    "Cardano": "ADA",
    "Dogecoin": "DOGE",
    "EOS.IO": "EOS",
    "Ethereum": "ETH",
    "Ethereum Classic": "ETC",
    "IOTA": "IOTA",
    "Litecoin": "LTC",
    "Maker": "MKR",
    "Monero": "XMR",
    "Stellar": "XLM",
    "TRON": "TRX",
}
_FIELDS = {name: (name,) for name in ("open", "high", "low", "close", "volume", "vwap")} | {
    "time": ("timestamp",),
    "symbol": ("asset_id",),
    "trades": ("count",),
}


def recognise(head: Head) -> Layout | None:
    """Recognise train.csv, supplemental_train.csv, example_test.csv; a timestamp (s) is taken as its minute's start."""
    columns = columns_of(head, _FIELDS)
    return Layout(kind="bar", columns=columns) if len(columns) == len(_FIELDS) else None


def symbols(folder: Path) -> Callable[[str], str]:
    """Return the function from an Asset_ID to a symbol: the asset's ticker and USD, so ``1`` becomes ``BTCUSD``.

    The names come from asset_details.csv where it lies in the folder. An asset that is not known is its name in
    capitals, or ``ASSET`` with its number.
    """
    names = dict(ASSETS)
    details = folder / "asset_details.csv"
    if details.is_file():
        with details.open(newline="", encoding="utf-8-sig") as lines:
            names.update({row["Asset_ID"]: row["Asset_Name"] for row in csv.DictReader(lines)})

    def symbol(asset: str) -> str:
        name = names.get(asset.removesuffix(".0"), f"asset{asset}")
        return TICKERS.get(name, "".join(filter(str.isalnum, name)).upper()) + "USD"

    return symbol


SOURCE = Source(
    name="G-Research Crypto Forecasting",
    short="g-research",
    columns="timestamp,Asset_ID,Count,Open,High,Low,Close,Volume,VWAP[,Target]",
    recognise=recognise,
    symbols=symbols,
)
