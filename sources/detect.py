"""What kind of file it is, told by its header and first rows."""

from dataclasses import replace

from sources.errors import UnknownFormatError
from sources.formats import SOURCES, plain
from sources.formats import trades as trades_format
from sources.formats.timed import lacking
from sources.layout import Head, Layout, Source

_SHOWN = 160
KNOWN = "docs/FORMATS.md"


def detect(head: Head) -> tuple[Source, Layout]:
    """Return the first source that recognises the head, and its layout, whose columns are those of `head.names`.

    Raises UnknownFormatError that shows the header and says what it lacks.
    """
    for source in SOURCES:
        layout = source.recognise(head)
        if layout is not None:
            places = {name: str(place) for place, name in enumerate(layout.names)}
            return source, replace(layout, columns={name: places.get(at, at) for name, at in layout.columns.items()})
    found = ",".join(head.header) if head.header else ",".join(cell or "" for cell in (head.rows or ((),))[0])
    found = found if len(found) <= _SHOWN else found[:_SHOWN] + "..."
    what = "header" if head.header else "first row (there is no header)"
    raise UnknownFormatError(
        f"{head.name}: unknown format, the {what} is {found!r}: {_lack(head)}; {KNOWN} lists what is known"
    )


def _lack(head: Head) -> str:
    """Return what keeps a table from being one of bars or trades."""
    if head.header is None:
        return "in no known order of columns it is a time and prices with low <= open, close <= high, or trades"
    bars, trades = (lacking(head, each.NEEDED, each.FIELDS, each.TIMES) for each in (plain, trades_format))
    nearer = bars if len(bars) <= len(trades) else trades
    if nearer:
        return f"for {'bars' if nearer is bars else 'trades'} it lacks {', '.join(nearer)}"
    return f"these are no trades, with columns such as {', '.join(trades_format.unknown(head)[:3])}"
