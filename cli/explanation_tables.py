"""An explanation as tables: each input's contribution, with a bar, and a network's attention."""

from collections.abc import Iterator, Sequence
from math import exp, isnan

from rich.text import Text

from cli.tables import Column, paragraph
from cli.tables import show as show_table
from cli.text import Terminal
from cli.times import iso
from models.explain.explanation import Explanation
from storage.bar_history import Published
from topics.prices import format_number

WIDTH = 12
"""Characters of the longest bar to each side."""
UNKNOWN = "-"


def show(
    console: Terminal, result: Explanation, top: int, warm_up: int, published: Sequence[Published], wide: bool = False
) -> None:
    """Print the forecast, its contributions, and the published forecast."""
    paragraph(
        console,
        f"{result.model} {result.version} on {result.symbol} {result.interval} at {iso(result.time)}, "
        f"{result.horizon} {'bar' if result.horizon == 1 else 'bars'} ahead of {format_number(result.price)}: "
        f"mean {_points(result.mean)} bp, scale {result.scale * 1e4:.3f} bp",
    )
    if result.contributions:
        columns = (
            *(Column("input"), Column("value", 1, right=True)),
            *(Column("bp" if result.quantity == "mean" else "log variance", right=True), Column("bar", 2)),
        )
        show_table(columns, _contributions(result, top), wide, console)
    if result.note:
        paragraph(console, result.note)
    if result.quantity == "log variance":
        factor = exp(result.total / 2)
        scale = f"the scale is sigma sqrt(h), {result.unit * 1e4:.3f} bp, times exp(total / 2) = {factor:.3f}"
        paragraph(console, scale)
    looked = result.looked()
    if looked:
        shares = (Column("attention"), Column("share", right=True), Column("bar", 1))
        show_table(shares, _attention(looked), wide, console)
    for one in published:
        text = "nothing" if one.mean is None else f"a mean of {_points(one.mean)} bp"
        paragraph(console, f"published by version {one.version}: {text}")
    paragraph(console, f"the model's state is from the {warm_up:,} bars before")


def _contributions(result: Explanation, top: int) -> Iterator[tuple[str | Text, ...]]:
    of_mean = result.quantity == "mean"
    unit = result.unit * 1e4 if of_mean else 1.0
    shown, others = result.contributions[:top], result.contributions[top:]
    largest = max(abs(part.contribution) for part in shown)
    if result.base:
        yield "base", "", f"{result.base * unit:+.4f}", ""
    for part in shown:
        value = UNKNOWN if isnan(part.value) else f"{part.value:.4g}"
        yield part.name, value, f"{part.contribution * unit:+.4f}", _bar(part.contribution, largest)
    if others:
        rest = sum(part.contribution for part in others)
        yield f"{len(others)} others", "", f"{rest * unit:+.4f}", ""
    if abs(result.remainder) * unit >= 5e-5:  # a network's integral is approximated in steps
        yield "rounding", "", f"{result.remainder * unit:+.4f}", ""
    yield Text("total", "bold"), "", Text(f"{result.total * unit:+.4f}", "bold"), ""


def _attention(looked: Sequence[tuple[str, float]]) -> Iterator[tuple[str, ...]]:
    largest = max(share for _, share in looked)
    for name, share in looked:
        yield name, f"{share:.1%}", "█" * round(WIDTH * share / largest)


def _bar(value: float, largest: float) -> Text:
    """Return a bar to the left of a middle line for a negative contribution, to the right for a positive one."""
    length = round(WIDTH * abs(value) / largest) if largest else 0
    if value < 0:
        return Text.assemble((f"{'█' * length:>{WIDTH}}", "red"), "│")
    return Text.assemble(f"{'':{WIDTH}}│", ("█" * length, "green"))


def _points(value: float) -> str:
    """Return basis points; a mean of exactly 0 has no direction, and is distinct from a rounded one."""
    return f"{value * 1e4:+.4f}" if value else "0"
