"""The commands' output: text from records, logs or errors is escaped, and never interpreted."""

import sys
from typing import Any

from rich.console import Console
from rich.text import Text

from settings.places import typed
from settings.text import escaped

PIPED = 80
"""The width of a line in a file or pipe."""


class Terminal(Console):
    """A console that prints a string as plain text: no markup, control characters or line breaks. Coloured text is
    passed as `rich.text.Text`. Without a terminal, its width is COLUMNS, or 80 characters.
    """

    def __init__(self, **options: Any) -> None:
        """Begin; the options are rich's."""
        super().__init__(**options)
        # Rich uses the width of a terminal on stdin or stderr, even if stdout is a pipe.
        if self._width is None and not self.is_terminal:
            self.width = PIPED

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a string as text; also used for cells of tables."""
        return super().render_str(shown(text), **options | {"markup": False, "emoji": False})


def shown(text: str) -> str:
    """Return a text as one line, its commands as they are typed here."""
    return escaped(typed(text))


def plain(text: str) -> Text:
    """Return a string as text, where a string would be markup: the line of `Console.status`."""
    return Text(shown(text))


def echo(line: str, err: bool = False) -> None:
    """Print a line."""
    stream = sys.stderr if err else sys.stdout
    stream.write(f"{shown(line)}\n")
    stream.flush()


def echo_json(document: bytes | str) -> None:
    """Print a JSON document of one or many lines: control characters are escaped as in JSON."""
    text = document.decode(errors="replace") if isinstance(document, bytes) else document
    for line in text.split("\n"):
        echo(line)
