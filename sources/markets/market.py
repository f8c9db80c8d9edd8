"""Determines a file's market: by its name, its folder, its columns, or the user."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Literal

from sources.errors import NotTradedError, SourceError
from sources.markets.file_name import contract_in, is_base, words_of
from sources.tables.cells import number
from sources.tables.layout import Head, Layout
from topics.markets import contract, expiry_of, is_inverse, kind_of

Kind = Literal["spot", "linear", "inverse"]

SPOT, CONTRACT, LINEAR, INVERSE, DELIVERY = "spot", "contract", "linear", "inverse", "delivery"
_SETTLED = {LINEAR: True, INVERSE: False}
"""Whether a kind is settled in the quote currency, if known."""
_WORDS = {
    **dict.fromkeys(("spot", "spbl"), SPOT),
    **dict.fromkeys(("future", "futures", "fut", "derivatives", "contract", "contracts"), CONTRACT),
    **dict.fromkeys(("perp", "perps", "perpetual", "perpetuals", "swap", "swaps"), CONTRACT),
    **dict.fromkeys(("krakenfutures", "kucoinfutures"), CONTRACT),
    **dict.fromkeys(("usdm", "linear", "umcbl", "fapi", "binanceusdm"), LINEAR),
    **dict.fromkeys(("coinm", "inverse", "dmcbl", "dapi", "binancecoinm"), INVERSE),
    **dict.fromkeys(("delivery", "quarter", "quarterly", "biquarterly", "option", "options"), DELIVERY),
}
"""The market of a word in a file's name."""
_FOLDERS = {name: _WORDS[name] for name in ("spot", "usdm", "linear", "swap", "perp", "perpetual", "futures")} | {
    **{name: _WORDS[name] for name in ("coinm", "inverse")},
    # Gate's
    **{"futures_usdt": LINEAR, "futures_btc": INVERSE, "delivery_usdt": DELIVERY, "delivery_btc": DELIVERY},
    **{"um": LINEAR, "cm": INVERSE, "linear-swap": LINEAR, "usdt-futures": LINEAR, "coin-futures": INVERSE},
}
"""The market of a folder's name."""
_CELLS = {
    **_WORDS,
    **dict.fromkeys(("linear-swap", "usdt-futures", "usdc-futures", "linearperpetual", "perpetual futures"), LINEAR),
    **dict.fromkeys(("coin-futures", "inverseperpetual"), INVERSE),
    # Exchanges as Tardis calls them (docs.tardis.dev) and as jesse does.
    **dict.fromkeys(("binance-futures", "huobi-dm-linear-swap", "dydx", "binance perpetual futures"), LINEAR),
    **dict.fromkeys(("binance-delivery", "huobi-dm", "huobi-dm-swap"), INVERSE),
    **dict.fromkeys(("bitmex", "deribit", "bybit", "okex-swap", "okex-futures", "cryptofacilities"), CONTRACT),
    **dict.fromkeys(("bitfinex-derivatives", "gate-io-futures", "kucoin-futures", "bybit usdt perpetual"), CONTRACT),
    **dict.fromkeys(("bybit-spot", "binance", "okex", "coinbase", "kraken", "bitstamp", "binance spot"), SPOT),
}
"""The market of a cell in a column of markets or exchanges."""
COLUMNS = ("category", "market_type", "markettype", "contract_type", "contracttype", "insttype", "inst_type", "market")
_TARDIS = ("exchange", "symbol", "timestamp", "local_timestamp")
_NO_TRADES = re.compile(
    r"(mark|index|premium|funding)(price|index|rate|history|klines|kline|candles|candle)*", re.IGNORECASE
)
"""Words of files whose prices were not traded: mark and index prices, premiums, funding rates."""
_NO_TRADES_FOLDER = re.compile(
    r"(markprice|indexprice|premiumindex)klines|fundingrate|(mark|index)[-_]prices?|funding[-_](rates?|updates?)",
    re.IGNORECASE,
)
ENOUGH = 5
"""Rows of no volume that prove it: one may be rounded."""
_NEAREST = 6
"""Of a file's folders the last: Binance's are futures/um/daily/klines/BTCUSDT/1m."""


@dataclass(frozen=True, kw_only=True)
class Market:
    """A market: `linear` as in `topics.markets.contract`, None if unknown; `source` is the evidence for it."""

    spot: bool
    source: str
    linear: bool | None = None
    expiry: str | None = None
    explicit: bool = field(default=False, kw_only=True)

    def of(self, symbol: str, name: str) -> str:
        """Return the symbol with its settlement currency, where this is no spot market.

        Raises SourceError if the symbol says another market than this, or its quote currency cannot be told.
        """
        if ":" in symbol or kind_of(symbol) == "option":
            if self.spot and self is not UNSAID:
                raise SourceError(f"{name}: {symbol} is no spot market, and {self.source} says that it is one")
            return symbol
        if self.spot:
            return symbol
        if self.expiry == "":
            raise SourceError(
                f"{name}: {self.source} says a delivery or an option, and not which: replay it alone with its symbol, "
                "such as --symbol BTC/USDT:USDT-240329"
            )
        text = contract(symbol, self.expiry, linear=self.linear)
        if text is None and self.expiry is None:
            return f"{symbol}PERP"  # as venues name perpetuals whose quote currency goes without saying
        if text is None:
            raise SourceError(f"{name}: {self.source} says a delivery, and {symbol!r} does not tell its quote currency")
        return text

    def words(self, symbols: Sequence[str]) -> str:
        """Return in words the kind of a file's symbols, and the evidence for it."""
        kinds = sorted({kind_of(symbol) for symbol in symbols}) or ["spot"]
        if self is UNSAID:
            return "spot (by default)" if kinds == ["spot"] else f"{', '.join(kinds)} (by its symbols)"
        if not self.spot and kinds == ["spot"]:  # BTCPERP does not tell in what it is settled
            kinds = ["perpetual"]
        return f"{', '.join(kinds)} (by {self.source})"


UNSAID = Market(spot=True, source="nothing")


def market_of(name: str, folder: Path, output: Kind | None, *, alone: bool = True) -> Market:
    """Return the market given by the user, or by a file's name and folders; spot by default.

    What a user says goes before what a file's name says where it is the only file (`alone`). Raises SourceError if
    what is said contradicts itself, NotTradedError if the name means prices that were not traded.
    """
    *outer, last = re.split(r"[/\\:]", name)
    packed = [part for part in outer if part.endswith(".zip")]
    all_words = [words_of(part) for part in (last, *packed)]
    results = [word for of_name in all_words for word in _beside_the_pair(of_name)]
    folders = [*folder.parts[-_NEAREST:], *outer]
    if output is None and (word := _not_traded(results, folders)) is not None:
        raise NotTradedError(
            f"{name}: {word!r} in its name or folder means prices that were not traded (mark or index prices, "
            "premiums, funding rates), which are no bars; --market reads them all the same"
        )
    markets = [_market(_WORDS[word.lower()], f"{word!r} in its name") for word in results if word.lower() in _WORDS]
    markets += [_market(_FOLDERS[one.lower()], f"its folder {one}") for one in folders if one.lower() in _FOLDERS]
    markets += [one for one in map(_by_parts, all_words) if one is not None]
    if output is not None:
        chosen = Market(
            spot=output == "spot",
            source="--market",
            linear=None if output == "spot" else output == "linear",
            explicit=True,
        )
        against = next((one.source for one in markets if one.spot is not chosen.spot), None)
        if against is not None and not alone:
            raise SourceError(f"{name}: {against} says another market than --market {output}: replay it apart")
        return chosen
    if len({one.spot for one in markets}) > 1:
        several = " and ".join(sorted({one.source for one in markets}))
        raise SourceError(f"{name}: {several} say different markets; give --market spot, linear or inverse")
    return next((one for one in reversed(markets) if one.expiry or one.linear is not None), [*markets, UNSAID][0])


def _not_traded(results: Sequence[str], folders: Sequence[str]) -> str | None:
    of_folders = filter(_NO_TRADES_FOLDER.fullmatch, folders)
    return next(chain(filter(_NO_TRADES.fullmatch, results), of_folders), None)


def of_columns(head: Head, layout: Layout) -> tuple[Market, Layout]:
    """Return the market that a table's columns say, and the layout without a column that tells it in a symbol's place.

    Of each row the first decides: `sources.reading.constant_columns` refuses where they differ.
    """
    names = [name for name in head.names if name.strip().lower() in COLUMNS]
    if head.has(*_TARDIS) or head.has("exchange", "timeframe"):
        names.append(head.find("exchange") or "")
    for name in names:
        cell = next((cell for cell in head.column(head.names.index(name)) if cell), "")
        if (kind := kind_in(cell)) is not None:
            columns = {field: at for field, at in layout.columns.items() if (field, at) != ("symbol", name)}
            return _market(kind, f"{cell!r} in column {name!r}"), replace(layout, columns=columns)
    return UNSAID, layout


def kind_in(cell: str) -> str | None:
    """Return the kind of market that a cell says, None if it says none."""
    return _CELLS.get(cell.strip().lower())


def in_category(symbol: str, category: object) -> str:
    """Return the symbol of an answer that says its category beside it (Bybit's linear, OKX's SWAP)."""
    kind = kind_in(str(category))
    if kind in (None, SPOT, DELIVERY) or ":" in symbol:
        return symbol
    return contract(symbol, linear=_SETTLED.get(kind or "")) or symbol


def _beside_the_pair(results: list[str]) -> list[str]:
    """Return the words without the coin of a pair, which may be called PERP, INDEX or SPOT."""
    return [word for word, following in zip(results, [*results[1:], ""], strict=False) if not is_base(word, following)]


def _market(kind: str, text: str) -> Market:
    if kind == DELIVERY:
        return Market(spot=False, source=text, linear=None, expiry="")
    return Market(spot=kind == SPOT, source=text, linear=_SETTLED.get(kind))


def _by_parts(results: list[str]) -> Market | None:
    """Return the market that stands behind the pair: a settlement currency (freqtrade), a day, or M, PERP, SWAP."""
    if (named := contract_in(results)) is None or ":" not in named[0]:
        return None
    symbol, text = named
    return Market(spot=False, source=f"{text!r} in its name", linear=not is_inverse(symbol), expiry=expiry_of(symbol))


def not_traded(head: Head, layout: Layout) -> str | None:
    """Return why bars are none of trades: Binance's mark and index prices count updates as trades, of no volume."""
    names = [name for name in ("volume", "quote_volume") if name in layout.columns]
    if len(head.rows) < ENOUGH or not names or "trades" not in layout.columns:
        return None

    def cells(name: str) -> list[float | None]:
        return [number(cell) for cell in head.column(head.names.index(layout.columns[name]))]

    if all(set(cells(name)) == {0.0} for name in names) and all((count or 0) > 0 for count in cells("trades")):
        return "its bars count trades and have no volume: these are mark or index prices, which were not traded"
    return None
