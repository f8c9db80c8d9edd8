"""What a page and the browser tell each other."""

from typing import Any

from bokeh.core.properties import String
from bokeh.document import Document
from bokeh.events import DocumentReady
from bokeh.model import DataModel
from bokeh.models.callbacks import CustomJS

from dashboard.static_files import asset


class Bridge(DataModel):
    """The address' query, the state, the theme, the system's theme, which the browser knows, and the page's new token
    once the first grows old."""

    # Any: what is assigned to a Bokeh property is a plain value, not the property that mypy sees here.
    query: Any = String(default="")
    state: Any = String(default="connecting")
    theme: Any = String(default="light")
    system: Any = String(default="light")
    token: Any = String(default="")

    def follow(self, document: Document) -> None:
        """Let the browser keep the address, the state, the theme and the token in step with this."""
        document.js_on_event(DocumentReady, CustomJS(args={"bridge": self}, code=asset("bridge.js")))
