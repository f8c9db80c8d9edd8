"""Trade lists with a header. All columns must be known, since tables of quotes or order books look similar."""

from dataclasses import replace

import numpy as np
import pyarrow as pa

from sources.formats import unsupported
from sources.formats.column_roles import time_of, unused
from sources.markets.file_name import symbol_of
from sources.markets.trade_side import with_side
from sources.tables.cells import number
from sources.tables.layout import PRICES, Head, Layout, Source, columns_of
from sources.times.timestamps import UNREADABLE, milliseconds

TIMES = (
    *("transact_time", "timestamp", "trade_time", "created_time", "time", "unix", "datetime", "date", "t", "ts"),
    *("ts_event", "executed_at", "__index_level_0__", "index", ""),
)
NEEDED = ("time", "price", "amount")
FIELDS = {
    "symbol": ("symbol", "pair", "instrument_name", "instrument", "instid", "product_id", "market"),
    "price": ("price", "px", "p"),
    "amount": ("homenotional", "size(base)", "base_qty", "amount", "quantity", "qty", "size", "sz", "volume", "q"),
    "side": ("side", "taker_side", "aggressor_side", "direction"),
    "buyer_maker": ("is_buyer_maker", "buyer_maker", "isbuyermaker", "m"),
    "trade_id": ("agg_trade_id", "trade_id", "tradeid", "tid", "id", "trdmatchid", "execid", "a"),
}
LEFT_OUT = frozenset(
    {"first_trade_id", "last_trade_id", "best_match", "is_best_match", "isbestmatch", "type", "cost", "order"}
    | {"quote_quantity", "quote_qty", "quoteqty", "quote_amount", "tickdirection", "grossvalue", "foreignnotional"}
    | {"rpi", "size", "exchange", "venue", "local_timestamp", "datetime", "takerormaker", "fee", "fees", "info", "f"}
    | {"l", "ts_init", "ts_event", "liquidation", "millisecond", "nanosecond", "misc", "index", "__index_level_0__"}
    | {"m", "trdtype", "ord_type", "receipt_timestamp", "isblocktrade", "isrpitrade", "seq", "seqid", "source", "count"}
    | {"", "volume(quote)"}
)
"""Columns that are known and not needed."""
CONTRACTS = (
    "amounts: homeNotional, in the base currency; the rows are of a contract and do not say which: --market linear or "
    "inverse tells it apart from spot"
)

BINANCE = (
    "trades: the columns are those that Binance writes of contracts; --market linear tells them apart from spot, and "
    "--market spot says that they are"
)
OF_CONTRACTS = frozenset({CONTRACTS, BINANCE})
"""Remarks for trades of contracts whose market is unknown."""
_BINANCE = (
    {"agg_trade_id", "price", "quantity", "first_trade_id", "last_trade_id", "transact_time", "is_buyer_maker"},
    {"id", "price", "qty", "quote_qty", "time", "is_buyer_maker"},
)
"""Binance's headers of trades of contracts: its files of spot have none, and one more column."""
_COINBASE = {"time", "trade_id", "price", "size", "side"}
MAKERS = "side: the taker's; where Coinbase wrote it, it is the maker's, and --layout coinbase-trades turns it"
_MINUTE_MS, _FEW = 60_000, 3


def recognise(head: Head) -> Layout | None:
    """Recognise a header with a time, a price and an amount, all of whose columns are known."""
    result = layout(head)
    return None if result is None or result.left_out or doubt(head) is not None else result


def doubt(head: Head) -> str | None:
    """Return why prices and amounts are hardly trades: of nothing else than a time, and all whole minutes apart."""
    columns = columns_of(head, FIELDS) | time_of(head, TIMES)
    if columns.keys() & {"side", "buyer_maker", "trade_id"} or not columns.keys() >= set(NEEDED):
        return None
    cells = [cell for cell in head.column(head.names.index(columns["time"])) if cell]
    times = milliseconds(pa.array(cells, pa.string()))
    steps = np.unique(np.diff(times))
    if len(times) < _FEW or (times == UNREADABLE).any() or (times % _MINUTE_MS).any() or len(steps) > 1 or not steps[0]:
        return None
    return "its rows stand whole minutes apart, as no trades do: they are prices and amounts of spans of time"


def named_layout(head: Head) -> Layout | str:
    """Return the layout if the user declares trades: unknown columns are left out."""
    if (what := unsupported.columns(head)) is not None:
        return what
    return layout(head) or ("its columns are others" if head.header else "it has no header")


def layout(head: Head) -> Layout | None:
    """Return the layout of a header with a time, a price and an amount, but with no bars; None if it has none."""
    if head.header is None or head.has(*PRICES):
        return None
    columns = columns_of(head, FIELDS) | time_of(head, TIMES)
    contracts = {"qty"} if head.has("base_qty") else set()
    if not columns.keys() >= set(NEEDED):
        return None
    over = unused(head, columns, LEFT_OUT | contracts)
    signed = "side" not in columns and "buyer_maker" not in columns and _any_negative(head, columns["amount"])
    symbol = None if "symbol" in columns else head.symbol or symbol_of(head.name)
    contract = of_contracts(head)
    remarks = () if contract is None else (contract,)
    if {name.strip().lower() for name in head.header} == _COINBASE:
        remarks = (MAKERS,)
    columns, told_of_side = with_side(head, columns)
    return Layout(
        kind="tick", columns=columns, symbol=symbol, signed=signed, left_out=over, remarks=(*remarks, *told_of_side)
    )


def of_contracts(head: Head) -> str | None:
    """Return the remark if the columns are those of a contract's trades; None if they are not."""
    if head.has("homenotional", "foreignnotional"):
        return CONTRACTS
    return BINANCE if {name.strip().lower() for name in head.header or ()} in _BINANCE else None


def without_doubt(layout: Layout) -> Layout:
    """Return the layout of trades with a known market."""
    return replace(layout, remarks=tuple(remark for remark in layout.remarks if remark not in OF_CONTRACTS))


def unknown(head: Head) -> tuple[str, ...]:
    """Return the columns that a list of trades has no use for."""
    return unused(head, columns_of(head, FIELDS) | time_of(head, TIMES), LEFT_OUT)


def _any_negative(head: Head, column: str) -> bool:
    cells = head.column(head.names.index(column))
    return any((number(cell) or 0.0) < 0 for cell in cells)


SOURCE = Source(
    name="trade list",
    short="trades",
    columns="time,price,amount[,side][,trade_id]",
    recognise=recognise,
    named_layout=named_layout,
)
