"""What a page of the site is to the server: its readers, and the documents that it makes."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from bokeh.document import Document
from bokeh.resources import Component

from dashboard.actions.action import Action
from dashboard.clock import CLOCKS
from settings import Settings


@dataclass(frozen=True, kw_only=True)
class PageRequest:
    """A browser's request: the address' query, the theme of its system, and the clock that was chosen before."""

    arguments: Mapping[str, Sequence[bytes]]
    system: str
    clock: str = CLOCKS[0]


@dataclass(frozen=True, kw_only=True)
class SiteOptions:
    """What the pages of one server share; `stale_after_s` None is one and a half intervals."""

    settings: Settings
    stale_after_s: float | None = None


class PageThread(Protocol):
    """What reads for a page, or computes for it; `failing` is why something could not be read lately."""

    @property
    def alive(self) -> bool:
        """Return whether it still works."""

    @property
    def failing(self) -> str | None:
        """Return the error, None if there was none."""

    def start(self) -> None:
        """Begin to work."""

    def stop(self) -> None:
        """End the thread."""


class PageService(ABC):
    """One page: `name` is its path and its template, `title` what the navigation bar calls it, `actions` what its
    buttons may do."""

    name: ClassVar[str]
    title: ClassVar[str]
    actions: ClassVar[tuple[Action, ...]] = ()
    within: ClassVar[str] = ""
    """The name of the page from which a page that is not in the navigation bar is reached."""
    scripts: ClassVar[tuple[Component, ...]] = ("bokeh", "bokeh-widgets", "bokeh-tables")
    """The parts of BokehJS that the page needs: all of them are twice as much, most of it for formulas in TeX."""

    def __init__(self, options: SiteOptions) -> None:
        self.options = options

    @property
    def path(self) -> str:
        """Return the page's path."""
        return f"/{self.name}"

    @abstractmethod
    def open(self, document: Document, request: PageRequest) -> Mapping[str, Any]:
        """Make a viewer's document; return what the page's own template is filled with besides."""

    @property
    @abstractmethod
    def threads(self) -> Mapping[str, PageThread]:
        """Return what works for the page, by what it is called."""

    def start(self) -> None:
        """Start the threads."""
        for thread in self.threads.values():
            thread.start()

    def stop(self) -> None:
        """End them, the last first."""
        for thread in reversed([*self.threads.values()]):
            thread.stop()

    @property
    def ended(self) -> str | None:
        """Return which thread does nothing more, None while all work."""
        return next((f"{name} has ended" for name, thread in self.threads.items() if not thread.alive), None)

    @property
    def failing(self) -> str | None:
        """Return which thread could not read something lately, and why; None if all could."""
        errors = ((name, thread.failing) for name, thread in self.threads.items())
        return next((f"{name} fails ({error})" for name, error in errors if error is not None), None)
