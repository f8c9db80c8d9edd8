"""Trades without a header, in the column orders of venues, recognised by values that only one column can have."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from sources.markets.file_name import symbol_of
from sources.tables.cells import is_epoch, number
from sources.tables.column_orders import without_header
from sources.tables.layout import Head, Layout

FIELDS = frozenset({"time", "trade_id", "price", "amount", "side", "buyer_maker"})


@dataclass(frozen=True, kw_only=True)
class Order:
    """An order of columns, of which the last `optional` may be absent; `signed`: a sale has a negative amount."""

    source: str
    short: str
    columns: tuple[str, ...]
    sides: tuple[str, ...] = ()
    optional: int = 0
    signed: bool = False

    def against(self, head: Head) -> str | None:
        """Return why the first rows do not fit this order, None if they do."""
        if head.header is not None:
            return "it has a header"
        if not len(self.columns) - self.optional <= head.width <= len(self.columns):
            return f"its rows have {head.width} columns"
        for place, name in enumerate(self.columns[: head.width]):
            fits, what = self._one(name)
            cells = head.column(place)
            if not fits(cells):
                return f"column {place + 1} holds {(next(iter(cells), None) or '')[:40]!r}, which is no {what}"
        return None

    def _one(self, name: str) -> tuple[Callable[[Sequence[str | None]], bool], str]:
        """Return the check of a column's cells, and its description."""
        if name == "time":
            return is_epoch, "unix time"
        if name == "side":
            return partial(_all_in, self.sides), "side"
        if name == "buyer_maker":
            return partial(_all_in, ("true", "false")), "true or false"
        return (_are_numbers, name) if name in ("price", "amount") else (lambda _: True, name)


def _all_in(values: tuple[str, ...], cells: Sequence[str | None]) -> bool:
    return bool(cells) and all((cell or "").strip().lower() in values for cell in cells)


def _are_numbers(cells: Sequence[str | None]) -> bool:
    """Return whether any cell is a number: one that is none is an impossible row."""
    return any(number(cell) is not None for cell in cells)


_BARE = "bare-trades"
_STEP, _APART, _LIVELY = 0.1, 3.0, 0.01
"""By how much of itself a price moves in nine of ten trades at most, how many times as much the amounts do, and what
these do on average at least.
"""
_MINUTE_S = 60.0


def unproven(order: Order, head: Head) -> str | None:
    """Return why a time and two numbers are not certainly trades, None if they are or are of another order.

    Bitcoin charts and Kraken write the price first: it moves little from row to row, and amounts much more. A second
    price (a mark price and its index) and sums of even times move otherwise.
    """
    if order.short != _BARE:
        return None
    times, prices, amounts = ([number(cell) or 0.0 for cell in head.column(place)] for place in range(3))
    steps = {after - before for before, after in pairwise(times)}
    unit = next(scale for least, scale in ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3), (0.0, 1.0)) if times[0] >= least)
    if len(times) > 2 and len(steps) == 1 and all(not time % (_MINUTE_S * unit) for time in (times[0], *steps)):
        return "its rows stand whole minutes apart, as no trades do"
    price, amount = sorted(_moves(prices)), _moves(amounts)
    if not price:
        return "with one row, price and amount cannot be distinguished"
    if price[len(price) * 9 // 10] > _STEP:
        return "column 2 moves too much for a price"
    if sum(amount) <= max(_APART * sum(price), _LIVELY * len(amount)):
        return "column 3 is as steady as column 2, and may be a price"
    return None


def _moves(values: Sequence[float]) -> list[float]:
    """Return by how much of itself a number above 0 changes from row to row; nothing if there is but one."""
    known = [value for value in values if value > 0]
    return [abs(math.log(after / before)) for before, after in pairwise(known)]


_WORDS = ("buy", "sell")
_AGGREGATE = ("trade_id", "price", "amount", "first_trade_id", "last_trade_id", "time", "buyer_maker", "best_match")
ORDERS = (
    Order(source="trades without a header", short=_BARE, columns=("time", "price", "amount")),
    Order(
        source="Gate deals",
        short="gate-deals",
        columns=("time", "trade_id", "price", "amount", "side"),
        sides=("1", "2"),
    ),
    Order(
        source="freqtrade trades",
        short="freqtrade-trades",
        columns=("time", "trade_id", "type", "side", "price", "amount", "cost"),
        sides=_WORDS,
    ),
    Order(
        source="Kraken trades (REST)",
        short="kraken-trades",
        columns=("price", "amount", "time", "side", "type", "misc", "trade_id"),
        sides=("b", "s"),
        optional=1,
    ),
    Order(source="Binance aggTrades", short="binance-aggtrades", columns=_AGGREGATE, optional=1),
    Order(
        source="Binance trades",
        short="binance-trades",
        columns=("trade_id", "price", "amount", "quote_amount", "time", "buyer_maker", "best_match"),
        optional=1,
    ),
    Order(
        source="Bitfinex trades (REST)",
        short="bitfinex-trades",
        columns=("trade_id", "time", "amount", "price"),
        signed=True,
    ),
)


def layout(order: Order, head: Head) -> Layout:
    """Return the layout of a table in an order."""
    names = order.columns[: head.width]
    used = {name: name for name in names if name in FIELDS}
    return Layout(
        kind="tick", columns=used, names=names, symbol=head.symbol or symbol_of(head.name), signed=order.signed
    )


def recognise(order: Order, head: Head) -> Layout | None:
    """Recognise an order, where no other fits as well; where a sale is negative, by a sale or by the file's name."""
    if head.header is not None or order.against(head) is not None or len(fitting(head)) > 1:
        return None
    amounts = head.column(order.columns.index("amount"))
    if order.signed and not any((number(cell) or 0.0) < 0 for cell in amounts) and "bitfinex" not in head.name.lower():
        return None  # the price and the amount may as well stand the other way round
    if unproven(order, head) is not None:
        return None
    return layout(order, head)


def named_layout(order: Order, head: Head) -> Layout | str:
    """Return the layout of a table with an order named by the user, or why it does not fit."""
    return order.against(head) or layout(order, head)


def fitting(head: Head) -> list[Order]:
    """Return the orders in which the first rows can be."""
    return [order for order in ORDERS if order.against(head) is None]


def doubts(head: Head) -> list[str]:
    """Return why the orders that fit the first rows are uncertain."""
    return [why for order in fitting(head) if (why := unproven(order, head)) is not None]


def near(head: Head) -> list[tuple[str, str]]:
    """Return the orders of as many columns, and why the rows are in none of them."""
    same = [one for one in ORDERS if len(one.columns) - one.optional <= head.width <= len(one.columns)]
    return [(order.short, order.against(head) or "") for order in same]


SOURCES = without_header(ORDERS, recognise, named_layout)
