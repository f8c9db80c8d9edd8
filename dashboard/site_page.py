"""One viewer's document of a page: the theme, the texts, the badge and the address. Each page is a subclass."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urlencode

from bokeh.document import Document
from bokeh.model import Model
from bokeh.models.css import InlineStyleSheet
from bokeh.models.plots import Plot
from bokeh.models.widgets.groups import RadioButtonGroup
from bokeh.models.widgets.markups import Div
from bokeh.themes import Theme

from dashboard.bridge import Bridge
from dashboard.clock import CLOCKS, Clock, clock_of
from dashboard.in_view import InView
from dashboard.palette import PALETTES, THEMES, Palette, bokeh_theme
from dashboard.service import PageRequest
from dashboard.static_files import asset
from dashboard.time_axis import set_clock

TICK_MS = 250
TEXTS = ("badge", "notices", "blank")
"""The texts of every page; `blank` says why there is nothing to show."""


def texts(names: Sequence[str]) -> dict[str, Div]:
    """Return the places of a page's texts by name."""
    sheet = InlineStyleSheet(css=asset("text.css"))
    return {name: Div(name=name, stylesheets=[sheet], sizing_mode="stretch_width", margin=0) for name in names}


def look() -> dict[str, Any]:
    """Return the options that give a widget the look of the site."""
    return {"stylesheets": [InlineStyleSheet(css=asset("widgets.css"))], "margin": 0}


def _running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the loop of the server that opens the page; None where there is no server."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


class SitePage(ABC):
    """A page adds its roots in its constructor, then calls `begin`; `tick` brings it to what is known."""

    at_once: ClassVar[tuple[str, ...]] = ()
    """The plots at the top of the page, which are drawn before the browser says that they are seen."""
    own_clock: ClassVar[bool] = False
    """Whether the page has a chooser of the clock of its own, and writes its times itself."""

    def __init__(self, document: Document, request: PageRequest, names: Sequence[str]) -> None:
        self.document = document
        self.given = {name: values[-1].decode(errors="replace") for name, values in request.arguments.items() if values}
        self.notes: tuple[str, ...] = ()
        self.given.setdefault("clock", request.clock)
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
        self.written: dict[str, str] = {}
        self.zone = "UTC"
        self._woken = False
        self._loop = _running_loop()
        self.in_view = InView(self.at_once)
        self.times = RadioButtonGroup(name="times", labels=[CLOCKS[0], CLOCKS[1].capitalize()], **look())
        self.times.active = CLOCKS.index(self._clock_of_address()) if not self.own_clock else 0
        for root in (self.bridge, self.themes, *self.texts.values(), *(() if self.own_clock else (self.times,))):
            document.add_root(root)

    def begin(self) -> None:
        """Draw for the first time, and from then on at every tick."""
        self.repaint()
        self.themes.on_change("active", self._theme_chosen)
        self.times.on_change("active", self._clock_chosen)
        self.bridge.on_change("zone", self._zone_told)
        self.bridge.on_change("in_view", self._looked)
        self.bridge.on_change("system", lambda attr, old, new: self.repaint())  # noqa: ARG005 - Bokeh asks for it
        self.bridge.follow(self.document)
        self.document.add_periodic_callback(self.tick, TICK_MS)
        self.tick()

    def wake(self) -> None:
        """Have `tick` called soon, from any thread: what is new is not shown only at the next tick.

        By the server's loop, on which sessions end too: a document that has ended takes no callback.
        """
        if self._loop is not None and not self._woken:
            self._woken = True
            self._loop.call_soon_threadsafe(self._awake)

    def _awake(self) -> None:
        self._woken = False
        context = self.document.session_context
        if context is not None and not context.destroyed:
            self.document.add_next_tick_callback(self.tick)

    @property
    def palette(self) -> Palette:
        """Return the colours of the theme that is shown."""
        return PALETTES[self.bridge.theme]

    @property
    def clock(self) -> Clock:
        """Return the clock by which the page's times are written; one with its own writes them itself."""
        return clock_of(CLOCKS[self.times.active or 0], self.zone)

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
        clock = {} if self.own_clock or not self.times.active else {"clock": CLOCKS[self.times.active]}
        parts = {**self.query(), **clock, "theme": self.theme if self.theme != THEMES[0] else None}
        query = urlencode({name: value for name, value in parts.items() if value})
        self.bridge.pushed = query if step else ""
        self.bridge.query = query

    def write(self, name: str, html: str) -> None:
        """Set a text, whose times are as `dashboard.html` writes them, if it has changed."""
        self.written[name] = html
        shown = self.clock.localised(html)
        if self.texts[name].text != shown:
            self.texts[name].text = shown

    def in_zone(self, *roots: Model) -> None:
        """Write the times of texts and plots that a page has made by its clock."""
        clock = self.clock
        for model in (model for root in roots for model in root.references()):
            if isinstance(model, Plot):
                set_clock(model, clock)
            elif isinstance(model, Div) and model not in self.texts.values():
                model.text = clock.localised(model.text)

    def _looked(self, attr: str, old: object, new: str) -> None:  # noqa: ARG002 - Bokeh asks for this signature
        """Draw what has come into view."""
        self.in_view.look(new)
        self.bridge.drawn = new

    def _clock_of_address(self) -> str:
        wanted = self.given["clock"]
        if wanted in CLOCKS:
            return wanted
        self.notes += (f"clock={wanted[:40]} in the address is none of {', '.join(CLOCKS)}: this is {CLOCKS[0]}.",)
        return CLOCKS[0]

    def _zone_told(self, attr: str, old: object, new: str) -> None:
        """Take over the browser's zone; it is read at each text, and a Bokeh property that has its default is slow."""
        self.zone = new
        if self.own_clock:
            self.paint()
        else:
            self._clock_chosen(attr, old, new)

    def _clock_chosen(self, attr: str, old: object, new: object) -> None:  # noqa: ARG002 - Bokeh asks for this signature
        """Write all times by the clock that was chosen, or that of the zone of which the browser has told."""
        for name, html in list(self.written.items()):
            self.write(name, html)
        self.in_zone(*self.document.roots)
        self.paint()
        self.address()

    def _theme_chosen(self, attr: str, old: object, new: object) -> None:  # noqa: ARG002 - Bokeh asks for this signature
        self.theme = THEMES[self.themes.active or 0]
        self.repaint()
