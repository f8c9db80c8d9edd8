"""The unit of a file's amounts: for contracts they may count contracts, while a record has base currency."""

from collections.abc import Set
from dataclasses import replace

from sources.errors import SourceError
from sources.markets.base_volume import with_contracts, with_volumes
from sources.tables.layout import Head, Layout
from topics.markets import is_inverse, kind_of

IN_BASE = frozenset({"homenotional", "base_qty", "base_quantity", "baseqty", "basevolume", "volccy", "vol_ccy"}) | {
    "basetokenvolume",
    "size(base)",
}
"""Columns of trades and bars that are in the base currency, whatever the contract."""
_BINANCE = ({"close_time", "taker_buy_quote_volume"}, {"agg_trade_id"}, {"quote_qty", "is_buyer_maker"})
"""Columns of Binance, whose linear contracts are counted in the base currency."""
_OKX = ({"instrument_name", "created_time"}, {"instid", "tradeid"})
"""Columns of OKX's trades, which count contracts."""
_DERIBIT = {"instrument_name", "tick_direction", "direction"}
"""Columns of Deribit's trades, whose amounts are in base currency, of an inverse contract in dollars."""


def with_amounts(head: Head, layout: Layout, symbols: Set[str], size: float | None) -> Layout:
    """Return the layout with its amounts in base currency, as far as the file or the user (`size`) tells; pure.

    `size` is a contract's: in base currency, of an inverse market in quote currency. Raises SourceError if trades
    count contracts of unknown size.
    """
    inverse = any(map(is_inverse, symbols))
    layout, proven = with_volumes(head, layout, symbols)
    if "lots" in layout.names and not any(":" in symbol for symbol in symbols):
        raise SourceError(f"{head.name}: its volume counts contracts: name the market with --market linear")
    if proven or all(kind_of(symbol) == "spot" for symbol in symbols):
        return layout
    if (result := with_contracts(head, layout, inverse=inverse)) is not None:
        return result
    if layout.columns.get("amount" if layout.kind == "tick" else "volume", "").lower() in IN_BASE:
        return layout
    names = {name.strip().lower() for name in (*(head.header or ()), *layout.names)}
    if inverse and layout.kind == "tick" and names >= _DERIBIT:
        size = size or 1.0
    if size is not None:
        return replace(layout, unit=size, inverse=inverse)
    if layout.kind == "tick":
        _check_counted(head.name, names, inverse=inverse)
    if inverse and "volume" in layout.columns:
        columns = {name: at for name, at in layout.columns.items() if name not in ("volume", "buy_volume")}
        remark = "volume: unknown, since it counts contracts; --contract-size sets their size in the quote currency"
        return replace(layout, columns=columns, remarks=(*layout.remarks, remark))
    certain = "binance" in head.name.lower() or any(names >= columns for columns in (*_BINANCE, _DERIBIT))
    remark = "amounts: treated as base currency; if they count contracts, --contract-size sets their size"
    remarks = () if certain or layout.columns.keys().isdisjoint({"volume", "amount"}) else (remark,)
    return replace(layout, remarks=(*layout.remarks, *remarks))


def _check_counted(name: str, names: Set[str], *, inverse: bool) -> None:
    """Raise where trades with these columns count contracts."""
    if any(names >= columns for columns in _OKX):
        raise SourceError(
            f"{name}: OKX's trades of swaps, futures and options count contracts, whose size the file does not tell; "
            f"give it in the {'quote' if inverse else 'base'} currency with --contract-size (OKX lists it as ctVal)"
        )
    if inverse:
        raise SourceError(
            f"{name}: trades of an inverse market count contracts, whose size the file does not tell; give it in the "
            "quote currency with --contract-size (Binance: 100 for BTC, 10 for others)"
        )
