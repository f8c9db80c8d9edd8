"""Detects a file's layout, by its header and first rows, or by the user."""

import difflib
from dataclasses import replace

from sources.errors import SourceError, UnknownFormatError
from sources.formats import SOURCES, binance, cryptodatadownload, headerless, headerless_trades, plain, unsupported
from sources.formats import trades as trades_format
from sources.formats.column_roles import fields_in, lacking
from sources.tables.layout import Head, Layout, Source

_SHOWN, _NEAREST, _SHOWN_COLUMNS = 160, 2, 3
_WIDE = (
    (len(binance.NAMES), "binance-klines", "column 7 is not always a number above column 1"),
    (len(cryptodatadownload.NAMES), "cryptodatadownload", "column 3 is not always a pair with a stroke"),
)
"""Layouts of many columns that are told without an order's reasons: how many, and why a table is none."""
KNOWN = "docs/FORMATS.md"
_RENAME = f"give the columns the names that {KNOWN} has, or name one of its layouts with --layout"


def detect(head: Head, short: str | None = None) -> tuple[Source, Layout]:
    """Return the first source that recognises the head, and its layout, whose columns are those of `head.names`.

    `short` names the source where the user says which it is. Raises UnknownFormatError that says what was seen, and
    what it lacks or contradicts.
    """
    if short is not None:
        return _as_told(head, source_of(short))
    if (what := unsupported.what(head)) is not None:
        raise UnknownFormatError(f"{head.name}: {what}")
    for source in SOURCES:
        layout = source.recognise(head)
        if layout is None:
            continue
        if why := unsupported.by_name(head, layout.kind) or _of_a_book(head, source, layout, reported=False):
            raise UnknownFormatError(f"{head.name}: {why}")
        return source, _placed(layout)
    raise UnknownFormatError(f"{head.name}: unknown format, {_seen(head)}: {_lack(head)}")


def _of_a_book(head: Head, source: Source, layout: Layout, *, reported: bool) -> str | None:
    """Return why trades are of an order book; a layout of a venue's own columns says what its sides are."""
    return unsupported.book(head, layout, reported=reported) if source is trades_format.SOURCE else None


def source_of(short: str) -> Source:
    """Return the source that a user calls so. Raises SourceError that has the nearest name."""
    known = {source.short: source for source in SOURCES}
    if short in known:
        return known[short]
    near = difflib.get_close_matches(short.lower(), known, 1, 0.5) or [name for name in known if short.lower() in name]
    text = f"; the nearest is {near[0]}" if near and short else ""
    raise SourceError(f"there is no layout {short!r}{text}; {KNOWN} lists them")


def _as_told(head: Head, source: Source) -> tuple[Source, Layout]:
    layout = source.recognise(head) if source.named_layout is None else source.named_layout(head)
    if isinstance(layout, Layout):
        if why := _of_a_book(head, source, layout, reported=True):
            raise UnknownFormatError(f"{head.name}: {why}")
        return source, replace(_placed(layout), remarks=(*layout.remarks, "the layout is the one that --layout names"))
    why = layout or ("its columns are others" if head.header else "it has no header")
    raise UnknownFormatError(
        f"{head.name}: it cannot be {source.short}, {source.columns}: {why}; {_seen(head)}. Without --layout it is "
        f"recognised where it can be; {KNOWN} lists the names"
    )


def _placed(layout: Layout) -> Layout:
    """Return a layout with columns called as in the head, where it has names of its own for them."""
    places = {name: str(place) for place, name in enumerate(layout.names)}
    return replace(layout, columns={name: places.get(at, at) for name, at in layout.columns.items()})


def _seen(head: Head) -> str:
    """Return in words the header, or the first row where there is none."""
    text = ",".join(head.header or (cell or "" for cell in (head.rows or ((),))[0]))
    text = text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
    return f"the {'header' if head.header else 'first row (there is no header)'} is {text!r}"


def _lack(head: Head) -> str:
    """Return why a table is neither bars nor trades, and what to do."""
    if head.header is None:
        return _lack_unnamed(head)
    (bars, lacks), (trades, lacks_of_trades) = (
        (fields_in(head, each.FIELDS, each.TIMES), lacking(head, each.NEEDED, each.FIELDS, each.TIMES))
        for each in (plain, trades_format)
    )
    kind, known, lacks = (
        ("bars", bars, lacks)
        if (len(bars), -len(lacks)) >= (len(trades), -len(lacks_of_trades))
        else ("trades", trades, lacks_of_trades)
    )
    if lacks:
        also = f" ({', '.join(f'{name} is {column!r}' for name, column in known.items())})" if known else ""
        return f"for {kind} it lacks {', '.join(lacks)}{also}; {_RENAME}"
    trades_layout = trades_format.layout(head)
    if trades_layout is not None and (why := unsupported.book(head, trades_layout, reported=False)) is not None:
        return f"{why}; {KNOWN} lists what is read"
    if (why := trades_format.doubt(head)) is not None:
        return f"{why}; where they are trades, --layout {trades_format.SOURCE.short} reads them"
    over = [repr(name) for name in trades_format.unknown(head)]
    more = f" and {len(over) - _SHOWN_COLUMNS} more" if len(over) > _SHOWN_COLUMNS else ""
    text = "column {} is" if len(over) == 1 else "columns {} are"
    return (
        f"as trades, {text.format(', '.join(over[:_SHOWN_COLUMNS]) + more)} not known, and may say that they are none; "
        f"--layout {trades_format.SOURCE.short} reads them without; {KNOWN} lists the names"
    )


def _lack_unnamed(head: Head) -> str:
    names = [order.short for order in headerless_trades.fitting(head)] + [
        order.short for order in headerless.fitting(head)
    ]
    if names and (doubts := [*headerless_trades.doubts(head), *headerless.doubts(head)]):
        return f"it may be {' or '.join(names)}, but {doubts[0]}: name its layout with --layout"
    if names:
        return f"it may be {' or '.join(names)}: choose with --layout"
    near = [
        *headerless.near(head),
        *headerless_trades.near(head),
        *(why for width, *why in _WIDE if width == head.width),
    ]
    what = " and ".join(f"no {short} ({why})" for short, why in near[:_NEAREST])
    return (
        f"{f'it is {what}' if what else f'no layout without a header has {head.width} columns'}; write a line such as "
        f"time,open,high,low,close,volume above its rows, as it is in {KNOWN}"
    )
