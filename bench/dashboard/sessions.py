"""Opens pages as a browser's script does, uses every widget on them, and closes them.

A session is one of Bokeh's own client: it speaks the browser's protocol and draws nothing. What a widget is set to
reaches the server's callbacks as it does from a browser.
"""

import re
from collections.abc import Iterator

from bokeh.client import ClientSession, pull_session
from bokeh.document import Document
from bokeh.document.events import MessageSentEvent
from bokeh.events import ButtonClick
from bokeh.model import Model
from bokeh.models.ranges import DataRange1d, Range1d
from bokeh.models.widgets.buttons import Button
from bokeh.models.widgets.groups import RadioButtonGroup
from bokeh.models.widgets.inputs import MultiChoice, Select, Spinner, TextInput
from bokeh.models.widgets.markups import Div

from dashboard.bridge import Bridge
from dashboard.site import PAGES

PRESS = re.compile(r'data-press="([^"]*)"')
MOST_PRESSED = 6
"""Of the buttons in texts, which all do the same with another name, so many are pressed."""


def names() -> list[str]:
    """Return the pages' names."""
    return [page.name for page in PAGES]


def use(address: str, page: str) -> int:
    """Open a page, use every widget, and close it; return how often one was used."""
    session = pull_session(url=f"{address}/{page}")
    try:
        return touch(session)
    finally:
        session.close()


def touch(session: ClientSession) -> int:
    """Use every widget of a session's page; return how often one was used."""
    used = 0
    for model in list(session.document.models):
        for _ in _uses(session.document, model):
            used += 1
    session.force_roundtrip()
    return used


def _uses(document: Document, model: Model) -> Iterator[None]:
    """Set a model to something else in each way that there is, one after another."""
    if isinstance(model, RadioButtonGroup):
        for place in (*range(len(model.labels)), 0):
            model.active = place
            yield
    elif isinstance(model, Select):
        for option in list(model.options)[:3]:
            model.value = option[0] if isinstance(option, tuple) else option
            yield
    elif isinstance(model, MultiChoice):
        for option in list(model.options)[:2]:
            model.value = [option[0] if isinstance(option, tuple) else option]
            yield
    elif isinstance(model, TextInput):
        for text in ("rate < 0.05", ""):
            model.value = text
            yield
    elif isinstance(model, Spinner):
        model.value = model.high if isinstance(model.high, int) else 2
        yield
    elif isinstance(model, Button):
        document.callbacks.trigger_on_change(MessageSentEvent(document, "bokeh_event", ButtonClick(model)))
        yield
    elif isinstance(model, Bridge):
        yield from _presses(document, model)
    elif isinstance(model, Range1d) and not isinstance(model, DataRange1d):
        yield from _move(model)


def _presses(document: Document, bridge: Bridge) -> Iterator[None]:
    """Press the buttons in the texts, go back in the history, and change the system's theme and time zone."""
    texts = [model.text for model in document.models if isinstance(model, Div)]
    found = list(dict.fromkeys(press for text in texts for press in PRESS.findall(text)))
    for press in found[:MOST_PRESSED]:
        bridge.pressed = press
        yield
    for name, value in (("visited", "?theme=dark"), ("system", "dark"), ("zone", "Europe/Berlin")):
        setattr(bridge, name, value)
        yield


def _move(model: Range1d) -> Iterator[None]:
    """Look elsewhere."""
    start, end = model.start, model.end
    if isinstance(start, int | float) and isinstance(end, int | float):
        model.start, model.end = start - (end - start) / 2, end - (end - start) / 2
        yield
