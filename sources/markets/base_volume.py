"""Which of a table's amounts is in base currency: the quote amount over it is a price between the low and the high."""

import re
from collections.abc import Sequence, Set
from dataclasses import replace
from itertools import permutations
from typing import NamedTuple

from sources.tables.cells import number
from sources.tables.layout import Head, Layout
from topics.currencies import COINS, QUOTES

SLACK = 1.05
"""A vendor's rounding: by so much the price that two volumes imply may be beyond the bar's low and high."""
SIZES = (1.0, 10.0, 100.0, 1_000.0, 0.1, 0.01, 0.001)
"""Sizes of contracts, in quote currency."""
LOTS = tuple(10.0**power for power in (-1, -2, -3, -4, -5, -6, -7, -8, 1, 2, 3, 4, 5, 6))
"""Sizes of contracts, in base currency: no two of them give prices between one low and high."""
SWAPPED = "the two volumes are taken the other way round than their names say: only so is a price between low and high"
AMOUNTS = (
    *("homenotional", "basevolume", "volume_base", "base_volume", "volumefrom", "volume", "vol", "vol.", "v"),
    *("volccy", "vol_ccy", "volume_currency", "volume_ccy", "amount"),
    *("foreignnotional", "quote_volume", "volume_quote", "quotevolume", "volumeto", "usdtvolume", "usdt_volume"),
    *("volccyquote", "vol_quote", "turnover", "value", "cost", "sum", "quote_asset_volume"),
)
"""Names of amounts, of which any may be in the base and any in the quote currency."""
_OF_A_CURRENCY = re.compile(r"vol(?:ume)?[ _]?\(?([a-z0-9]{2,6})\)?")
"""Volume BTC, volume_usdt, Volume_(BTC)."""
_BOUGHT_FOR = (
    *("taker_buy_quote_volume", "taker_buy_quote_asset_volume", "taker_buy_quote", "taker_quote"),
    *("taker buy quote asset volume", "buy_quote_asset_volume", "taker_buy_volume_quote"),
)
"""What takers bought, in the currency of the second volume."""
NEITHER = "by the two volumes no price is between low and high: one of them is not what its name says, as of contracts"

Amounts = list[tuple[float, float, float, float]]


class Volumes(NamedTuple):
    """A layout, and whether the first rows prove which of its amounts are which."""

    layout: Layout
    proven: bool


def price_between(head: Head, volume: int, quote: int, low: int, high: int, size: float = 1.0) -> bool:
    """Return whether in most of the first rows the price that two volumes imply, in one order of the two, can be.

    The arguments are the columns' places, and how much of the base currency one of the first volume is. Rows without a
    trade tell nothing.
    """
    reporter = named = turned = 0
    for row in head.rows:
        one, other, least, most = (number(row[place]) or 0.0 for place in (volume, quote, low, high))
        if one > 0 and other > 0:
            reporter += 1
            named += least / SLACK <= other / one / size <= most * SLACK
            turned += size == 1.0 and least / SLACK <= one / other <= most * SLACK
    return 2 * max(named, turned) >= reporter


def with_volumes(head: Head, layout: Layout, symbols: Set[str]) -> Volumes:
    """Return the layout, with those amounts as volumes of which the first rows prove it; pure."""
    if layout.kind != "bar":
        return Volumes(layout, proven=False)
    layout = _of_currencies(head, layout, symbols)
    named = [layout.columns[name] for name in ("volume", "quote_volume") if name in layout.columns]
    known = _places(head, layout)
    taken = {at for field, at in layout.columns.items() if field not in ("volume", "quote_volume")}
    amounts = [*(name for name in AMOUNTS if name in known), *(name for name in known if _currency(name))]
    others = [known[name] for name in amounts if known[name] not in {*named, *taken}]
    every = list(dict.fromkeys([*named, *others]))
    if len(every) < 2:
        return Volumes(layout, proven=False)
    both = [tuple(named), tuple(reversed(named))] if len(named) == 2 else []
    reported, numbers = False, _numbers(head, layout, every)
    for base, counter in dict.fromkeys([*both, *permutations(every, 2)]):
        rows = _rows(numbers, layout, base, counter)
        reported = reported or bool(rows)
        if _most(rows, 1.0):
            return Volumes(_with(layout, known, base, counter), proven=True)
    if reported and len(named) == 2:
        return Volumes(replace(layout, remarks=(*layout.remarks, NEITHER)), proven=False)
    return Volumes(layout, proven=False)


def with_contracts(head: Head, layout: Layout, *, inverse: bool) -> Layout | None:
    """Return the layout of a contract whose volume counts contracts of a size that the first rows prove, else None.

    Of an inverse one the amount in the base currency stands beside the contracts; of a linear one the quote volume
    over the contracts is a price times their size.
    """
    known = _places(head, layout)
    if layout.kind != "bar" or "volume" not in layout.columns:
        return None
    volume = layout.columns["volume"]
    others = [known[name] for name in AMOUNTS if name in known and known[name] not in layout.columns.values()]
    quotes = [layout.columns["quote_volume"]] if "quote_volume" in layout.columns else others
    results = (_counted(head, layout, (volume, quote), inverse=inverse) for quote in quotes)
    return next((one for one in results if one is not None), None)


def _counted(head: Head, layout: Layout, volumes: tuple[str, str], *, inverse: bool) -> Layout | None:
    """Return the layout where the first amount counts contracts of a size that the second one proves."""
    volume, quote = volumes
    numbers = _numbers(head, layout, volumes)
    bare = replace(layout, remarks=tuple(remark for remark in layout.remarks if remark != NEITHER))
    if inverse:
        rows = _rows(numbers, layout, quote, volume)
        size = next((size for size in SIZES if _most(rows, 1 / size)), None)
        if size is None:
            return None
        remark = f"the volume counts contracts of {size:g} in the quote currency: the amount beside it is the volume"
        return replace(_placed(bare, _places(head, layout), quote, None), remarks=(*bare.remarks, remark))
    rows = _rows(numbers, layout, volume, quote)
    lot = next((lot for lot in LOTS if _most(rows, lot)), None)
    if lot is None:
        return None
    remark = f"the volume counts contracts of {lot:g} in the base currency: only so is a price between low and high"
    columns = {**bare.columns, "quote_volume": quote}
    return replace(_using(bare, columns), unit=lot, remarks=(*bare.remarks, remark))


def _of_currencies(head: Head, layout: Layout, symbols: Set[str]) -> Layout:
    """Return the layout with the volume that is called by a currency of all its symbols, where it has no volume yet."""
    columns, pairs = dict(layout.columns), [symbol.partition(":")[0] for symbol in symbols]
    for name in head.header or ():
        currency = _currency(name)
        if currency is None or name in columns.values():
            continue
        if "quote_volume" not in columns and pairs and all(pair.endswith(currency) for pair in pairs):
            columns["quote_volume"] = name
        elif "volume" not in columns and pairs and all(pair.startswith(currency) for pair in pairs):
            columns["volume"] = name
    return layout if columns == layout.columns else _using(layout, columns)


def _currency(name: str) -> str | None:
    """Return the currency by which an amount is called.

    >>> _currency("Volume USDT"), _currency("volume_(btc)"), _currency("volume_ma")
    ('USDT', 'BTC', None)
    """
    match = _OF_A_CURRENCY.fullmatch(name.strip().lower())
    return match[1].upper() if match and match[1].upper() in (*QUOTES, *COINS) else None


def _with(layout: Layout, known: dict[str, str], base: str, counter: str) -> Layout:
    """Return the layout with those columns as volumes, which is told where their names say otherwise."""
    before = (layout.columns.get("volume"), layout.columns.get("quote_volume"))
    if before == (base, counter):
        return layout
    result = _placed(layout, known, base, counter)
    if before[0] in (base, None) and before[1] in (counter, None):
        return result
    called = {at: name for name, at in known.items()}
    remark = (
        SWAPPED
        if before == (counter, base)
        else f"volume is {called[base]!r} and the quote volume {called[counter]!r}: only so is a price between low and "
        "high"
    )
    return replace(result, remarks=(*result.remarks, remark))


def _placed(layout: Layout, known: dict[str, str], base: str, counter: str | None) -> Layout:
    """Return the layout with those columns as volume and quote volume; what takers bought follows the volume."""
    before = (layout.columns.get("volume"), layout.columns.get("quote_volume"))
    columns = {**layout.columns, "volume": base}
    bought = next((known[name] for name in _BOUGHT_FOR if name in known), None)
    if base == before[1] and bought is not None:
        columns["buy_volume"] = bought
    elif base != before[0]:
        columns.pop("buy_volume", None)
    columns.pop("quote_volume", None)
    if counter is not None:
        columns["quote_volume"] = counter
    return _using(layout, columns)


def _using(layout: Layout, columns: dict[str, str]) -> Layout:
    """Return the layout with these columns; one that is used is not left out."""
    used = set(columns.values())
    return replace(layout, columns=columns, left_out=tuple(name for name in layout.left_out if name not in used))


def _places(head: Head, layout: Layout) -> dict[str, str]:
    """Return the columns by their names in small letters; those that are called by a currency too."""
    if layout.names:
        return {name: str(place) for place, name in enumerate(layout.names)}
    return {name.strip().lower(): name for name in head.names}


def _numbers(head: Head, layout: Layout, columns: Sequence[str]) -> dict[str, list[float | None]]:
    """Return the numbers of the first rows in those columns, and in those of low and high."""
    places = {name: head.names.index(name) for name in (*columns, layout.columns["low"], layout.columns["high"])}
    return {
        name: [number(row[place]) if place < len(row) else None for row in head.rows] for name, place in places.items()
    }


def _rows(numbers: dict[str, list[float | None]], layout: Layout, base: str, counter: str) -> Amounts:
    """Return two amounts, low and high of the first rows where all are above 0."""
    columns = (numbers[name] for name in (base, counter, layout.columns["low"], layout.columns["high"]))
    return [
        (amount, paid, low, high)
        for amount, paid, low, high in zip(*columns, strict=True)
        if amount and paid and low and high and min(amount, paid, low, high) > 0
    ]


def _most(rows: Amounts, size: float) -> bool:
    """Return whether in most rows the second amount over the first, times `size`, is a price; some are rounded."""
    prices = [low / SLACK <= paid / amount / size <= high * SLACK for amount, paid, low, high in rows]
    return bool(rows) and 2 * sum(prices) > len(rows)
