"""Layouts of venues whose columns have names of their own, or common names with another meaning: all must be there."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sources.markets.file_name import symbol_of
from sources.tables.layout import PRICES, Head, Kind, Layout, Source
from topics.markets import canonical, contract


@dataclass(frozen=True, kw_only=True)
class Exact:
    """A layout: `columns` maps its lower-case columns to fields, None if it tells this layout from others and is not
    needed; `beside` are columns that may be there; `venue`, a pattern, must be in the file's name.
    """

    source: str
    short: str
    kind: Kind
    columns: Mapping[str, str | None]
    beside: frozenset[str] = frozenset()
    symbol: Callable[[str], str] = canonical
    venue: str = ""
    remark: str = ""

    def recognise(self, head: Head) -> Layout | None:
        """Recognise a header with all of the columns and no other, in a file of the venue's."""
        result = self.named_layout(head)
        return result if isinstance(result, Layout) and re.search(self.venue, head.name, re.IGNORECASE) else None

    def named_layout(self, head: Head) -> Layout | str:
        """Return the layout of a header with all of the columns and no other, or why it is none."""
        names = {name.strip().lower(): name for name in head.header or ()}
        if not self.columns.keys() <= names.keys() <= self.columns.keys() | self.beside:
            return "its columns are others" if head.header else "it has no header"
        columns = {field: names[name] for name, field in self.columns.items() if field is not None}
        symbol = None if "symbol" in columns else head.symbol or symbol_of(head.name)
        return Layout(kind=self.kind, columns=columns, symbol=symbol, remarks=(self.remark,) if self.remark else ())


def quote_first(market: str) -> str:
    """Return the symbol of a market that is called by its quote currency first.

    >>> quote_first("KRW-BTC")
    'BTCKRW'
    """
    quote, _, base = market.partition("-")
    return canonical(f"{base}-{quote}" if base else market)


def of_coinapi(symbol: str) -> str:
    """Return the symbol in CoinAPI's name of a market.

    >>> of_coinapi("COINBASE_SPOT_BTC_USD"), of_coinapi("BINANCEFTS_PERP_BTC_USDT"), of_coinapi("X_FTS_BTC_USD_240329")
    ('BTCUSD', 'BTCUSDT:USDT', 'BTCUSD:BTC-240329')
    """
    _, kind, *parts = symbol.split("_")
    if kind == "PERP" and len(parts) == 2:
        parts.append("PERP")
    return canonical("_".join(parts)) if kind in ("SPOT", "PERP", "FTS") and len(parts) > 1 else canonical(symbol)


def of_coinmetrics(market: str) -> str:
    """Return the symbol in CoinMetrics' name of a market.

    >>> of_coinmetrics("binance-btc-usdt-spot"), of_coinmetrics("binance-BTCUSDT-future")
    ('BTCUSDT', 'BTCUSDT:USDT')
    """
    _, *parts, kind = market.split("-")
    pair = canonical("-".join(parts))
    return pair if kind == "spot" or ":" in pair else canonical(f"{pair}_PERP")


def of_coinalyze(market: str) -> str:
    """Return the symbol in Coinalyze's name of a market, which ends with a letter for the venue.

    >>> of_coinalyze("BTCUSDT_PERP.A"), of_coinalyze("BTCUSDT.A")
    ('BTCUSDT:USDT', 'BTCUSDT')
    """
    return canonical(market.rpartition(".")[0] or market)


def of_dydx(market: str) -> str:
    """Return the symbol in dYdX's name of a market: it has perpetuals alone.

    >>> of_dydx("BTC-USD")
    'BTCUSD:USD'
    """
    symbol = canonical(market)
    return symbol if ":" in symbol else contract(symbol, linear=True) or symbol


_PRICES: dict[str, str | None] = {name: name for name in ("open", "high", "low", "close")}
EXACT = (
    Exact(
        source="HTX klines",
        short="htx-klines",
        kind="bar",
        columns={"id": "time", **_PRICES, "amount": "volume", "vol": "quote_volume", "count": "trades"},
    ),
    Exact(
        source="Upbit and Bithumb candles",
        short="upbit-candles",
        kind="bar",
        columns={"market": "symbol", "candle_date_time_utc": "time", "opening_price": "open", "high_price": "high"}
        | {"low_price": "low", "trade_price": "close", "candle_acc_trade_price": "quote_volume"}
        | {"candle_acc_trade_volume": "volume"},
        beside=frozenset(
            {"candle_date_time_kst", "timestamp", "unit", "prev_closing_price", "change_price", "change_rate"}
        )
        | {"converted_trade_price"},
        symbol=quote_first,
    ),
    Exact(
        source="MEXC contract klines",
        short="mexc-contract",
        kind="bar",
        columns={"time": "time", **_PRICES, "amount": "quote_volume", "vol": None, "realopen": None, "realclose": None},
        beside=frozenset({"realhigh", "reallow"}),
    ),
    Exact(
        source="dYdX candles",
        short="dydx-candles",
        kind="bar",
        columns={"startedat": "time", "ticker": "symbol", **_PRICES, "basetokenvolume": "volume", "trades": "trades"}
        | {"usdvolume": "quote_volume"},
        beside=frozenset({"resolution", "startingopeninterest", "orderbookmidpriceopen", "orderbookmidpriceclose"}),
        symbol=of_dydx,
    ),
    Exact(
        source="CoinAPI OHLCV (flat files)",
        short="coinapi-flat",
        kind="bar",
        columns={
            "time_period_start": "time",
            "px_open": "open",
            "px_high": "high",
            "px_low": "low",
            "px_close": "close",
        }
        | {"sx_sum": "volume", "sx_cnt": "trades"},
        beside=frozenset({"time_period_end", "time_open", "time_close"}),
    ),
    Exact(
        source="CoinAPI trades (flat files)",
        short="coinapi-trades",
        kind="tick",
        columns={
            "time_exchange": "time",
            "price": "price",
            "base_amount": "amount",
            "taker_side": "side",
            "guid": "trade_id",
        },
        beside=frozenset({"time_coinapi"}),
    ),
    Exact(
        source="CoinAPI trades (REST)",
        short="coinapi-trades-rest",
        kind="tick",
        columns={
            "symbol_id": "symbol",
            "time_exchange": "time",
            "price": "price",
            "size": "amount",
            "taker_side": "side",
        }
        | {"uuid": "trade_id"},
        beside=frozenset({"time_coinapi", "id_trade", "id_order_maker", "id_order_taker", "sequence"}),
        symbol=of_coinapi,
    ),
    Exact(
        source="Coinbase trades",
        short="coinbase-trades",
        kind="tick",
        columns={"time": "time", "trade_id": "trade_id", "price": "price", "size": "amount", "side": "maker_side"},
        venue="coinbase|gdax",
        # docs.cdp.coinbase.com/exchange, "Get product trades"
        remark="side: the maker's, as Coinbase writes it; the taker's is the other one (--layout trades: as it stands)",
    ),
    Exact(
        source="Coinbase trades with their product",
        short="coinbase-products",
        kind="tick",
        columns={"product_id": "symbol", "time": "time", "trade_id": "trade_id", "price": "price", "size": "amount"}
        | {"side": None},
        beside=frozenset({"bid", "ask", "exchange", "sequence", "type"}),
        remark="side: unknown, for Coinbase writes the maker's in one feed and does not say whose in another",
    ),
    Exact(
        source="Deribit trades",
        short="deribit-trades",
        kind="tick",
        columns={"instrument_name": "symbol", "timestamp": "time", "trade_id": "trade_id", "price": "price"}
        | {"amount": "amount", "direction": "side", "tick_direction": None},
        beside=frozenset({"trade_seq", "mark_price", "index_price", "iv", "contracts", "liquidation", "block_trade_id"})
        | {"block_trade_leg_count", "block_rfq_id", "combo_id", "combo_trade_id"},
    ),
    Exact(
        source="Hyperliquid trades",
        short="hyperliquid-trades",
        kind="tick",
        columns={"coin": "symbol", "time": "time", "tid": "trade_id", "px": "price", "sz": "amount", "side": "side"}
        | {"hash": None},
    ),
    Exact(
        source="Gemini trades",
        short="gemini-trades",
        kind="tick",
        columns={"timestampms": "time", "tid": "trade_id", "price": "price", "amount": "amount", "type": "side"},
        beside=frozenset({"timestamp", "exchange", "broken"}),
    ),
    Exact(
        source="Upbit trades",
        short="upbit-trades",
        kind="tick",
        columns={"market": "symbol", "timestamp": "time", "sequential_id": "trade_id", "trade_price": "price"}
        | {"trade_volume": "amount", "ask_bid": "side"},
        beside=frozenset({"trade_date_utc", "trade_time_utc", "prev_closing_price", "change_price"}),
        symbol=quote_first,
    ),
    Exact(
        source="CoinMetrics candles",
        short="coinmetrics-candles",
        kind="bar",
        columns={"market": "symbol", "time": "time", **{f"price_{name}": name for name in PRICES}, "volume": "volume"}
        | {"candle_trades_count": "trades", "candle_usd_volume": None},
        beside=frozenset({"vwap"}),
        symbol=of_coinmetrics,
    ),
    Exact(
        source="Coinalyze candles",
        short="coinalyze-candles",
        kind="bar",
        columns={
            "symbol": "symbol",
            "t": "time",
            **{name[0]: name for name in PRICES},
            "v": "volume",
            "bv": "buy_volume",
        }
        | {"tx": "trades", "btx": None},
        symbol=of_coinalyze,
    ),
    Exact(
        source="Kaiko trades",
        short="kaiko-trades",
        kind="tick",
        columns={"id": "trade_id", "symbol": "symbol", "date": "time", "price": "price"}
        | {"amount": "amount", "sell": "buyer_maker"},
        beside=frozenset({"exchange"}),
    ),
    Exact(
        source="Kaiko trades (REST)",
        short="kaiko-trades-rest",
        kind="tick",
        columns={"timestamp": "time", "trade_id": "trade_id", "price": "price", "amount": "amount"}
        | {"taker_side_sell": "buyer_maker"},
    ),
)


def _symbols(symbol: Callable[[str], str], _: Path) -> Callable[[str], str]:
    return symbol


SOURCES = tuple(
    Source(
        name=one.source,
        short=one.short,
        columns=",".join(one.columns),
        recognise=one.recognise,
        symbols=partial(_symbols, one.symbol),
        named_layout=one.named_layout,
    )
    for one in EXACT
)
