"""A plot's frame: scales, axes and the elements that are drawn in it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, isfinite, log10

NICE = (1.0, 2.0, 2.5, 5.0, 10.0)


def tag(name: str, content: str = "", **attributes: object) -> str:
    """Return an element; an attribute's trailing _ is dropped and its other ones become dashes.

    >>> tag("line", x1=0, class_="axis", stroke_width=2)
    '<line x1="0" class="axis" stroke-width="2"></line>'
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_short(value))}"' for key, value in attributes.items()
    )
    return f"<{name}{written}>{content}</{name}>"


def _short(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def text(words: str, x: float, y: float, class_: str = "", anchor: str = "start") -> str:
    """Return words at a place."""
    return tag("text", escape(words), x=x, y=y, class_=class_, text_anchor=anchor)


def title(words: str) -> str:
    """Return what is shown when the pointer rests on the element around it."""
    return tag("title", escape(words))


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Return round numbers between two, at most so many.

    >>> ticks(0.0, 10.0), ticks(-0.31, 0.9, 4)
    ([0.0, 2.0, 4.0, 6.0, 8.0, 10.0], [0.0, 0.5])
    """
    rough = (high - low) / (most - 1)
    power = 10.0 ** floor(log10(rough))
    step = next(power * nice for nice in NICE if power * nice >= rough * (1 - 1e-9))
    return [round(step * place, 10) for place in range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)]


@dataclass(frozen=True, kw_only=True)
class PlotArea:
    """A plot of a width and height in pixels with room around it, and the values at its edges."""

    width: int
    height: int
    left: int
    top: int
    right: int
    bottom: int
    x: tuple[float, float]
    y: tuple[float, float]

    def across(self, value: float) -> float:
        """Return the pixel of a value from left to right."""
        low, high = self.x
        return self.left + (value - low) / (high - low) * (self.width - self.left - self.right)

    def up(self, value: float) -> float:
        """Return the pixel of a value from bottom to top."""
        low, high = self.y
        return self.height - self.bottom - (value - low) / (high - low) * (self.height - self.top - self.bottom)

    def columns(self, marks: Sequence[tuple[float, str]], grid: bool = True) -> str:
        """Return the labels below, each at its value, with lines."""
        base = self.height - self.bottom
        results = []
        for value, words in marks:
            x = self.across(value)
            if grid:
                results.append(tag("line", x1=x, x2=x, y1=self.top, y2=base, class_="grid"))
            results.append(text(words, x, base + 16, "tick", "middle"))
        return "".join(results)

    def lines(self, marks: Sequence[tuple[float, str]]) -> str:
        """Return the labels at the left, each at its value, with lines."""
        results = []
        for value, words in marks:
            y = self.up(value)
            results.append(tag("line", x1=self.left, x2=self.width - self.right, y1=y, y2=y, class_="grid"))
            results.append(text(words, self.left - 7, y + 4, "tick", "end"))
        return "".join(results)

    def path(self, points: Iterable[tuple[float, float]], class_: str, style: str = "", words: str = "") -> str:
        """Return a line through points."""
        placed = " ".join(f"{self.across(x):.1f},{self.up(y):.1f}" for x, y in points)
        return tag("polyline", title(words) if words else "", points=placed, class_=class_, style=style)

    def figure(self, heading: str, *content: str) -> str:
        """Return the plot with a heading over it."""
        drawn = tag("svg", "".join(content), viewBox=f"0 0 {self.width} {self.height}", role="img", aria_label=heading)
        return tag("figure", tag("figcaption", escape(heading)) + drawn)


def padded(values: Iterable[float], *always: float, share: float = 0.06) -> tuple[float, float]:
    """Return the least and the greatest value, and the ones that are always in view, with some room around."""
    results = [*always, *(value for value in values if isfinite(value))]
    low, high = min(results), max(results)
    room = (high - low) * share or 1.0
    return low - room, high + room
