"""What a page and the browser tell each other."""

from html import escape
from typing import Any

from bokeh.core.properties import String
from bokeh.document import Document
from bokeh.events import DocumentReady
from bokeh.model import DataModel
from bokeh.models.callbacks import CustomJS

from dashboard.static_files import asset


class Bridge(DataModel):
    """The address' query, the state, the theme, and what only the browser knows: its system's theme and its time zone.

    A query that is `pushed` is a step of its own in the browser's history; `visited` is the query, with its question
    mark, to which the viewer has gone back. `pressed` is the `data-press` of a button in a text; it is set to nothing
    when it has been acted on. `token` is the page's new token once the first grows old.
    `nothing` are the names of the plots that have nothing to draw: their places are left out.
    `in_view` are those that the viewer sees (`dashboard.in_view`), and `drawn` repeats it once they are drawn.
    """

    # Any: what is assigned to a Bokeh property is a plain value, not the property that mypy sees here.
    query: Any = String(default="")
    state: Any = String(default="connecting")
    theme: Any = String(default="light")
    system: Any = String(default="light")
    token: Any = String(default="")
    pushed: Any = String(default="")
    visited: Any = String(default="")
    zone: Any = String(default="UTC")
    pressed: Any = String(default="")
    nothing: Any = String(default="")
    in_view: Any = String(default="")
    drawn: Any = String(default="")

    def follow(self, document: Document) -> None:
        """Let the browser keep the address, the state, the theme and the token in step with this."""
        document.js_on_event(DocumentReady, CustomJS(args={"bridge": self}, code=asset("bridge.js")))


def chooser(label: str, choice: str, *, pressed: bool = False) -> str:
    """Return the HTML of a button that sets the bridge's `pressed`; both are plain text. `pressed`: it is chosen."""
    state = ' aria-pressed="true"' if pressed else ""
    return f'<button type="button" class="action" data-press="{escape(choice)}"{state}>{escape(label)}</button>'
