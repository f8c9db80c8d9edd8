"""A few rows of each layout, written for these tests, with the record that the first of them means."""

from dataclasses import dataclass

from topics.records import Bar, Tick

T = 1_600_000_020_000
"""2020-09-13 12:27:00 UTC"""
M = 60_000
DAY = 1_599_955_200_000
"""2020-09-13 00:00:00 UTC"""


@dataclass(frozen=True)
class Sample:
    id: str
    source: str
    name: str
    text: str
    first: Bar | Tick
    rows: int = 3


def _rows(header: str, row: str, steps: tuple[int, ...] = (0, 1, 2), unit: int = 1) -> str:
    """Fill {t} of a row for each step of a minute, in `unit` milliseconds; 0 means microseconds."""
    times = [T + step * M for step in steps]
    lines = [row.replace("{t}", str(time // unit if unit else time * 1_000)) for time in times]
    return "\n".join([*([header] if header else []), *lines]) + "\n"


def _minutes(header: str, row: str, form: str) -> str:
    """Fill {d} of a row with each of three minutes, as `form` writes them with MM."""
    lines = [row.replace("{d}", form.replace("MM", f"{27 + step:02}")) for step in range(3)]
    return "\n".join([*([header] if header else []), *lines]) + "\n"


def _bar(symbol: str, time: int = T, interval: str = "1m", **more: float | int) -> Bar:
    return Bar(symbol, interval, time, 10.0, 12.0, 9.0, 11.0, 5.5, **more)  # type: ignore[arg-type] # by name


_KLINE = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore"
)
_KLINE_ROW = "{t},10,12,9,11,5.5,{e},60.5,7,2.5,30,0"
_KNOWN = {"trades": 7, "buy_volume": 2.5, "quote_volume": 60.5}


def _klines(header: str, ending: str, unit: int, row: str = _KLINE_ROW) -> str:
    return _rows(header, row.replace("{e}", "{t}" + ending), unit=unit)


_OBJECT = '{"time":%d,"open":10,"high":12,"low":9,"close":11,"volume":5.5}'

SAMPLES = (
    Sample(
        "g-research",
        "G-Research Crypto Forecasting",
        "train.csv",
        _rows(
            "timestamp,Asset_ID,Count,Open,High,Low,Close,Volume,VWAP,Target",
            "{t},1,7.0,10,12,9,11,5.5,11,0.1",
            unit=1000,
        ),
        _bar("BTCUSD", trades=7, quote_volume=60.5),
    ),
    Sample(
        "bitcoin-old",
        "Bitcoin Historical Data",
        "bitstampUSD_1-min_data_2012-01-01_to_2021-03-31.csv",
        _rows(
            "Timestamp,Open,High,Low,Close,Volume_(BTC),Volume_(Currency),Weighted_Price",
            "{t},10,12,9,11,5.5,60.5,11",
            unit=1000,
        ),
        _bar("BTCUSD", quote_volume=60.5),
    ),
    Sample(
        "bitcoin-new",
        "plain OHLCV",
        "btcusd_1-min_data.csv",
        _rows("Timestamp,Open,High,Low,Close,Volume", "{t}.0,10.0,12.0,9.0,11.0,5.5", unit=1000),
        _bar("BTCUSD"),
    ),
    Sample(
        "coin-daily",
        "Cryptocurrency Historical Prices",
        "coin_Bitcoin.csv",
        "SNo,Name,Symbol,Date,High,Low,Open,Close,Volume,Marketcap\n"
        "1,Bitcoin,BTC,2020-09-13 23:59:59,12,9,10,11,5.5,1\n2,Bitcoin,BTC,2020-09-14 23:59:59,12,9,10,11,5.5,1\n",
        _bar("BTCUSD", DAY, "1d"),
        2,
    ),
    Sample(
        "coin-daily-day-first",
        "Cryptocurrency Historical Prices",
        "coin_Bitcoin.csv",
        "SNo,Name,Symbol,Date,High,Low,Open,Close,Volume,Marketcap\n"
        "1,Bitcoin,BTC,13/09/2020 23:59,12,9,10,11,5.5,1\n2,Bitcoin,BTC,14/09/2020 23:59,12,9,10,11,5.5,1\n",
        _bar("BTCUSD", DAY, "1d"),
        2,
    ),
    Sample(
        "pairs",
        "400+ pairs at 1-minute",
        "btcusd.csv",
        _rows("time,open,close,high,low,volume", "{t},10,11,12,9,5.5"),
        _bar("BTCUSD"),
    ),
    Sample(
        "binance-ms", "Binance klines", "BTCUSDT-1m-2023-02.csv", _klines(_KLINE, "9", 1), _bar("BTCUSDT", **_KNOWN)
    ),
    Sample("binance-bare", "Binance klines", "ETHUSDT-1m.csv", _klines("", "9", 1), _bar("ETHUSDT", **_KNOWN)),
    Sample("binance-us", "Binance klines", "ETHUSDT-1m-2025-01.csv", _klines("", "9", 0), _bar("ETHUSDT", **_KNOWN)),
    Sample(
        "binance-api",
        "Binance klines",
        "saved.csv",
        _minutes(
            "open_time,open,high,low,close,volume,close_time,qav,num_trades,taker_base,taker_quote,ignore,symbol",
            "{d},10,12,9,11,5.5,{d},60.5,7,2.5,30,0,BTCUSDT",
            "2020-09-13 12:MM:00+00:00",
        ),
        _bar("BTCUSDT", **_KNOWN),
    ),
    Sample(
        "binance-text-times",
        "Binance klines",
        "BCHUSDT_1m.csv",
        _minutes(
            "timestamp,open,high,low,close,volume,close_time,asset_volume,trades,buy_base_asset_volume,"
            "buy_quote_asset_volume,ignore",
            "{d},10,12,9,11,5.5,1600000079999,60.5,7,2.5,30,0",
            "2020-09-13 12:MM:00",
        ),
        _bar("BCHUSDT", **_KNOWN),
    ),
    Sample(
        "cdd-ms-newest-first",
        "CryptoDataDownload",
        "Binance_BTCUSDT_minute.csv",
        "https://www.CryptoDataDownload.com\n"
        + _rows(
            "unix,date,symbol,open,high,low,close,Volume BTC,Volume USDT,tradecount",
            "{t},2020-09-13 12:27:00,BTC/USDT,10,12,9,11,5.5,60.5,7",
            (2, 1, 0),
        ),
        _bar("BTCUSDT", trades=7, quote_volume=60.5),
    ),
    Sample(
        "cdd-pasted-s-and-ms",
        "CryptoDataDownload",
        "Binance_ETHUSDT_1h.csv",
        "unix,date,symbol,open,high,low,close,Volume ETH,Volume USDT,tradecount\n"
        "1600005600000,2020-09-13 14:00:00,ETH/USDT,10,12,9,11,5.5,60.5,7\n"
        "1600002000.0,2020-09-13 01-PM,ETH/USDT,10,12,9,11,5.5,60.5,NULL\n"
        "1599998400.0,2020-09-13 12-PM,ETH/USDT,10,12,9,11,5.5,60.5,NULL\n",
        _bar("ETHUSDT", 1_599_998_400_000, "1h", quote_volume=60.5),
    ),
    Sample(
        "cdd-am-pm",
        "CryptoDataDownload",
        "Coinbase_BTCUSD_1h.csv",
        "Timestamps are UTC timezone,https://www.CryptoDataDownload.com\r\n"
        "date,symbol,open,high,low,close,volume_btc,volume\r\n"
        "2020-09-13 02-PM,BTCUSD,10,12,9,11,5.5,60.5\r\n2020-09-13 01-PM,BTCUSD,10,12,9,11,5.5,60.5\r\n"
        "2020-09-13 12-PM,BTCUSD,10,12,9,11,5.5,60.5\r\n",
        _bar("BTCUSD", 1_599_998_400_000, "1h", quote_volume=60.5),
    ),
    Sample(
        "cdd-bare",
        "CryptoDataDownload",
        "old.csv",
        _rows("", "{t},2020-09-13 12:27:00,BTC/USDT,10,12,9,11,5.5,60.5,7", (2, 1, 0)),
        _bar("BTCUSDT", trades=7, quote_volume=60.5),
    ),
    Sample(
        "kraken",
        "Kraken OHLCVT",
        "XBTUSD_1.csv",
        _rows("", "{t},10,12,9,11,5.5,7", unit=1000),
        _bar("XBTUSD", trades=7),
    ),
    Sample(
        "coinapi",
        "CoinAPI OHLCV",
        "ETH_1MIN_2020.csv",
        _minutes(
            "Period Start,Period end,Time open,Time close,Price open,Price close,Price low,Price high,Volume traded,"
            "Trades count",
            "{d},{d},{d},{d},10,11,9,12,5.5,7",
            "2020-09-13T12:MM:00.0000000Z",
        ),
        _bar("ETH", trades=7),
    ),
    Sample(
        "plain-iso",
        "plain OHLCV",
        "BTCUSDT.csv",
        _minutes("DateTime,OPEN,High,low,Close,Vol", "{d},10,12,9,11,5.5", "2020-09-13 12:MM"),
        _bar("BTCUSDT"),
    ),
    Sample(
        "plain-semicolon",
        "plain OHLCV",
        "BTCUSDT.csv",
        _rows("time;open;high;low;close;volume", "{t};10;12;9;11;5.5"),
        _bar("BTCUSDT"),
    ),
    Sample("plain-bare", "OHLCV without a header", "BTCUSDT.csv", _rows("", "{t},10,12,9,11,5.5"), _bar("BTCUSDT")),
    Sample(
        "freqtrade-json",
        "OHLCV without a header",
        "BTC_USDT-1m.json",
        f"[[{T}, 10, 12, 9, 11, 5.5],[{T + M},10,12,9,11,5.5]]",
        _bar("BTCUSDT"),
        2,
    ),
    Sample("json-objects", "plain OHLCV", "BTCUSDT.json", f"[{_OBJECT % T},{_OBJECT % (T + M)}]", _bar("BTCUSDT"), 2),
    Sample(
        "bitcoincharts",
        "trade list",
        "bitstampUSD.csv",
        _rows("", "{t},10.5,2.0", unit=1000),
        Tick("BTCUSD", T, 10.5, 2.0),
    ),
    Sample(
        "aggtrades",
        "trade list",
        "futures-APEUSDT-aggTrades-2024-10-18.csv",
        "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n"
        f"1,10.5,2,1,1,{T},true\n2,10.5,2,2,2,{T},false\n",
        Tick("APEUSDT", T, 10.5, 2.0, "sell", "1"),
        2,
    ),
    Sample(
        "aggtrades-bare",
        "trade list",
        "BTCUSDT-aggTrades-2024.csv",
        f"1,10.5,2,1,1,{T},False,True\n2,10.5,2,2,2,{T},True,True\n",
        Tick("BTCUSDT", T, 10.5, 2.0, "buy", "1"),
        2,
    ),
    Sample(
        "freqtrade-trades",
        "trade list",
        "XRP_ETH-trades.json",
        f'[[{T},"71",null,"sell",10.5,2.0,21.0],[{T},"72",null,"buy",10.5,2.0,21.0]]',
        Tick("XRPETH", T, 10.5, 2.0, "sell", "71"),
        2,
    ),
    Sample(
        "trades-named",
        "trade list",
        "ETHBTC.csv",
        _rows("time,price,amount,side", "{t},10.5,2,BUY"),
        Tick("ETHBTC", T, 10.5, 2.0, "buy"),
    ),
    Sample(
        "kraken-rest",
        "Kraken OHLC (REST)",
        "kraken.json",
        f'{{"error":[],"result":{{"XXBTZUSD":[[{T // 1000},"10","12","9","11","11","5.5",7],'
        f'[{(T + M) // 1000},"10","12","9","11","11","5.5",7]],"last":{T // 1000}}}}}',
        _bar("XBTUSD", trades=7, quote_volume=60.5),
        2,
    ),
    Sample(
        "bybit",
        "Bybit klines",
        "bybit_BTCUSDT.csv",
        _rows("", "{t},10,12,9,11,5.5,60.5"),
        _bar("BTCUSDT", quote_volume=60.5),
    ),
    Sample(
        "okx-candles",
        "OKX candles",
        "okx_BTC-USDT.json",
        f'{{"code":"0","data":[["{T}","10","12","9","11","5.5","5.5","60.5","1"],'
        f'["{T + M}","10","12","9","11","5.5","5.5","60.5","1"],["{T + 2 * M}","10","12","9","11","1","1","1","0"]]}}',
        _bar("BTCUSDT", quote_volume=60.5),
        2,
    ),
    Sample(
        "coinbase",
        "Coinbase candles",
        "coinbase_BTC-USD.csv",
        _rows("", "{t},9,12,10,11,5.5", (2, 1, 0), 1000),
        _bar("BTCUSD"),
    ),
    Sample("bitfinex", "Bitfinex candles", "tBTCUSD.csv", _rows("", "{t},10,11,12,9,5.5"), _bar("BTCUSD")),
    Sample(
        "kucoin",
        "KuCoin candles",
        "kucoin_BTC-USDT.csv",
        _rows("", "{t},10,11,12,9,5.5,60.5", unit=1000),
        _bar("BTCUSDT", quote_volume=60.5),
    ),
    Sample("gate", "Gate candles", "gate_BTC_USDT.csv", _rows("", "{t},5.5,11,12,9,10", unit=1000), _bar("BTCUSDT")),
    Sample(
        "polygon",
        "plain OHLCV",
        "2020-09-13.csv",
        _rows("ticker,volume,open,close,high,low,window_start,transactions", "X:BTC-USD,5.5,10,11,12,9,{t}000000,7"),
        _bar("BTCUSD", trades=7),
    ),
    Sample(
        "tradingview",
        "plain OHLCV",
        "BINANCE_BTCUSDT, 1.csv",
        _rows("time,open,high,low,close,Volume,Volume MA,RSI", "{t},10,12,9,11,5.5,NaN,55.5", unit=1000),
        _bar("BTCUSDT"),
    ),
    Sample(
        "yfinance",
        "plain OHLCV",
        "prices.csv",
        "Price,Close,High,Low,Open,Volume\nTicker,BTC-USD,BTC-USD,BTC-USD,BTC-USD,BTC-USD\nDatetime,,,,,\n"
        + _minutes("", "{d},11,12,9,10,5.5", "2020-09-13 12:MM:00+00:00"),
        _bar("BTCUSD"),
    ),
    Sample(
        "metatrader",
        "plain OHLCV",
        "BTCUSD_M1.csv",
        _minutes(
            "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>",
            "2020.09.13\t{d}\t10\t12\t9\t11\t7\t0\t10",
            "12:MM:00",
        ),
        Bar("BTCUSD", "1m", T, 10.0, 12.0, 9.0, 11.0, None),
    ),
    Sample(
        "split-json",
        "plain OHLCV",
        "BTCUSDT.json",
        f'{{"columns":["time","open","high","low","close","volume"],"index":[0,1],"data":[[{T},10,12,9,11,5.5],'
        f"[{T + M},10,12,9,11,5.5]]}}",
        _bar("BTCUSDT"),
        2,
    ),
    Sample(
        "columns-json",
        "plain OHLCV",
        "BTCUSDT.json",
        f'{{"s":"ok","t":[{T // 1000},{(T + M) // 1000}],"o":[10,10],"h":[12,12],"l":[9,9],"c":[11,11],"v":[5.5,5.5]}}',
        _bar("BTCUSDT"),
        2,
    ),
    Sample(
        "tardis-trades",
        "trade list",
        "binance_trades_2020-09-13_BTCUSDT.csv",
        _rows(
            "exchange,symbol,timestamp,local_timestamp,id,side,price,amount",
            "binance,BTCUSDT,{t}000,{t}100,71,sell,10.5,2",
        ),
        Tick("BTCUSDT", T, 10.5, 2.0, "sell", "71"),
    ),
    Sample(
        "bybit-trades",
        "trade list",
        "BTCUSD2020-09-13.csv",
        _rows(
            "timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,foreignNotional",
            "{t},BTCUSD,Buy,21,10.5,PlusTick,m{t},1,2,21",
        ),
        Tick("BTCUSD", T, 10.5, 2.0, "buy", f"m{T}"),
    ),
    Sample(
        "bitfinex-trades",
        "trade list",
        "tBTCUSD.csv",
        _rows("id,timestamp,amount,price", "{t},{t},-2,10.5"),
        Tick("BTCUSD", T, 10.5, 2.0, "sell", str(T)),
    ),
    Sample(
        "gate-deals",
        "trade list",
        "gate_BTC_USDT-202009-deals.csv",
        _rows("", "{t}.0,71,10.5,2,1"),
        Tick("BTCUSDT", T, 10.5, 2.0, "sell", "71"),
    ),
)
