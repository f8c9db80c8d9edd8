"""What is out of view is not drawn: the work of drawing a plot waits until the browser says that the plot is seen."""

from collections.abc import Callable, Iterable

EVERY = "*"
"""What the browser says where it needs all plots, as for an export."""
Work = Callable[[], None]


class InView:
    """The plots of one document that are in view, by name, and the newest drawing of each of the others.

    Those `at_once` are drawn before the browser has said anything: they are at the top of the page.
    """

    def __init__(self, at_once: Iterable[str] = ()) -> None:
        self.seen = frozenset(at_once)
        self.waiting: dict[str, Work] = {}

    def draw(self, name: str, work: Work) -> None:
        """Do the work if the plot is in view, else once it comes into view unless there is newer work by then."""
        self.waiting.pop(name, None)
        if self._sees(name):
            work()
        else:
            self.waiting[name] = work

    def look(self, names: str) -> None:
        """Take over what is in view, names with blanks between, and draw what has waited for it."""
        self.seen = frozenset(names.split())
        for name in [name for name in self.waiting if self._sees(name)]:
            self.waiting.pop(name)()

    def _sees(self, name: str) -> bool:
        return name in self.seen or EVERY in self.seen
