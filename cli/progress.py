"""Progress of long work on standard error: an updated line on a terminal, else a line every few seconds."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from rich.status import Status

from cli.text import Terminal, plain

EVERY_S = 5.0
"""Seconds between two lines about the present activity, without a terminal."""


class Progress:
    """Prints the present activity and finished work, with the seconds since the beginning."""

    def __init__(self, console: Terminal, status: Status) -> None:
        self.console, self._status = console, status
        self._began = self._told = monotonic()

    def say(self, what: str) -> None:
        """Print finished work as a line."""
        self.console.print(plain(f"{monotonic() - self._began:7.0f} s  {what}"), soft_wrap=True)
        self._told = monotonic()
        self._status.update(plain(what))

    def now(self, what: str) -> None:
        """Set the present activity."""
        if self.console.is_terminal:
            self._status.update(plain(what))
        elif monotonic() - self._told >= EVERY_S:
            self.say(what)


@contextmanager
def progress(first: str) -> Iterator[Progress]:
    """Open it; `first` is the present activity."""
    console = Terminal(stderr=True)
    with console.status(plain(first)) as status:
        yield Progress(console, status)
