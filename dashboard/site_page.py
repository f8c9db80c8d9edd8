"""One viewer's document of a page: the theme, the texts, the badge and the address. Each page is a subclass."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urlencode

from bokeh.document import Document
from bokeh.models.css import InlineStyleSheet
from bokeh.models.widgets.groups import RadioButtonGroup
from bokeh.models.widgets.markups import Div
from bokeh.themes import Theme

from dashboard.bridge import Bridge
from dashboard.palette import PALETTES, THEMES, Palette, bokeh_theme
from dashboard.service import PageRequest
from dashboard.static_files import asset

TICK_MS = 500
TEXTS = ("badge", "notices", "blank")
"""The texts of every page; `blank` says why there is nothing to show."""


def texts(names: Sequence[str]) -> dict[str, Div]:
    """Return the places of a page's texts by name."""
    sheet = InlineStyleSheet(css=asset("text.css"))
    return {name: Div(name=name, stylesheets=[sheet], sizing_mode="stretch_width", margin=0) for name in names}


def look() -> dict[str, Any]:
    """Return the options that give a widget the look of the site."""
    return {"stylesheets": [InlineStyleSheet(css=asset("widgets.css"))], "margin": 0}


class SitePage(ABC):
    """A page adds its roots in its constructor, then calls `begin`; `tick` brings it to what is known."""

    tick_ms: ClassVar[int] = TICK_MS

    def __init__(self, document: Document, request: PageRequest, names: Sequence[str]) -> None:
        self.document = document
        self.given = {name: values[-1].decode(errors="replace") for name, values in request.arguments.items() if values}
        self.notes: tuple[str, ...] = ()
        wanted = self.given.get("theme", THEMES[0])
        if wanted not in THEMES:
            self.notes += (f"theme={wanted[:40]} in the address is none of {', '.join(THEMES)}: this is {THEMES[0]}.",)
            wanted = THEMES[0]
        self.theme = wanted
        self.bridge = Bridge(name="bridge", system=request.system)
        self.texts = texts((*TEXTS, *names))
        self.themes = RadioButtonGroup(
            name="theme", labels=[theme.capitalize() for theme in THEMES], active=THEMES.index(wanted), **look()
        )
        for root in (self.bridge, self.themes, *self.texts.values()):
            document.add_root(root)

    def begin(self) -> None:
        """Draw for the first time, and from then on at every tick."""
        self.repaint()
        self.themes.on_change("active", self._theme_chosen)
        self.bridge.on_change("system", lambda attr, old, new: self.repaint())  # noqa: ARG005 - Bokeh asks for it
        self.bridge.follow(self.document)
        self.document.add_periodic_callback(self.tick, self.tick_ms)
        self.tick()

    @property
    def palette(self) -> Palette:
        """Return the colours of the theme that is shown."""
        return PALETTES[self.bridge.theme]

    @property
    def variables(self) -> dict[str, Any]:
        """Return what the template needs of every page."""
        return {"theme": self.bridge.theme, "automatic": self.theme not in PALETTES}

    @abstractmethod
    def tick(self) -> None:
        """Bring the page to what its reader knows. Never waits."""

    @abstractmethod
    def paint(self) -> None:
        """Draw everything anew in the colours of the theme."""

    @abstractmethod
    def query(self) -> Mapping[str, str | None]:
        """Return the page's choice as the address' query has it; None is the default, which needs no mention."""

    def repaint(self) -> None:
        """Put on the chosen theme: what is drawn is recoloured in place."""
        theme = self.theme if self.theme in PALETTES else self.bridge.system
        self.bridge.theme = theme if theme in PALETTES else "light"
        self.document.theme = Theme(json=bokeh_theme(self.palette))
        self.paint()
        self.address()

    def address(self, step: bool = False) -> None:
        """Show the choice in the address; as a `step` of its own, the browser's Back leads to the one before."""
        parts = {**self.query(), "theme": self.theme if self.theme != THEMES[0] else None}
        query = urlencode({name: value for name, value in parts.items() if value})
        self.bridge.pushed = query if step else ""
        self.bridge.query = query

    def write(self, name: str, html: str) -> None:
        """Set a text if it has changed."""
        if self.texts[name].text != html:
            self.texts[name].text = html

    def _theme_chosen(self, attr: str, old: object, new: object) -> None:  # noqa: ARG002 - Bokeh asks for this signature
        self.theme = THEMES[self.themes.active or 0]
        self.repaint()
