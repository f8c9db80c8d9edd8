"""Which panels of the live page are shown: switches in its layout menu, and the names of those that are not in the
address."""

from collections.abc import Mapping
from dataclasses import replace
from html import escape

from bokeh.document import Document
from bokeh.events import DocumentReady
from bokeh.models.callbacks import CustomJS

from dashboard.bridge import Bridge
from dashboard.live import panels
from dashboard.live.view_state import Choice
from dashboard.static_files import asset

PRESS = "panel:"
"""What the name of a switch's button begins with."""
LABELS: Mapping[str, str] = {"forecasts": "Forecast", "board": "Newest scores", "comparison": "Models and horizons"}
KEPT = ("model", "horizon", "span", "hide", "show", "without", "clock")
"""What of the address a named layout keeps: how it is looked at, and neither which symbol nor when."""


def names() -> list[str]:
    """Return the panels that can be switched off, in the order of the page."""
    tables = [*(score.column for score in panels.SCORES), *(panel.name for panel in panels.TEXTS)]
    return ["regime", *tables, "comparison"]


def switches(choice: Choice) -> str:
    """Return a button for each panel."""
    buttons = "".join(
        f'<button type="button" class="action" data-press="{escape(PRESS + name)}" '
        f'aria-pressed="{str(name not in choice.without).lower()}">'
        f"{escape(LABELS.get(name, name.replace('_', ' ').capitalize()))}</button>"
        for name in names()
    )
    return f'<div class="switches">{buttons}</div>'


def switched(choice: Choice, pressed: str) -> Choice:
    """Return the choice after the press of a button: without a panel or with it again, if it was one of these."""
    name = pressed.removeprefix(PRESS)
    if not pressed.startswith(PRESS) or name not in names():
        return choice
    return replace(choice, without=choice.without ^ {name})


def follow(document: Document, bridge: Bridge) -> None:
    """Let the browser show the panels of the address, and keep named layouts of its own."""
    arguments = {"bridge": bridge, "kept": list(KEPT)}
    document.js_on_event(DocumentReady, CustomJS(args=arguments, code=asset("layouts.js")))
