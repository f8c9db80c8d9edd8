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
    Writer("backtrader", "BTCUSD.csv", "datetime,open,high,low,close,volume,openinterest", "iso"),
    Writer("zipline", "BTCUSD.csv", "date,open,high,low,close,volume,dividend,split", "iso"),
    Writer(
        "vectorbt",
        "BTCUSDT.csv",
        "Open time,Open,High,Low,Close,Volume,Quote volume,Trade count,Taker base volume,Taker quote volume",
        "iso",
    ),
    Writer("jesse", "BTC-USDT.csv", "id,timestamp,open,close,high,low,volume,exchange,symbol,timeframe"),
    Writer("Dukascopy", "BTCUSD_Candlestick_1_M_BID.csv", "Gmt time,Open,High,Low,Close,Volume", "iso"),
    Writer("EODHD", "BTC-USD.csv", "Timestamp,Gmtoffset,Datetime,Open,High,Low,Close,Volume", "s"),
    Writer("Stooq", "btcusd.csv", "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>", "dots"),
    Writer("Twelve Data", "BTCUSD.csv", "datetime;open;high;low;close", "iso"),
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
    Writer("Coinbase trades", "coinbase_BTC-USD_trades.csv", "time,trade_id,price,size,side", "iso"),
    Writer("KuCoin trades", "BTCUSDT-trades-2024-01-01.csv", "trade_id,trade_time,price,size,side"),
    Writer("OKX trades", "BTC-USDT-trades-2024-01-01.csv", "instrument_name,trade_id,side,price,size,created_time"),
    Writer(
        "Tardis trades",
        "binance_trades_2024-01-01_BTCUSDT.csv",
        "exchange,symbol,timestamp,local_timestamp,id,side,price,amount",
        "us",
    ),
    Writer(
        "cryptofeed trades",
        "BTC-USDT_trades.csv",
        "exchange,symbol,side,amount,price,id,type,timestamp,receipt_timestamp",
        "s",
    ),
    Writer(
        "Hummingbot candles",
        "binance_BTC-USDT_1m.csv",
        "timestamp,open,high,low,close,volume,quote_asset_volume,n_trades,taker_buy_base_volume,taker_buy_quote_volume",
        "s",
    ),
)

ANSWERS = {
    "Alpaca bars": "alpaca",
    "Alpha Vantage digital currencies": "alpha-vantage",
    "Binance aggTrades": "binance-aggtrades-rest",
    "BitMEX bucketed trades": "bitmex",
    "Bitget candles of futures": "bitget-futures",
    "Bitget candles": "bitget",
    "Bitfinex trades": "bitfinex-trades-rest",
    "Bithumb candlesticks": "bithumb",
    "Bitstamp OHLC": "bitstamp-rest",
    "Bybit klines": "bybit-rest",
    "Bybit trades": "bybit-trades-rest",
    "CoinAPI trades": "coinapi-trades-rest",
    "Coinalyze history": "coinalyze",
    "Coinbase Advanced candles": "coinbase-advanced",
    "Coinbase Advanced trades": "coinbase-products",
    "CoinGecko OHLC": "coingecko",
    "Crypto.com candlesticks": "crypto-com",
    "Deribit chart data": "deribit",
    "Deribit trades": "deribit-trades-rest",
    "dYdX candles": "dydx",
    "EODHD intraday": "eodhd-rest",
    "Gate candlesticks": "gate-rest",
    "Gemini candles": "gemini",
    "Gemini trades": "gemini-trades-rest",
    "HTX klines": "htx",
    "Hyperliquid candleSnapshot": "hyperliquid",
    "Hyperliquid trades": "hyperliquid-trades-rest",
    "Kaiko OHLCV": "kaiko-rest",
    "Kaiko trades": "kaiko-trades-rest",
    "Kraken OHLC": "kraken-rest",
    "Kraken trades": "kraken-trades-rest",
    "Kraken trades (v2)": "kraken-trades-v2",
    "KuCoin futures klines": "kucoin-futures-rest",
    "MEXC klines": "mexc",
    "MEXC contract klines": "mexc-contract",
    "OKX candles": "okx-candles",
    "OKX trades": "okx-trades-rest",
    "Polygon aggregates": "polygon-rest",
    "Twelve Data time series": "twelve-data",
    "Upbit candles": "upbit",
    "Upbit trades": "upbit-trades-rest",
    "pandas' JSON in each orient": "pandas-columns",
}
"""Venues' and vendors' answers in JSON that are read as they come, and the sample of each in the tests."""
