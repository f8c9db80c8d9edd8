"""The parts of HTML that all pages share. What comes from data is plain text, and escaped unless said otherwise."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from html import escape

from dashboard.clock import MOMENT
from dashboard.number_format import DASH
from dashboard.palette import model_dash
from models.colours import COLOURS


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


ZONE = Html('<span class="zone">UTC</span>')
"""The zone of the times around it, which are written without theirs."""


def escaped(text: str) -> str:
    """Return a text as HTML.

    >>> escaped("<b>"), escaped(Html("<b>"))
    ('&lt;b&gt;', '<b>')
    """
    return str(text) if isinstance(text, Html) else escape(text)


def moment(time: datetime | None, form: str = f"{MOMENT} %Z") -> Html:
    """Return a time of the data, to the minute and with its zone unless the form is another; a dash if it is unknown.

    A page writes it in the zone that the viewer has chosen.
    """
    if time is None:
        return Html(DASH)
    time = time.astimezone(UTC)
    return Html(f'<time datetime="{time.isoformat()}" data-form="{form}">{time:{form}}</time>')


def moment_at(ms: float | None, form: str = f"{MOMENT} %Z") -> Html:
    """Return a time [epoch ms]."""
    return moment(None if ms is None else datetime.fromtimestamp(ms / 1000, UTC), form)


def plain_moment(time: datetime | None) -> str:
    """Return a time of the data to the minute where no HTML can be, in UTC; a dash if it is unknown."""
    return DASH if time is None else f"{time.astimezone(UTC):{MOMENT}} UTC"


def fact(name: str, value: str) -> str:
    """Return a small label above a value (which is HTML already)."""
    return f'<div class="fact"><span>{escape(name)}</span><b>{value}</b></div>'


def mark(shape: str, colour: str, name: str, strength: float = 1.0) -> str:
    """Return a swatch of a colour and what it stands for."""
    faint = f";--s:{100 * strength:.0f}%" if strength < 1 else ""
    return f'<i class="{shape}" style="--c:{colour}{faint}"></i>{escape(name)}'


def line(colour: str, dash: tuple[int, ...], name: str) -> str:
    """Return a piece of a line as it is drawn, and what it stands for."""
    broken = f' stroke-dasharray="{" ".join(map(str, dash))}"' if dash else ""
    return (
        f'<svg class="line" width="22" height="8" aria-hidden="true"><path d="M0 4h22" stroke="{escape(colour)}" '
        f'stroke-width="2"{broken}/></svg>{escape(name)}'
    )


def heading(name: str, unit: str = "", marks: Iterable[str] = ()) -> str:
    """Return a card's title with its legend: marks, and what they stand for (HTML already)."""
    items = "".join(f"<li>{one}</li>" for one in marks)
    legend = f'<ul class="legend">{items}</ul>' if items else ""
    small = f" <small>{escaped(unit)}</small>" if unit else ""
    return f'<div class="title"><h2>{escape(name)}{small}</h2>{legend}</div>'


def title(name: str, unit: str = "", entries: Mapping[str, str] | None = None, shape: str = "box") -> str:
    """Return a card's title, with a mark in each colour and what it stands for; lines of models have their dash."""
    marks = (
        line(colour, model_dash(entry) if entry in COLOURS else (), entry)
        if shape == "line"
        else mark(shape, colour, entry)
        for entry, colour in (entries or {}).items()
    )
    return heading(name, unit, marks)
