"""Small parts of HTML. What comes from data is plain text and is escaped here, unless its type says that it is HTML."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from math import isinf, isnan

from dashboard.html import ZONE, Html, escaped, moment
from dashboard.number_format import DASH

SECOND = "%d %b %Y %H:%M:%S"
SIZES = ((2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))


Cell = str | Html | None
"""Plain text, HTML, or unknown, which is a dash."""


@dataclass(frozen=True)
class Column:
    """A column of a table: `left` is text, `words` is text that may be broken into lines."""

    title: str
    left: bool = False
    words: bool = False

    @property
    def style(self) -> str:
        """Return the class of its cells."""
        return ' class="words"' if self.words else ' class="left"' if self.left else ""


def cell(value: Cell) -> str:
    """Return a cell's HTML.

    >>> cell("<b>"), cell(Html("<b>")), cell(None) == DASH
    ('&lt;b&gt;', '<b>', True)
    """
    return DASH if value is None else escaped(value)


def table(columns: Sequence[Column], rows: Iterable[Sequence[Cell]], caption: str) -> str:
    """Return a table that scrolls by itself where it is too wide; `caption` is what a screen reader calls it."""
    head = "".join(f'<th scope="col"{column.style}>{escaped(column.title)}</th>' for column in columns)
    body = "".join(
        "<tr>"
        + "".join(f"<td{column.style}>{cell(value)}</td>" for column, value in zip(columns, row, strict=True))
        + "</tr>"
        for row in rows
    )
    name = escape(caption)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{name}"><table class="plain" aria-label="{name}">'
        f"<tr>{head}</tr>{body}</table></div>"
    )


def title(text: str, detail: str = "") -> str:
    """Return the heading of a card."""
    small = f"<small>{escaped(detail)}</small>" if detail else ""
    return f'<div class="title"><h2>{escape(text)}</h2>{small}</div>'


def note(text: str, kind: str = "note") -> str:
    """Return a remark."""
    return f'<p class="{kind}">{escaped(text)}</p>'


def bar(*buttons: str) -> str:
    """Return buttons in a line that wraps; they are HTML already."""
    return f'<div class="bar">{"".join(buttons)}</div>'


def together(*buttons: str) -> Html:
    """Return buttons in one cell; they are HTML already."""
    return Html(f'<span class="together">{"".join(buttons)}</span>')


def to_second(time: datetime | None) -> Html | None:
    """Return a time to the second, whose zone is said elsewhere; None if it is unknown."""
    return None if time is None else moment(time, SECOND)


def zoned(text: str) -> Html:
    """Return a heading of times that are written without their zone."""
    return Html(f"{escape(text)}, {ZONE}")


def size(count: int) -> str:
    """Return a number of bytes.

    >>> size(12), size(1_536), size(3 * 2**30)
    ('12 B', '1.5 KiB', '3.0 GiB')
    """
    for unit, name in SIZES:
        if count >= unit:
            return f"{count / unit:.1f} {name}"
    return f"{count} B"


def seconds(value: float | None) -> str | None:
    """Return a short duration, None if it is unknown.

    >>> seconds(0.00213), seconds(0.25), seconds(4.0), seconds(420.0), seconds(None)
    ('2.1 ms', '250 ms', '4.0 s', '7.0 min', None)
    """
    if value is None or isnan(value):
        return None
    if isinf(value):
        return "above all"
    if value >= 120:
        return f"{value / 60:.1f} min"
    if value >= 1:
        return f"{value:.1f} s"
    return f"{1_000 * value:.1f} ms" if value < 0.1 else f"{1_000 * value:.0f} ms"


def rate(value: float | None) -> str | None:
    """Return a number per second, None if it is unknown.

    >>> rate(0.0), rate(0.031), rate(12.34), rate(1234.0), rate(None)
    ('0', '0.03', '12.3', '1,234', None)
    """
    if value is None:
        return None
    if value == 0:
        return "0"
    return f"{value:.2f}" if value < 1 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def shown_bytes(value: bytes) -> str:
    """Return bytes as text: what is no UTF-8, and control characters but tab and newline, by their codes.

    >>> shown_bytes(b'{"a": 1}\\xff\\x00')
    '{"a": 1}\\\\xff\\\\x00'
    """
    text = value.decode(errors="backslashreplace")
    return "".join(one if one.isprintable() or one in "\t\n" else f"\\x{ord(one):02x}" for one in text)
