"""QuantConnect Lean: one day of one pair per file, with times since midnight of the day in the file's name."""

import re
from datetime import UTC, datetime
from functools import partial

from sources.markets.file_name import symbol_of
from sources.tables.cells import is_ohlc, number
from sources.tables.layout import PRICES, Head, Layout, Source

_NAME = re.compile(
    r"(?P<day>20\d{6})_[a-z0-9]+_(?P<resolution>tick|second|minute)_(?P<what>trade|quote)\.csv", re.ASCII
)
_DAY = 86_400_000
_BARS, _TRADES = ("time", *PRICES, "volume"), ("time", "price", "amount")
QUOTES = "these are Lean's quotes, by the file's name"


def midnight(head: Head, what: str = "trade") -> int | None:
    """Return the start of the day (epoch ms, UTC) that the name of a Lean file of trades, or of quotes, tells."""
    match = _NAME.search(head.name.lower())
    if head.header is not None or match is None or match["what"] != what:
        return None
    try:
        return int(datetime.strptime(match["day"], "%Y%m%d").replace(tzinfo=UTC).timestamp() * 1_000)
    except ValueError:
        return None


def named_layout(names: tuple[str, ...], head: Head) -> Layout | str:
    """Return the layout of a Lean file with these columns, or why it is none."""
    start = midnight(head)
    if start is None:
        return "its name is not such as 20240131_btcusd_minute_trade.csv, which has the day"
    if head.width != len(names):
        return f"its rows have {head.width} columns"
    if not all(0 <= (number(cell) or 0.0) < _DAY for cell in head.column(0)):
        return "column 1 is no time of day in milliseconds"
    if names is _BARS and not is_ohlc(head, (1, 2, 3, 4)):
        return "columns 2 to 5 are not always open, high, low and close"
    return Layout(
        kind="bar" if names is _BARS else "tick",
        columns={name: name for name in names},
        names=names,
        symbol=symbol_of(head.name),
        midnight=start,
    )


def recognise(names: tuple[str, ...], head: Head) -> Layout | None:
    """Recognise a file by its name and the number of its columns."""
    result = named_layout(names, head)
    return result if isinstance(result, Layout) else None


SOURCES = tuple(
    Source(
        name=name,
        short=short,
        columns=f"(no header) ms since midnight,{','.join(columns[1:])} (in 20240131_btcusd_{resolution}_trade.csv)",
        recognise=partial(recognise, columns),
        named_layout=partial(named_layout, columns),
    )
    for name, short, resolution, columns in (
        ("QuantConnect Lean bars", "lean-bars", "minute", _BARS),
        ("QuantConnect Lean trades", "lean-trades", "tick", _TRADES),
    )
)
