"""Where the commands print: whatever comes from records, logs or errors is shown as it is, and does nothing."""

import sys
from typing import Any

from rich.console import Console
from rich.text import Text

from settings.text import escaped


class Terminal(Console):
    """A console on which a string is text alone: no markup, no control character, no second line. What is to have a
    colour comes as `rich.text.Text`.
    """

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a string as text; cells of tables come by here too."""
        return super().render_str(escaped(text), **options | {"markup": False, "emoji": False})


def plain(text: str) -> Text:
    """Return a string as text, for what takes a string as markup: the line of `Console.status`."""
    return Text(escaped(text))


def echo(line: str, err: bool = False) -> None:
    """Print a line."""
    stream = sys.stderr if err else sys.stdout
    stream.write(f"{escaped(line)}\n")
    stream.flush()


def echo_json(document: bytes | str) -> None:
    """Print a JSON document of one or many lines: characters that a terminal would obey as JSON escapes them."""
    text = document.decode(errors="replace") if isinstance(document, bytes) else document
    for line in text.split("\n"):
        echo(line)
