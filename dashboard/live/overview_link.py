"""The link from the live page to the page of all symbols."""

from html import escape
from urllib.parse import urlencode

from dashboard.live.view_state import CLOCKS, Choice
from dashboard.palette import PALETTES

PATH = "/overview"


def overview_link(choice: Choice, theme: str, interval: str) -> str:
    """Return the link to all symbols with the same model, horizon, clock and theme; `interval` is the usual one."""
    parts = {
        "interval": choice.interval if choice.interval != interval else None,
        "model": choice.model,
        "horizon": str(choice.horizon),
        "clock": choice.clock if choice.clock != CLOCKS[0] else None,
        "theme": theme if theme in PALETTES else None,
    }
    query = urlencode({name: value for name, value in parts.items() if value})
    return (
        f'<a class="button" href="{PATH}?{escape(query)}" accesskey="o" title="Every symbol in a table (Alt+O)">'
        "All symbols</a>"
    )
