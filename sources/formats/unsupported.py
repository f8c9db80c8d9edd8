"""Tables of venues and vendors that are neither bars nor trades, known by their columns or name, and so named."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from sources.formats import lean
from sources.markets.file_name import is_base, words_of
from sources.tables.layout import PRICES, Head, Kind, Layout


class RefusedTable(NamedTuple):
    """A description of a table, and columns that only such a table has; names are compared without underscores."""

    what: str
    columns: frozenset[str]


def _with(what: str, *columns: str) -> RefusedTable:
    return RefusedTable(what, frozenset(columns))


_BOOK, _QUOTES = "this is an order book", "these are quotes, the best bid and ask"
REFUSED = (
    _with(_BOOK, "asks[0].price"),
    _with(_BOOK, "is_snapshot", "side", "price"),
    _with(_BOOK, "percentage", "depth", "notional"),
    _with(_BOOK, "bids", "asks"),
    _with(_BOOK, "level", "price"),
    _with("this is the open interest and funding of a derivative", "funding_timestamp", "funding_rate"),
    _with("this is open interest and the ratios of positions", "sum_open_interest"),
    _with("this is an options chain", "strike_price", "underlying_price"),
    _with("these are funding rates", "last_funding_rate"),
    _with("these are funding rates", "funding_rate"),
    _with("these are mark prices, which were not traded", "mark_open", "mark_close"),
    _with("these are mark and index prices, which were not traded", "mark_price", "index_price", "next_funding_time"),
    _with("this is open interest", "open_interest"),
    _with("these are liquidations", "order_type", "average_price", "original_quantity"),
    _with("these are orders, as Binance lists liquidations", "orig_qty", "executed_qty"),
    _with(_QUOTES, "best_bid_price", "best_ask_price"),
    _with(_QUOTES, "bid_price", "ask_price"),
    _with(_QUOTES, "bid_px_00", "ask_px_00"),
    _with(_QUOTES, "bid_px", "ask_px"),
    _with(_QUOTES, "bid_sx", "ask_sx"),
    _with(_QUOTES, "bid", "ask"),
)
BESIDE_PRICES = (
    _with("this is a summary of options", "strike", "mark_iv"),
    _with("these are tickers, which tell of the last day at any moment, and no bars", "bid", "ask"),
)
"""Tables with columns of bars that are no bars."""
_LETTERS = (
    _with(_QUOTES, "b", "B", "a", "A"),
    _with("these are liquidations, as Bybit sends them", "T", "s", "S", "v", "p"),
)
"""Columns of one letter, where a capital has another meaning; there may be no other but these of an event."""
_EVENT = frozenset({"e", "E", "T", "u", "s"})
_ONLY = "; only bars and trades are read"
_ANYWAY = "; only bars and trades are read, and where it is one of them, name its layout with --layout"
NAMES = (
    ("open interest", r"open interest|openinterest|oi"),
    ("fair prices, which were not traded", r"fair price|fairprice"),
    ("an index of volatility", r"dvol"),
    ("an index, which is not traded", r"dominance|cryptocap"),
    ("prices that are averaged or redrawn, and not paid", r"heikin ashi|heikinashi|ha candles|renko"),
    ("liquidations", r"liq|liquidations?|liquidationsnapshot|force ?orders?"),
)
"""Contents named by words in a file's name, whatever its columns."""
NAMES_OF_TRADES = (
    (
        "an order book",
        r"(order ?)?books?|(order ?)?book ?(snapshots?|depth|ticker|l\d)|book ?depth|depth ?\d*|l2|l3|lob|snapshots?",
    ),
    ("taker volumes", r"taker ?volumes?"),
)
"""Their meaning for a table that looks like trades."""
_SIDES_OF_A_BOOK = frozenset({"bid", "bids", "ask", "asks", "b", "a", "offer", "offers"})
_CERTAIN = frozenset({"taker_side", "aggressor_side", "ask_bid"})
"""Columns in which a bid is a purchase."""
_ONE_SIDED = frozenset({"b"})
_DATABENTO = frozenset({"rtype", "publisher_id", "instrument_id"} | set(PRICES))


def what(head: Head) -> str | None:
    """Return a description of a table that is neither bars nor trades; None if it is not known as such."""
    if lean.midnight(head, "quote") is not None:
        return lean.QUOTES + _ONLY
    names = {name.strip().lower() for name in head.header or ()}
    if names >= _DATABENTO and not _any_dot(head):
        return "its prices are whole billionths, as Databento writes them unless asked for pretty_px: save it so"
    if head.header is None and any(_are_actions(head.column(place)) for place in range(head.width)):
        return f"{_BOOK}, as Gate dumps its changes{_ONLY}"
    return columns(head) or _of_a_topic(head)


def columns(head: Head) -> str | None:
    """Return a description of a table by its columns, if it is neither bars nor trades."""
    names = {name.strip().lower() for name in head.header or ()}
    if (refused_table := _by_letters(head)) is not None:
        return f"{refused_table.what} (columns {', '.join(sorted(refused_table.columns))}){_ONLY}"
    spelled = {_bare(name): name for name in head.header or ()}
    bars = names >= set(PRICES)
    trades = not bars and {"trade_id", "price"} <= names  # Coinbase writes the bid and the ask beside a trade
    for one in BESIDE_PRICES if bars else () if trades else REFUSED:
        if all(_bare(column) in spelled for column in one.columns):
            seen = ", ".join(sorted(spelled[_bare(column)] for column in one.columns))
            return f"{one.what} (columns {seen}){_ANYWAY if bars else _ONLY}"
    return None


def by_name(head: Head, kind: Kind) -> str | None:
    """Return the content named in a file's name, if it contradicts this kind of table."""
    results = words_of(head.name)
    beside = [word for word, after in zip(results, [*results[1:], ""], strict=False) if not is_base(word, after)]
    for output, pattern in (*NAMES, *(NAMES_OF_TRADES if kind == "tick" else ())):
        for words in _phrases(beside):
            if re.fullmatch(pattern, words, re.IGNORECASE):
                return f"{words!r} in its name says {output}{_ANYWAY}"
    symbols = head.column(head.names.index(head.find("symbol") or "")) if head.has("symbol") else []
    if any((cell or "").upper().startswith("CRYPTOCAP:") for cell in symbols):
        return f"its symbols are of CRYPTOCAP, an index, which is not traded{_ANYWAY}"
    return None


def book(head: Head, layout: Layout, *, reported: bool) -> str | None:
    """Return why the sides of trades are those of an order book; bids alone may be purchases where a user says so."""
    if layout.kind != "tick" or not ({name.strip().lower() for name in head.header or ()} & {"side", "type"}):
        return None
    for column in ("side", "type"):
        name = head.find(column)
        if name is None or layout.columns.get("side", name).strip().lower() in _CERTAIN:
            continue
        cells = {(cell or "").strip().lower() for cell in head.column(head.names.index(name))} - {""}
        if not cells or not cells <= _SIDES_OF_A_BOOK:
            continue
        if cells == _ONE_SIDED and reported:
            continue
        shown = " and ".join(repr(cell) for cell in sorted(cells))
        if cells == _ONE_SIDED:
            return (
                f"column {name!r} holds {shown} alone, which may be the bids of an order book; where they are "
                "purchases, --layout trades reads it"
            )
        return f"{_BOOK}, for column {name!r} holds {shown}{_ONLY}"
    return None


def _bare(name: str) -> str:
    """Return a name as it is compared: bidPrice is bid_price."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _phrases(words: list[str]) -> Iterator[str]:
    """Yield the words, and each two of them that stand together."""
    yield from (f"{one} {two}" for one, two in pairwise(words))
    yield from words


def _by_letters(head: Head) -> RefusedTable | None:
    names = {name.strip() for name in head.header or ()}
    return next((one for one in _LETTERS if one.columns <= names <= one.columns | _EVENT), None)


def _of_a_topic(head: Head) -> str | None:
    """Return the content of a recording of messages, by their topic."""
    if not head.has("topic"):
        return None
    cells = head.column(head.names.index(head.find("topic") or ""))
    return _BOOK + _ONLY if any((cell or "").lower().startswith("orderbook") for cell in cells) else None


def _are_actions(cells: list[str | None]) -> bool:
    """Return whether all cells are what Gate calls a change of its order book."""
    return bool(cells) and all(cell in ("set", "make", "take") for cell in cells)


def _any_dot(head: Head) -> bool:
    cells = head.column(head.names.index(head.find("close") or ""))
    return any("." in (cell or "") for cell in cells)
