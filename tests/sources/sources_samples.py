"""A few rows of each layout, written for these tests, with the record that the first of them means."""

from dataclasses import dataclass

from topics.records import Bar, Tick

T = 1_600_000_020_000
"""2020-09-13 12:27:00 UTC"""
M = 60_000
DAY = 1_599_955_200_000
"""2020-09-13 00:00:00 UTC"""


@dataclass(frozen=True, kw_only=True)
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
    return Bar(symbol, interval, time, 10.0, 12.0, 9.0, 11.0, 5.5, **more)


_KLINE = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore"
)
_KLINE_ROW = "{t},10,12,9,11,5.5,{e},60.5,7,2.5,30,0"
_KNOWN = {"trades": 7, "buy_volume": 2.5, "quote_volume": 60.5}


def _klines(header: str, ending: str, unit: int, row: str = _KLINE_ROW) -> str:
    return _rows(header, row.replace("{e}", "{t}" + ending), unit=unit)


_OBJECT = '{"time":%d,"open":10,"high":12,"low":9,"close":11,"volume":5.5}'

COLUMNS_JSON = (
    f'{{"s":"ok","t":[{T // 1000},{(T + M) // 1000}],"o":[10,10],"h":[12,12],"l":[9,9],"c":[11,11],"v":[5.5,5.5]}}'
)
SAMPLES = (
    Sample(
        id="g-research",
        source="G-Research Crypto Forecasting",
        name="train.csv",
        text=_rows(
            "timestamp,Asset_ID,Count,Open,High,Low,Close,Volume,VWAP,Target",
            "{t},1,7.0,10,12,9,11,5.5,11,0.1",
            unit=1000,
        ),
        first=_bar("BTCUSD", trades=7, quote_volume=60.5),
    ),
    Sample(
        id="bitcoin-old",
        source="Bitcoin Historical Data",
        name="bitstampUSD_1-min_data_2012-01-01_to_2021-03-31.csv",
        text=_rows(
            "Timestamp,Open,High,Low,Close,Volume_(BTC),Volume_(Currency),Weighted_Price",
            "{t},10,12,9,11,5.5,60.5,11",
            unit=1000,
        ),
        first=_bar("BTCUSD", quote_volume=60.5),
    ),
    Sample(
        id="bitcoin-new",
        source="plain OHLCV",
        name="btcusd_1-min_data.csv",
        text=_rows("Timestamp,Open,High,Low,Close,Volume", "{t}.0,10.0,12.0,9.0,11.0,5.5", unit=1000),
        first=_bar("BTCUSD"),
    ),
    Sample(
        id="coin-daily",
        source="Cryptocurrency Historical Prices",
        name="coin_Bitcoin.csv",
        text="SNo,Name,Symbol,Date,High,Low,Open,Close,Volume,Marketcap\n"
        "1,Bitcoin,BTC,2020-09-13 23:59:59,12,9,10,11,5.5,1\n2,Bitcoin,BTC,2020-09-14 23:59:59,12,9,10,11,5.5,1\n",
        first=Bar("BTCUSD", "1d", DAY, 10.0, 12.0, 9.0, 11.0, None, quote_volume=5.5),
        rows=2,
    ),
    Sample(
        id="coin-daily-day-first",
        source="Cryptocurrency Historical Prices",
        name="coin_Bitcoin.csv",
        text="SNo,Name,Symbol,Date,High,Low,Open,Close,Volume,Marketcap\n"
        "1,Bitcoin,BTC,13/09/2020 23:59,12,9,10,11,5.5,1\n2,Bitcoin,BTC,14/09/2020 23:59,12,9,10,11,5.5,1\n",
        first=Bar("BTCUSD", "1d", DAY, 10.0, 12.0, 9.0, 11.0, None, quote_volume=5.5),
        rows=2,
    ),
    Sample(
        id="pairs",
        source="400+ pairs at 1-minute",
        name="btcusd.csv",
        text=_rows("time,open,close,high,low,volume", "{t},10,11,12,9,5.5"),
        first=_bar("BTCUSD"),
    ),
    Sample(
        id="binance-ms",
        source="Binance klines",
        name="BTCUSDT-1m-2023-02.csv",
        text=_klines(_KLINE, "9", 1),
        first=_bar("BTCUSDT", **_KNOWN),
    ),
    Sample(
        id="binance-bare",
        source="Binance klines",
        name="ETHUSDT-1m.csv",
        text=_klines("", "9", 1),
        first=_bar("ETHUSDT", **_KNOWN),
    ),
    Sample(
        id="binance-us",
        source="Binance klines",
        name="ETHUSDT-1m-2025-01.csv",
        text=_klines("", "9", 0),
        first=_bar("ETHUSDT", **_KNOWN),
    ),
    Sample(
        id="binance-api",
        source="Binance klines",
        name="saved.csv",
        text=_minutes(
            "open_time,open,high,low,close,volume,close_time,qav,num_trades,taker_base,taker_quote,ignore,symbol",
            "{d},10,12,9,11,5.5,{d},60.5,7,2.5,30,0,BTCUSDT",
            "2020-09-13 12:MM:00+00:00",
        ),
        first=_bar("BTCUSDT", **_KNOWN),
    ),
    Sample(
        id="binance-text-times",
        source="Binance klines",
        name="BCHUSDT_1m.csv",
        text=_minutes(
            "timestamp,open,high,low,close,volume,close_time,asset_volume,trades,buy_base_asset_volume,"
            "buy_quote_asset_volume,ignore",
            "{d},10,12,9,11,5.5,1600000079999,60.5,7,2.5,30,0",
            "2020-09-13 12:MM:00",
        ),
        first=_bar("BCHUSDT", **_KNOWN),
    ),
    Sample(
        id="cdd-ms-newest-first",
        source="CryptoDataDownload",
        name="Binance_BTCUSDT_minute.csv",
        text="https://www.CryptoDataDownload.com\n"
        + _rows(
            "unix,date,symbol,open,high,low,close,Volume BTC,Volume USDT,tradecount",
            "{t},2020-09-13 12:27:00,BTC/USDT,10,12,9,11,5.5,60.5,7",
            (2, 1, 0),
        ),
        first=_bar("BTCUSDT", trades=7, quote_volume=60.5),
    ),
    Sample(
        id="cdd-pasted-s-and-ms",
        source="CryptoDataDownload",
        name="Binance_ETHUSDT_1h.csv",
        text="unix,date,symbol,open,high,low,close,Volume ETH,Volume USDT,tradecount\n"
        "1600005600000,2020-09-13 14:00:00,ETH/USDT,10,12,9,11,5.5,60.5,7\n"
        "1600002000.0,2020-09-13 01-PM,ETH/USDT,10,12,9,11,5.5,60.5,NULL\n"
        "1599998400.0,2020-09-13 12-PM,ETH/USDT,10,12,9,11,5.5,60.5,NULL\n",
        first=_bar("ETHUSDT", 1_599_998_400_000, "1h", quote_volume=60.5),
    ),
    Sample(
        id="cdd-am-pm",
        source="CryptoDataDownload",
        name="Coinbase_BTCUSD_1h.csv",
        text="Timestamps are UTC timezone,https://www.CryptoDataDownload.com\r\n"
        "date,symbol,open,high,low,close,volume_btc,volume\r\n"
        "2020-09-13 02-PM,BTCUSD,10,12,9,11,5.5,60.5\r\n2020-09-13 01-PM,BTCUSD,10,12,9,11,5.5,60.5\r\n"
        "2020-09-13 12-PM,BTCUSD,10,12,9,11,5.5,60.5\r\n",
        first=_bar("BTCUSD", 1_599_998_400_000, "1h", quote_volume=60.5),
    ),
    Sample(
        id="cdd-bare",
        source="CryptoDataDownload",
        name="old.csv",
        text=_rows("", "{t},2020-09-13 12:27:00,BTC/USDT,10,12,9,11,5.5,60.5,7", (2, 1, 0)),
        first=_bar("BTCUSDT", trades=7, quote_volume=60.5),
    ),
    Sample(
        id="kraken",
        source="Kraken OHLCVT",
        name="XBTUSD_1.csv",
        text=_rows("", "{t},10,12,9,11,5.5,7", unit=1000),
        first=_bar("XBTUSD", trades=7),
    ),
    Sample(
        id="coinapi",
        source="CoinAPI OHLCV",
        name="ETH_1MIN_2020.csv",
        text=_minutes(
            "Period Start,Period end,Time open,Time close,Price open,Price close,Price low,Price high,Volume traded,"
            "Trades count",
            "{d},{d},{d},{d},10,11,9,12,5.5,7",
            "2020-09-13T12:MM:00.0000000Z",
        ),
        first=_bar("ETH", trades=7),
    ),
    Sample(
        id="plain-iso",
        source="plain OHLCV",
        name="BTCUSDT.csv",
        text=_minutes("DateTime,OPEN,High,low,Close,Vol", "{d},10,12,9,11,5.5", "2020-09-13 12:MM"),
        first=_bar("BTCUSDT"),
    ),
    Sample(
        id="plain-semicolon",
        source="plain OHLCV",
        name="BTCUSDT.csv",
        text=_rows("time;open;high;low;close;volume", "{t};10;12;9;11;5.5"),
        first=_bar("BTCUSDT"),
    ),
    Sample(
        id="plain-bare",
        source="OHLCV without a header",
        name="BTCUSDT.csv",
        text=_rows("", "{t},10,12,9,11,5.5"),
        first=_bar("BTCUSDT"),
    ),
    Sample(
        id="freqtrade-json",
        source="OHLCV without a header",
        name="BTC_USDT-1m.json",
        text=f"[[{T}, 10, 12, 9, 11, 5.5],[{T + M},10,12,9,11,5.5]]",
        first=_bar("BTCUSDT"),
        rows=2,
    ),
    Sample(
        id="json-objects",
        source="plain OHLCV",
        name="BTCUSDT.json",
        text=f"[{_OBJECT % T},{_OBJECT % (T + M)}]",
        first=_bar("BTCUSDT"),
        rows=2,
    ),
    Sample(
        id="bitcoincharts",
        source="trades without a header",
        name="bitstampUSD.csv",
        text=f"{T // 1000},10.5,2.0\n{T // 1000 + 7},10.5,0.25\n{T // 1000 + 9},10.6,1.5\n",
        first=Tick("BTCUSD", T, 10.5, 2.0),
    ),
    Sample(
        id="coinbase-trades",
        source="Coinbase trades",
        name="coinbase_BTC-USD_trades.csv",
        text="time,trade_id,price,size,side\n2020-09-13T12:27:00Z,1,10.5,2,buy\n2020-09-13T12:27:01Z,2,10.6,1,sell\n",
        first=Tick("BTCUSD", T, 10.5, 2.0, "sell", "1"),
        rows=2,
    ),
    Sample(
        id="aggtrades",
        source="trade list",
        name="futures-APEUSDT-aggTrades-2024-10-18.csv",
        text="agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n"
        f"1,10.5,2,1,1,{T},true\n2,10.5,2,2,2,{T},false\n",
        first=Tick("APEUSDT:USDT", T, 10.5, 2.0, "sell", "1"),
        rows=2,
    ),
    Sample(
        id="aggtrades-bare",
        source="Binance aggTrades",
        name="BTCUSDT-aggTrades-2024.csv",
        text=f"1,10.5,2,1,1,{T},False,True\n2,10.5,2,2,2,{T},True,True\n",
        first=Tick("BTCUSDT", T, 10.5, 2.0, "buy", "1"),
        rows=2,
    ),
    Sample(
        id="freqtrade-trades",
        source="freqtrade trades",
        name="XRP_ETH-trades.json",
        text=f'[[{T},"71",null,"sell",10.5,2.0,21.0],[{T},"72",null,"buy",10.5,2.0,21.0]]',
        first=Tick("XRPETH", T, 10.5, 2.0, "sell", "71"),
        rows=2,
    ),
    Sample(
        id="trades-named",
        source="trade list",
        name="ETHBTC.csv",
        text=_rows("time,price,amount,side", "{t},10.5,2,BUY"),
        first=Tick("ETHBTC", T, 10.5, 2.0, "buy"),
    ),
    Sample(
        id="kraken-rest",
        source="Kraken OHLC (REST)",
        name="kraken.json",
        text=f'{{"error":[],"result":{{"XXBTZUSD":[[{T // 1000},"10","12","9","11","11","5.5",7],'
        f'[{(T + M) // 1000},"10","12","9","11","11","5.5",7]],"last":{T // 1000}}}}}',
        first=_bar("XBTUSD", trades=7, quote_volume=60.5),
        rows=2,
    ),
    Sample(
        id="bybit",
        source="Bybit klines",
        name="bybit_BTCUSDT.csv",
        text=_rows("", "{t},10,12,9,11,5.5,60.5"),
        first=_bar("BTCUSDT", quote_volume=60.5),
    ),
    Sample(
        id="okx-candles",
        source="OKX candles",
        name="okx_BTC-USDT.json",
        text=f'{{"code":"0","data":[["{T}","10","12","9","11","5.5","5.5","60.5","1"],'
        f'["{T + M}","10","12","9","11","5.5","5.5","60.5","1"],["{T + 2 * M}","10","12","9","11","1","1","1","0"]]}}',
        first=_bar("BTCUSDT", quote_volume=60.5),
        rows=2,
    ),
    Sample(
        id="coinbase",
        source="Coinbase candles",
        name="coinbase_BTC-USD.csv",
        text=_rows("", "{t},9,12,10,11,5.5", (2, 1, 0), 1000),
        first=_bar("BTCUSD"),
    ),
    Sample(
        id="bitfinex",
        source="Bitfinex candles",
        name="tBTCUSD.csv",
        text=_rows("", "{t},10,11,12,9,5.5"),
        first=_bar("BTCUSD"),
    ),
    Sample(
        id="kucoin",
        source="KuCoin candles",
        name="kucoin_BTC-USDT.csv",
        text=_rows("", "{t},10,11,12,9,5.5,60.5", unit=1000),
        first=_bar("BTCUSDT", quote_volume=60.5),
    ),
    Sample(
        id="gate",
        source="Gate candles",
        name="gate_BTC_USDT.csv",
        text=_rows("", "{t},5.5,11,12,9,10", unit=1000),
        first=_bar("BTCUSDT"),
    ),
    Sample(
        id="polygon",
        source="plain OHLCV",
        name="2020-09-13.csv",
        text=_rows(
            "ticker,volume,open,close,high,low,window_start,transactions", "X:BTC-USD,5.5,10,11,12,9,{t}000000,7"
        ),
        first=_bar("BTCUSD", trades=7),
    ),
    Sample(
        id="tradingview",
        source="plain OHLCV",
        name="BINANCE_BTCUSDT, 1.csv",
        text=_rows("time,open,high,low,close,Volume,Volume MA,RSI", "{t},10,12,9,11,5.5,NaN,55.5", unit=1000),
        first=_bar("BTCUSDT"),
    ),
    Sample(
        id="yfinance",
        source="plain OHLCV",
        name="prices.csv",
        text="Price,Close,High,Low,Open,Volume\nTicker,BTC-USD,BTC-USD,BTC-USD,BTC-USD,BTC-USD\nDatetime,,,,,\n"
        + _minutes("", "{d},11,12,9,10,5.5", "2020-09-13 12:MM:00+00:00"),
        first=Bar("BTCUSD", "1m", T, 10.0, 12.0, 9.0, 11.0, None, quote_volume=5.5),
    ),
    Sample(
        id="metatrader",
        source="plain OHLCV",
        name="BTCUSD_M1.csv",
        text=_minutes(
            "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>",
            "2020.09.13\t{d}\t10\t12\t9\t11\t7\t0\t10",
            "12:MM:00",
        ),
        first=Bar("BTCUSD", "1m", T, 10.0, 12.0, 9.0, 11.0, None),
    ),
    Sample(
        id="split-json",
        source="plain OHLCV",
        name="BTCUSDT.json",
        text=f'{{"columns":["time","open","high","low","close","volume"],"index":[0,1],"data":[[{T},10,12,9,11,5.5],'
        f"[{T + M},10,12,9,11,5.5]]}}",
        first=_bar("BTCUSDT"),
        rows=2,
    ),
    Sample(
        id="columns-json",
        source="plain OHLCV",
        name="BTCUSDT.json",
        text=COLUMNS_JSON,
        first=_bar("BTCUSDT"),
        rows=2,
    ),
    Sample(
        id="tardis-trades",
        source="trade list",
        name="binance_trades_2020-09-13_BTCUSDT.csv",
        text=_rows(
            "exchange,symbol,timestamp,local_timestamp,id,side,price,amount",
            "binance,BTCUSDT,{t}000,{t}100,71,sell,10.5,2",
        ),
        first=Tick("BTCUSDT", T, 10.5, 2.0, "sell", "71"),
    ),
    Sample(
        id="bybit-trades",
        source="trade list",
        name="BTCUSD2020-09-13.csv",
        text=_rows(
            "timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,foreignNotional",
            "{t},BTCUSD,Buy,21,10.5,PlusTick,m{t},1,2,21",
        ),
        first=Tick("BTCUSD", T, 10.5, 2.0, "buy", f"m{T}"),
    ),
    Sample(
        id="bitfinex-trades",
        source="trade list",
        name="tBTCUSD.csv",
        text=_rows("id,timestamp,amount,price", "{t},{t},-2,10.5"),
        first=Tick("BTCUSD", T, 10.5, 2.0, "sell", str(T)),
    ),
    Sample(
        id="gate-deals",
        source="Gate deals",
        name="gate_BTC_USDT-202009-deals.csv",
        text=_rows("", "{t}.0,71,10.5,2,1"),
        first=Tick("BTCUSDT", T, 10.5, 2.0, "sell", "71"),
    ),
    Sample(
        id="binance-trades-bare",
        source="Binance trades",
        name="BTCUSDT-trades-2020-09-13.csv",
        text=f"1,10.5,2,21,{T},True,True\n2,10.5,2,21,{T},False,True\n",
        first=Tick("BTCUSDT", T, 10.5, 2.0, "sell", "1"),
        rows=2,
    ),
    Sample(
        id="kraken-trades-rest",
        source="Kraken trades (REST)",
        name="trades.json",
        text=f'{{"error":[],"result":{{"XXBTZUSD":[["10.5","2",{T / 1000},"s","l","",71],'
        f'["10.5","2",{T / 1000 + 0.5},"b","m","",72]],"last":"{T}000000"}}}}',
        first=Tick("XBTUSD", T, 10.5, 2.0, "sell", "71"),
        rows=2,
    ),
    Sample(
        id="bitfinex-trades-rest",
        source="Bitfinex trades (REST)",
        name="tBTCUSD.json",
        text=f"[[71,{T},-2,10.5],[72,{T},2,10.5]]",
        first=Tick("BTCUSD", T, 10.5, 2.0, "sell", "71"),
        rows=2,
    ),
    Sample(
        id="bitget",
        source="Bitget candles",
        name="BTCUSDT.json",
        text=f'{{"code":"00000","msg":"success","requestTime":{T},"data":[["{T}","10","12","9","11","5.5","60.5","60.5"],'
        f'["{T + M}","10","12","9","11","5.5","60.5","60.5"]]}}',
        first=_bar("BTCUSDT", quote_volume=60.5),
        rows=2,
    ),
    Sample(
        id="mexc",
        source="MEXC klines",
        name="BTCUSDT.json",
        text=f'[[{T},"10","12","9","11","5.5",{T + M},"60.5"],[{T + M},"10","12","9","11","5.5",{T + 2 * M},"60.5"]]',
        first=_bar("BTCUSDT", quote_volume=60.5),
        rows=2,
    ),
    Sample(
        id="gate-rest",
        source="Gate candles (REST)",
        name="BTC_USDT.json",
        text=f'[["{T // 1000}","60.5","11","12","9","10","5.5","true"],'
        f'["{T // 1000 + 60}","60.5","11","12","9","10","5.5","true"],'
        f'["{T // 1000 + 120}","60.5","11","12","9","10","5.5","false"]]',
        first=_bar("BTCUSDT", quote_volume=60.5),
        rows=2,
    ),
    Sample(
        id="histdata-metatrader",
        source="MetaTrader without a header",
        name="DAT_MT_BTCUSD_M1_2020.csv",
        text=_minutes("", "2020.09.13,{d},10,12,9,11,5.5", "07:MM"),
        first=_bar("BTCUSD"),
    ),
    Sample(
        id="histdata-ascii",
        source="OHLCV without a header",
        name="DAT_ASCII_BTCUSD_M1_2020.csv",
        text=_minutes("", "{d};10;12;9;11;5.5", "20200913 07MM00"),
        first=_bar("BTCUSD"),
    ),
    Sample(
        id="firstrate",
        source="OHLCV without a header",
        name="BTC_1min_sample.txt",
        text=_minutes("", "{d},10,12,9,11,5.5", "2020-09-13 12:MM:00"),
        first=_bar("BTC"),
    ),
    Sample(
        id="coingecko",
        source="CoinGecko OHLC, stamped with the end",
        name="BTC_USD_coingecko.json",
        text="[" + ",".join(f"[{DAY + 14_400_000 * at},10,12,9,11]" for at in (1, 2, 3)) + "]",
        first=Bar("BTCUSD", "4h", DAY, 10.0, 12.0, 9.0, 11.0, None),
    ),
    Sample(
        id="ohlc-dates",
        source="OHLC without a header",
        name="BTC_USD_ccxt.csv",
        text=_minutes("", "{d},10,12,9,11", "2020-09-13 12:MM:00"),
        first=Bar("BTCUSD", "1m", T, 10.0, 12.0, 9.0, 11.0, None),
    ),
    Sample(
        id="lean-minute",
        source="QuantConnect Lean bars",
        name="20200913_btcusd_minute_trade.csv",
        text="44820000,10,12,9,11,5.5\n44880000,10,12,9,11,5.5\n44940000,10,12,9,11,5.5\n",
        first=_bar("BTCUSD"),
    ),
    Sample(
        id="lean-second",
        source="QuantConnect Lean bars",
        name="20200913_btcusd_second_trade.csv",
        text="44820000,10,12,9,11,5.5\n44821000,10,12,9,11,5.5\n44822000,10,12,9,11,5.5\n",
        first=_bar("BTCUSD", interval="1s"),
    ),
    Sample(
        id="lean-tick",
        source="QuantConnect Lean trades",
        name="20200913_btcusd_tick_trade.csv",
        text="44820000,10.5,2\n44820005,10.5,2\n44821000,10.5,2\n",
        first=Tick("BTCUSD", T, 10.5, 2.0),
    ),
    Sample(
        id="lean-hour",
        source="OHLCV without a header",
        name="btcusd.csv",
        text="20200913 12:00,10,12,9,11,5.5\n20200913 13:00,10,12,9,11,5.5\n20200913 14:00,10,12,9,11,5.5\n",
        first=_bar("BTCUSD", 1_599_998_400_000, "1h"),
    ),
)
