"""What venues answer or dump of late, in JSON above all: a few rows each, written after their public documentation."""

import json
from collections.abc import Callable

from sources_samples import M, Sample, T

from topics.records import Bar, Tick

TIMES = (T, T + M, T + 2 * M)
LIST, PLAIN = "trade list", "plain OHLCV"
KNOWN = {"open": 10, "high": 12, "low": 9, "close": 11, "volume": 5.5}


def _rows(row: Callable[[int], object]) -> list[object]:
    return [row(time) for time in TIMES]


def _tick(symbol: str, side: str | None = "sell", trade_id: str | None = "71") -> Tick:
    return Tick(symbol, T, 10.5, 2.0, side, trade_id)


def _bar(symbol: str, **more: float | int) -> Bar:
    return Bar(symbol, "1m", T, 10.0, 12.0, 9.0, 11.0, 5.5, **more)


def _pandas(orient: str, index: bool) -> str:
    keys = [str(time) for time in TIMES] if index else ["0", "1", "2"]
    rows = [({} if index else {"timestamp": time}) | KNOWN for time in TIMES]
    if orient == "index":
        return json.dumps(dict(zip(keys, rows, strict=True)))
    if orient == "table":
        fields = [{"name": name, "type": "number"} for name in rows[0]]
        return json.dumps({"schema": {"fields": fields, "primaryKey": ["timestamp"]}, "data": rows})
    return json.dumps({name: dict(zip(keys, [row[name] for row in rows], strict=True)) for name in rows[0]})


TRADES = (
    Sample(
        id="bybit-trades-rest",
        source=LIST,
        name="recent-trade.json",
        text=json.dumps(
            {
                "retCode": 0,
                "result": {
                    "category": "spot",
                    "list": _rows(
                        lambda t: {
                            "execId": "71",
                            "symbol": "BTCUSDT",
                            "price": "10.5",
                            "size": "2",
                            "side": "Sell",
                            "time": str(t),
                            "isBlockTrade": False,
                            "isRPITrade": False,
                            "seq": "1",
                        }
                    ),
                },
                "time": T,
            }
        ),
        first=_tick("BTCUSDT"),
    ),
    Sample(
        id="okx-trades-rest",
        source=LIST,
        name="trades.json",
        text=json.dumps(
            {
                "code": "0",
                "data": _rows(
                    lambda t: {
                        "instId": "BTC-USDT",
                        "side": "sell",
                        "sz": "2",
                        "source": "0",
                        "px": "10.5",
                        "tradeId": "71",
                        "ts": str(t),
                    }
                ),
            }
        ),
        first=_tick("BTCUSDT"),
    ),
    Sample(
        id="binance-aggtrades-rest",
        source=LIST,
        name="BTCUSDT.json",
        text=json.dumps(
            _rows(lambda t: {"a": 71, "p": "10.5", "q": "2", "f": 1, "l": 1, "T": t, "m": True, "M": False})
        ),
        first=_tick("BTCUSDT"),
    ),
    Sample(
        id="deribit-trades-rest",
        source="Deribit trades",
        name="last_trades.json",
        text=json.dumps(
            {
                "jsonrpc": "2.0",
                "result": {
                    "trades": _rows(
                        lambda t: {
                            "trade_seq": 1,
                            "trade_id": "71",
                            "timestamp": t,
                            "tick_direction": 0,
                            "price": 10.5,
                            "mark_price": 10.4,
                            "instrument_name": "BTC-PERPETUAL",
                            "index_price": 10.3,
                            "direction": "sell",
                            "contracts": 2.1,
                            "amount": 21.0,
                        }
                    ),
                    "has_more": False,
                },
            }
        ),
        first=_tick("BTCUSD:BTC"),
    ),
    Sample(
        id="hyperliquid-trades-rest",
        source="Hyperliquid trades",
        name="recentTrades.json",
        text=json.dumps(
            _rows(
                lambda t: {
                    "coin": "BTC",
                    "side": "A",
                    "px": "10.5",
                    "sz": "2",
                    "hash": "0x0",
                    "time": t,
                    "tid": 71,
                    "users": ["0x1", "0x2"],
                }
            )
        ),
        first=_tick("BTC"),
    ),
    Sample(
        id="gemini-trades-rest",
        source="Gemini trades",
        name="gemini_BTCUSD.json",
        text=json.dumps(
            _rows(
                lambda t: {
                    "timestamp": t // 1000,
                    "timestampms": t,
                    "tid": 71,
                    "price": "10.5",
                    "amount": "2",
                    "exchange": "gemini",
                    "type": "sell",
                }
            )
        ),
        first=_tick("BTCUSD"),
    ),
    Sample(
        id="kraken-trades-v2",
        source=LIST,
        name="trade.json",
        text=json.dumps(
            {
                "channel": "trade",
                "type": "snapshot",
                "data": [
                    {
                        "symbol": "BTC/USD",
                        "side": "sell",
                        "price": 10.5,
                        "qty": 2.0,
                        "ord_type": "market",
                        "trade_id": 71,
                        "timestamp": f"2020-09-13T12:{minute}:00.000000Z",
                    }
                    for minute in (27, 28, 29)
                ],
            }
        ),
        first=_tick("BTCUSD"),
    ),
    Sample(
        id="upbit-trades-rest",
        source="Upbit trades",
        name="ticks.json",
        text=json.dumps(
            _rows(
                lambda t: {
                    "market": "KRW-BTC",
                    "trade_date_utc": "2020-09-13",
                    "trade_time_utc": "12:27:00",
                    "timestamp": t,
                    "trade_price": 10.5,
                    "trade_volume": 2.0,
                    "prev_closing_price": 10.0,
                    "change_price": 0.5,
                    "ask_bid": "ASK",
                    "sequential_id": 71,
                }
            )
        ),
        first=_tick("BTCKRW"),
    ),
    Sample(
        id="coinbase-products",
        source="Coinbase trades with their product",
        name="market_trades.json",
        text=json.dumps(
            {
                "trades": _rows(
                    lambda t: {
                        "trade_id": "71",
                        "product_id": "BTC-USD",
                        "price": "10.5",
                        "size": "2",
                        "time": f"2020-09-13T12:{27 + (t - T) // M}:00Z",
                        "side": "BUY",
                        "bid": "",
                        "ask": "",
                    }
                )
            }
        ),
        first=_tick("BTCUSD", None),
    ),
    Sample(
        id="bitmex-trades-dump",
        source=LIST,
        name="20200913.csv",
        text="timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,foreignNotional,trdType\n"
        + "".join(
            f"2020-09-13D12:{minute}:00.000000000,XBTUSD,Sell,21,10.5,PlusTick,71,200000000,2,21,Regular\n"
            for minute in (27, 28, 29)
        ),
        first=_tick("XBTUSD"),
    ),
    Sample(
        id="ccxt-perpetual-json",
        source="OHLCV without a header",
        name="candles.json",
        text=json.dumps({"BTC/USDT:USDT": _rows(lambda t: [t, 10, 12, 9, 11, 5.5])}),
        first=_bar("BTCUSDT:USDT"),
    ),
    Sample(
        id="kucoin-futures-rest",
        source="KuCoin futures klines",
        name="kucoin_XBTUSDTM.json",
        text=json.dumps({"code": "200000", "data": _rows(lambda t: [t, 10, 12, 9, 11, 5500, 60.5])}),
        first=_bar("XBTUSDT:USDT", quote_volume=60.5),
    ),
    Sample(
        id="coinmetrics",
        source="CoinMetrics candles",
        name="candles.csv",
        text="market,time,price_open,price_close,price_high,price_low,vwap,volume,candle_usd_volume,candle_trades_count\n"
        + "".join(
            f"binance-btc-usdt-spot,2020-09-13T12:{minute}:00.000000000Z,10,11,12,9,11,5.5,60.5,7\n"
            for minute in (27, 28, 29)
        ),
        first=_bar("BTCUSDT", trades=7),
    ),
    Sample(
        id="coinalyze",
        source="Coinalyze candles",
        name="ohlcv-history.json",
        text=json.dumps(
            [
                {
                    "symbol": "BTCUSDT.A",
                    "history": _rows(
                        lambda t: {
                            "t": t // 1000,
                            "o": 10,
                            "h": 12,
                            "l": 9,
                            "c": 11,
                            "v": 5.5,
                            "bv": 2.5,
                            "tx": 7,
                            "btx": 3,
                        }
                    ),
                }
            ]
        ),
        first=_bar("BTCUSDT", trades=7, buy_volume=2.5),
    ),
    *(
        Sample(
            id=f"pandas-{orient}{'-index' if index else ''}",
            source=PLAIN,
            name="BTCUSDT.json",
            text=_pandas(orient, index),
            first=_bar("BTCUSDT"),
        )
        for orient, index in (
            ("columns", False),
            ("columns", True),
            ("index", False),
            ("index", True),
            ("table", False),
        )
    ),
    Sample(
        id="pandas-split-numbered",
        source="OHLCV without a header",
        name="BTCUSDT.json",
        text=json.dumps(
            {"columns": list(range(6)), "index": [0, 1, 2], "data": _rows(lambda t: [t, 10, 12, 9, 11, 5.5])}
        ),
        first=_bar("BTCUSDT"),
    ),
    Sample(
        id="pandas-numbered-header",
        source="OHLCV without a header",
        name="BTCUSDT.csv",
        text="0,1,2,3,4,5\n" + "".join(f"{time},10,12,9,11,5.5\n" for time in TIMES),
        first=_bar("BTCUSDT"),
    ),
)
