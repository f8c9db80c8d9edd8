"""The options of a list of several choices, whose labels Bokeh shows as HTML."""

from collections.abc import Sequence
from html import escape

from bokeh.models.widgets.inputs import MultiChoice


def offer(widget: MultiChoice, options: Sequence[tuple[str, str]]) -> None:
    """Offer values with their labels, which are plain text."""
    escaped = [(value, escape(label)) for value, label in options]
    if widget.options != escaped:
        widget.options = list[str | tuple[str, str]](escaped)
