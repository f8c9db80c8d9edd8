"""Whose files are known by their header, as examples: a name, a file's name, its header. Each is tried by the tests."""

from typing import NamedTuple


class Writer(NamedTuple):
    """A tool or venue, the name of a file of its, the header of that, and how it writes a time."""

    name: str
    file: str
    header: str
    time: str = "ms"


WRITERS = (
    Writer(
        "Binance klines with names",
        "BTCUSDT-1m.csv",
        "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore",
    ),
    Writer(
        "Binance full history (Kaggle)",
        "BTC-USDT.csv",
        "open_time,open,high,low,close,volume,quote_asset_volume,number_of_trades,taker_buy_base_asset_volume,"
        "taker_buy_quote_asset_volume",
    ),
    Writer(
        "Bitcoin Historical Data since 2024 (Kaggle)",
        "btcusd_1-min_data.csv",
        "Timestamp,Open,High,Low,Close,Volume",
        "s",
    ),
    Writer(
        "CoinMarketCap",
        "BTCUSD_historical_data_coinmarketcap.csv",
        "timeOpen;timeClose;timeHigh;timeLow;name;open;high;low;close;volume;marketCap;circulatingSupply;timestamp",
        "iso",
    ),
    Writer(
        "CryptoCompare histominute",
        "BTCUSD_cc.csv",
        "time,high,low,open,volumefrom,volumeto,close,conversionType,conversionSymbol",
        "s",
    ),
    Writer("freqtrade candles", "BTC_USDT-1m.csv", "date,open,high,low,close,volume", "iso"),
    Writer("investing.com", "BTCUSD Historical Data.csv", "Date;Price;Open;High;Low;Vol.;Change %", "strokes"),
    Writer(
        "Kraken's futures and spot CSV with names", "XBTUSD_1.csv", "timestamp,open,high,low,close,volume,trades", "s"
    ),
    Writer(
        "MetaTrader 5",
        "BTCUSD_M1.csv",
        "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>",
        "dots",
    ),
    Writer("MetaTrader 4", "BTCUSD1.csv", "Date,Time,Open,High,Low,Close,Volume", "dots"),
    Writer("Nautilus bars", "BTCUSDT.csv", "open,high,low,close,volume,ts_event,ts_init", "ns"),
    Writer("Polygon.io", "2024-01-01.csv", "ticker,volume,open,close,high,low,window_start,transactions", "ns"),
    Writer("TradingView", "BINANCE_BTCUSDT, 1.csv", "time,open,high,low,close,Volume", "s"),
    Writer("Yahoo (yfinance before 2024)", "BTC-USD.csv", "Date,Open,High,Low,Close,Adj Close,Volume", "iso"),
    Writer(
        "Binance trades with names",
        "BTCUSDT-trades-2024-01.csv",
        "id,price,qty,quote_qty,time,is_buyer_maker,is_best_match",
    ),
    Writer("Bitfinex trades", "tBTCUSD.csv", "id,timestamp,amount,price"),
    Writer(
        "Bybit trades",
        "BTCUSDT2024-01-01.csv",
        "timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,foreignNotional",
        "s",
    ),
    Writer("Coinbase trades", "BTC-USD-trades.csv", "time,trade_id,price,size,side", "iso"),
    Writer("KuCoin trades", "BTCUSDT-trades-2024-01-01.csv", "trade_id,trade_time,price,size,side"),
    Writer("OKX trades", "BTC-USDT-trades-2024-01-01.csv", "instrument_name,trade_id,side,price,size,created_time"),
    Writer(
        "Tardis trades",
        "binance_trades_2024-01-01_BTCUSDT.csv",
        "exchange,symbol,timestamp,local_timestamp,id,side,price,amount",
        "us",
    ),
)
