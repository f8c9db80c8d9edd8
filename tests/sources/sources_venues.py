"""What venues and vendors answer or sell, a few rows of each, written after their public documentation."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

from sources_samples import DAY, SAMPLES, M, Sample, T
from sources_trades import TRADES

from topics.records import Bar, Tick

TIMES = (T, T + M, T + 2 * M)
PLAIN = "plain OHLCV"


def _at(time: int, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    return datetime.fromtimestamp(time / 1_000, UTC).strftime(form)


def _iso(time: int) -> str:
    return _at(time, "%Y-%m-%dT%H:%M:%S")


def _each(row: Callable[[int], object], *, newest_first: bool = False) -> list[object]:
    return [row(time) for time in (reversed(TIMES) if newest_first else TIMES)]


def _csv(header: str, row: Callable[[int], str]) -> str:
    return "\n".join([header, *map(row, TIMES)]) + "\n"


def _bar(symbol: str, **more: float | int | None) -> Bar:
    fields = {"volume": 5.5} | more
    return Bar(symbol, "1m", T, 10.0, 12.0, 9.0, 11.0, **fields)


def _named(prices: tuple[str, str, str, str]) -> dict[str, int]:
    return dict(zip(prices, (10, 12, 9, 11), strict=True))


_WORDS = _named(("open", "high", "low", "close"))
_LETTERS = _named(("o", "h", "l", "c"))
_ALPACA = [{"t": f"{_iso(time)}Z", **_LETTERS, "v": 5.5, "n": 7, "vw": 11} for time in TIMES]
_TARDIS = "exchange,symbol,timestamp,local_timestamp"

VENUES = (
    Sample(
        id="bitstamp-rest",
        source=PLAIN,
        name="ohlc.json",
        text=json.dumps(
            {
                "data": {
                    "ohlc": _each(lambda t: {"timestamp": str(t // 1000), **_WORDS, "volume": "5.5"}),
                    "pair": "BTC/USD",
                }
            }
        ),
        first=_bar("BTCUSD"),
    ),
    Sample(
        id="bybit-rest",
        source="Bybit klines",
        name="kline.json",
        text=json.dumps(
            {
                "retCode": 0,
                "result": {
                    "category": "spot",
                    "symbol": "BTCUSDT",
                    "list": _each(lambda t: [str(t), "10", "12", "9", "11", "5.5", "60.5"], newest_first=True),
                },
                "retExtInfo": {},
                "time": T,
            }
        ),
        first=_bar("BTCUSDT", quote_volume=60.5),
    ),
    Sample(
        id="bitget-futures",
        source="Bybit klines",
        name="BTCUSDT.json",
        text=json.dumps({"code": "00000", "data": _each(lambda t: [str(t), "10", "12", "9", "11", "5.5", "60.5"])}),
        first=_bar("BTCUSDT", quote_volume=60.5),
    ),
    Sample(
        id="okx-swap",
        source="OKX candles",
        name="okx_BTCUSDT.json",
        text=json.dumps(
            {
                "code": "0",
                "data": _each(lambda t: [str(t), "10", "12", "9", "11", "55", "5.5", "60.5", "1"], newest_first=True),
            }
        ),
        first=_bar("BTCUSDT", quote_volume=60.5),
    ),
    Sample(
        id="mexc-contract",
        source="MEXC contract klines",
        name="BTC_USDT.json",
        text=json.dumps(
            {
                "success": True,
                "code": 0,
                "data": {
                    "time": [t // 1000 for t in TIMES],
                    **{name: [value] * 3 for name, value in _WORDS.items()},
                    "vol": [55_000] * 3,
                    "amount": [60.5] * 3,
                    **{f"real{name.title()}": [value] * 3 for name, value in _WORDS.items()},
                },
            }
        ),
        first=_bar("BTCUSDT", volume=None, quote_volume=60.5),
    ),
    Sample(
        id="htx",
        source="HTX klines",
        name="kline.json",
        text=json.dumps(
            {
                "ch": "market.btcusdt.kline.1min",
                "status": "ok",
                "ts": T,
                "data": _each(
                    lambda t: {"id": t // 1000, **_WORDS, "amount": 5.5, "vol": 60.5, "count": 7}, newest_first=True
                ),
            }
        ),
        first=_bar("BTCUSDT", quote_volume=60.5, trades=7),
    ),
    Sample(
        id="crypto-com",
        source=PLAIN,
        name="candlestick.json",
        text=json.dumps(
            {
                "id": -1,
                "method": "public/get-candlestick",
                "code": 0,
                "result": {
                    "instrument_name": "BTC_USDT",
                    "interval": "1m",
                    "data": _each(lambda t: {**_LETTERS, "v": "5.5", "t": t}),
                },
            }
        ),
        first=_bar("BTCUSDT"),
    ),
    Sample(
        id="gemini",
        source="OHLCV without a header",
        name="BTCUSD.json",
        text=json.dumps(_each(lambda t: [t, 10, 12, 9, 11, 5.5], newest_first=True)),
        first=_bar("BTCUSD"),
    ),
    Sample(
        id="bithumb",
        source="Bitfinex candles",
        name="BTC_KRW.json",
        text=json.dumps({"status": "0000", "data": _each(lambda t: [t, "10", "11", "12", "9", "5.5"])}),
        first=_bar("BTCKRW"),
    ),
    Sample(
        id="upbit",
        source="Upbit and Bithumb candles",
        name="candles.json",
        text=json.dumps(
            _each(
                lambda t: {
                    "market": "KRW-BTC",
                    "candle_date_time_utc": _iso(t),
                    "candle_date_time_kst": _iso(t + 9 * 60 * M),
                    **_named(("opening_price", "high_price", "low_price", "trade_price")),
                    "timestamp": t + 59_123,
                    "candle_acc_trade_price": 60.5,
                    "candle_acc_trade_volume": 5.5,
                    "unit": 1,
                },
                newest_first=True,
            )
        ),
        first=_bar("BTCKRW", quote_volume=60.5),
    ),
    Sample(
        id="hyperliquid",
        source=PLAIN,
        name="candles.json",
        text=json.dumps(
            _each(lambda t: {"T": t + 59_999, **_LETTERS, "i": "1m", "n": 7, "s": "BTC", "t": t, "v": "5.5"})
        ),
        first=_bar("BTC", trades=7),
    ),
    Sample(
        id="dydx",
        source="dYdX candles",
        name="candles.json",
        text=json.dumps(
            {
                "candles": _each(
                    lambda t: {
                        "startedAt": f"{_iso(t)}.000Z",
                        "ticker": "BTC-USD",
                        "resolution": "1MIN",
                        **_WORDS,
                        "baseTokenVolume": "5.5",
                        "trades": 7,
                        "usdVolume": "60.5",
                        "startingOpenInterest": "1",
                    }
                )
            }
        ),
        first=_bar("BTCUSD:USD", quote_volume=60.5, trades=7),
    ),
    Sample(
        id="coinbase-advanced",
        source=PLAIN,
        name="BTC-USD.json",
        text=json.dumps({"candles": _each(lambda t: {"start": str(t // 1000), **_WORDS, "volume": "5.5"})}),
        first=_bar("BTCUSD"),
    ),
    Sample(
        id="deribit",
        source=PLAIN,
        name="BTC_USDC.json",
        text=json.dumps(
            {
                "jsonrpc": "2.0",
                "result": {
                    "volume": [5.5] * 3,
                    "ticks": TIMES,
                    "status": "ok",
                    "cost": [60.5] * 3,
                    **{name: [value] * 3 for name, value in _WORDS.items()},
                },
            }
        ),
        first=_bar("BTCUSDC", quote_volume=60.5),
    ),
    Sample(
        id="bitmex",
        source=PLAIN,
        name="bucketed.json",
        text=json.dumps(
            _each(
                lambda t: {
                    "timestamp": f"{_iso(t)}.000Z",
                    "symbol": "XBTUSD",
                    **_WORDS,
                    "trades": 7,
                    "volume": 60,
                    "vwap": 11,
                    "lastSize": 1,
                    "turnover": 550_000_000,
                    "homeNotional": 5.5,
                    "foreignNotional": 60.5,
                }
            )
        ),
        first=_bar("XBTUSD", quote_volume=60.5, trades=7),
    ),
    Sample(
        id="alpaca",
        source=PLAIN,
        name="bars.json",
        text=json.dumps({"bars": {"BTC/USD": _ALPACA}}),
        first=_bar("BTCUSD", trades=7),
    ),
    Sample(
        id="alpaca-two",
        source=PLAIN,
        name="bars.json",
        text=json.dumps({"bars": {"BTC/USD": _ALPACA, "ETH/USD": _ALPACA}, "next_page_token": None}),
        first=_bar("BTCUSD", trades=7),
        rows=6,
    ),
    Sample(
        id="polygon-rest",
        source=PLAIN,
        name="aggs.json",
        text=json.dumps(
            {
                "ticker": "X:BTCUSD",
                "resultsCount": 3,
                "results": _each(lambda t: {"v": 5.5, "vw": 11, **_LETTERS, "t": t, "n": 7}),
            }
        ),
        first=_bar("BTCUSD", trades=7),
    ),
    Sample(
        id="alpha-vantage",
        source=PLAIN,
        name="daily.json",
        text=json.dumps(
            {
                "Meta Data": {
                    "1. Information": "Daily Prices",
                    "2. Digital Currency Code": "BTC",
                    "4. Market Code": "EUR",
                    "7. Time Zone": "UTC",
                },
                "Time Series (Digital Currency Daily)": {
                    f"2020-09-{day}": {
                        **{f"{place}. {name}": str(value) for place, (name, value) in enumerate(_WORDS.items(), 1)},
                        "5. volume": "5.5",
                    }
                    for day in (15, 14, 13)
                },
            }
        ),
        first=Bar("BTCEUR", "1d", DAY, 10.0, 12.0, 9.0, 11.0, 5.5),
    ),
    Sample(
        id="twelve-data",
        source=PLAIN,
        name="series.json",
        text=json.dumps(
            {
                "meta": {"symbol": "BTC/USD", "interval": "1min", "exchange": "Coinbase Pro"},
                "values": _each(lambda t: {"datetime": _at(t), **_WORDS}, newest_first=True),
                "status": "ok",
            }
        ),
        first=_bar("BTCUSD", volume=None),
    ),
    Sample(
        id="kaiko-rest",
        source=PLAIN,
        name="ohlcv.json",
        text=json.dumps(
            {
                "query": {"instrument": "btc-usd", "exchange": "cbse"},
                "data": _each(lambda t: {"timestamp": t, **_WORDS, "volume": "5.5"}),
                "result": "success",
            }
        ),
        first=_bar("BTCUSD"),
    ),
    Sample(
        id="kaiko-trades",
        source="Kaiko trades",
        name="trades.csv",
        text=_csv("id,exchange,symbol,date,price,amount,sell", lambda t: f"i{t},cb,btcusd,{t},10.5,2,true"),
        first=Tick("BTCUSD", T, 10.5, 2.0, "sell", f"i{T}"),
    ),
    Sample(
        id="kaiko-trades-rest",
        source="Kaiko trades (REST)",
        name="trades.json",
        text=json.dumps(
            {
                "query": {"instrument": "btc-usd"},
                "data": _each(
                    lambda t: {
                        "timestamp": t,
                        "trade_id": f"i{t}",
                        "price": "10.5",
                        "amount": "2",
                        "taker_side_sell": False,
                    }
                ),
            }
        ),
        first=Tick("BTCUSD", T, 10.5, 2.0, "buy", f"i{T}"),
    ),
    Sample(
        id="coinapi-flat",
        source="CoinAPI OHLCV (flat files)",
        name="BTCUSD.csv",
        text=_csv(
            "time_period_start;time_period_end;time_open;time_close;px_open;px_high;px_low;px_close;sx_cnt;sx_sum",
            lambda t: f"{_iso(t)}.0000000Z;{_iso(t + M)}.0000000Z;a;b;10;12;9;11;7;5.5",
        ),
        first=_bar("BTCUSD", trades=7),
    ),
    Sample(
        id="coinapi-trades",
        source="CoinAPI trades (flat files)",
        name="BTCUSD.csv",
        text=_csv(
            "time_exchange;time_coinapi;guid;price;base_amount;taker_side",
            lambda t: f"{_iso(t)}.1230000Z;{_iso(t)}.2230000Z;g{t};10.5;2;SELL",
        ),
        first=Tick("BTCUSD", T + 123, 10.5, 2.0, "sell", f"g{T}"),
    ),
    Sample(
        id="coinapi-trades-rest",
        source="CoinAPI trades (REST)",
        name="trades.json",
        text=json.dumps(
            _each(
                lambda t: {
                    "symbol_id": "COINBASE_SPOT_BTC_USD",
                    "time_exchange": f"{_iso(t)}.0822750Z",
                    "time_coinapi": f"{_iso(t)}.2385208Z",
                    "uuid": f"u{t}",
                    "price": 10.5,
                    "size": 2,
                    "taker_side": "BUY",
                }
            )
        ),
        first=Tick("BTCUSD", T + 82, 10.5, 2.0, "buy", f"u{T}"),
    ),
    Sample(
        id="databento",
        source=PLAIN,
        name="ohlcv-1m.csv",
        text=_csv(
            "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume,symbol",
            lambda t: f"{_iso(t)}.000000000Z,33,1,5482,10.000000000,12.000000000,9.000000000,11.000000000,5.5,BTCUSD",
        ),
        first=_bar("BTCUSD"),
    ),
    Sample(
        id="eodhd-rest",
        source=PLAIN,
        name="BTC-USD.CC.json",
        text=json.dumps(
            _each(lambda t: {"timestamp": t // 1000, "gmtoffset": 0, "datetime": _at(t), **_WORDS, "volume": 5.5})
        ),
        first=_bar("BTCUSD"),
    ),
    Sample(
        id="dukascopy-local",
        source=PLAIN,
        name="BTCUSD_Candlestick_1_M_BID_13.09.2020-13.09.2020.csv",
        text=_csv(
            "Local time,Open,High,Low,Close,Volume",
            lambda t: f"{_at(t + 330 * M, '%d.%m.%Y %H:%M:%S')}.000 GMT+0530,10,12,9,11,5.5",
        ),
        first=_bar("BTCUSD"),
    ),
)
ALL = (*SAMPLES, *VENUES, *TRADES)
REFUSED = (
    ("binance_quotes_2024-01-01_BTCUSDT.csv", f"{_TARDIS},ask_amount,ask_price,bid_price,bid_amount", "quotes"),
    ("binance_book_snapshot_5_2024-01-01_BTCUSDT.csv", f"{_TARDIS},asks[0].price,asks[0].amount", "an order book"),
    (
        "binance-futures_derivative_ticker_2024-01-01_BTCUSDT.csv",
        f"{_TARDIS},funding_timestamp,funding_rate,predicted_funding_rate,open_interest,last_price,index_price,mark_price",
        "open interest and funding",
    ),
    ("binance-futures_liquidations_2024-01-01_BTCUSDT.csv", f"{_TARDIS},id,side,price,amount", "liquidations"),
    (
        "BTCUSDT-bookTicker-2024-01.csv",
        "update_id,best_bid_price,best_bid_qty,best_ask_price,best_ask_qty,transaction_time,event_time",
        "quotes",
    ),
    (
        "BTCUSDT-metrics-2024-01-01.csv",
        "create_time,symbol,sum_open_interest,sum_open_interest_value,count_toptrader_long_short_ratio",
        "open interest and the ratios",
    ),
    ("BTCUSDT-fundingRate-2024-01.csv", "calc_time,funding_interval_hours,last_funding_rate", "funding rates"),
    (
        "BTCUSDT-liquidationSnapshot-2024-01-01.csv",
        "time,side,order_type,time_in_force,original_quantity,price,average_price,order_status",
        "liquidations",
    ),
    ("BTCUSDT-bookDepth-2024-01-01.csv", "timestamp,percentage,depth,notional", "an order book"),
    ("BTCUSD_ticks.csv", "Gmt time,Ask,Bid,AskVolume,BidVolume", "quotes"),
    ("BTCUSDT.csv", "time_exchange;time_coinapi;ask_px;ask_sx;bid_px;bid_sx", "quotes"),
    (
        "ohlcv-1m.csv",
        "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume,symbol",
        "whole billionths",
    ),
)
"""Names and headers of files of neither bars nor trades, with words of what is said."""
