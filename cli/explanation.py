"""An explanation as tables: what each input added, with a bar, and where a network looked."""

from collections.abc import Sequence
from math import exp, isnan

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.times import iso
from models.explanation import Explanation
from storage.history import Published

WIDTH = 12
"""Characters of the longest bar to each side."""
UNKNOWN = "-"


def show(console: Console, found: Explanation, top: int, warm_up: int, published: Sequence[Published]) -> None:
    """Print the forecast, what it is made of, and how it compares with what was published."""
    console.print(
        f"{found.model} {found.version} on {found.symbol} {found.interval} at {iso(found.time)}, "
        f"{found.horizon} {'bar' if found.horizon == 1 else 'bars'} ahead of {found.price:g}: "
        f"mean {_points(found.mean)} bp, scale {found.scale * 1e4:.3f} bp",
        highlight=False,
        soft_wrap=True,
    )
    if found.contributions:
        console.print(_contributions(found, top))
    if found.note:
        console.print(found.note, highlight=False, soft_wrap=True)
    if found.quantity == "log variance":
        factor = exp(found.total / 2)
        console.print(
            f"the scale is sigma sqrt(h), {found.unit * 1e4:.3f} bp, times exp(total / 2) = {factor:.3f}",
            highlight=False,
        )
    looked = found.looked()
    if looked:
        console.print(_attention(looked))
    for one in published:
        said = "nothing" if one.mean is None else f"a mean of {_points(one.mean)} bp"
        console.print(f"published by version {one.version}: {said}", highlight=False)
    console.print(f"the model's memory is that of the {warm_up:,} bars before", highlight=False)


def _contributions(found: Explanation, top: int) -> Table:
    of_mean = found.quantity == "mean"
    unit = found.unit * 1e4 if of_mean else 1.0
    shown, others = found.contributions[:top], found.contributions[top:]
    table = Table("input", box=None)
    table.add_column("value", justify="right")
    table.add_column("bp" if of_mean else "log variance", justify="right")
    table.add_column("")
    largest = max(abs(part.contribution) for part in shown)
    if found.base:
        table.add_row("base", "", f"{found.base * unit:+.4f}")
    for part in shown:
        value = UNKNOWN if isnan(part.value) else f"{part.value:.4g}"
        table.add_row(part.name, value, f"{part.contribution * unit:+.4f}", _bar(part.contribution, largest))
    if others:
        rest = sum(part.contribution for part in others)
        table.add_row(f"{len(others)} others", "", f"{rest * unit:+.4f}")
    if abs(found.rest) * unit >= 5e-5:  # a network's integral is taken in steps
        table.add_row("rounding", "", f"{found.rest * unit:+.4f}")
    table.add_section()
    table.add_row("total", "", f"{found.total * unit:+.4f}", style="bold")
    return table


def _attention(looked: Sequence[tuple[str, float]]) -> Table:
    table = Table("attention", box=None)
    table.add_column("share", justify="right")
    table.add_column("")
    largest = max(share for _, share in looked)
    for name, share in looked:
        table.add_row(name, f"{share:.1%}", "█" * round(WIDTH * share / largest))
    return table


def _bar(value: float, largest: float) -> Text:
    """Return a bar to the left of a middle line for what pulls down, to the right for what lifts."""
    length = round(WIDTH * abs(value) / largest) if largest else 0
    if value < 0:
        return Text.assemble((f"{'█' * length:>{WIDTH}}", "red"), "│")
    return Text.assemble(f"{'':{WIDTH}}│", ("█" * length, "green"))


def _points(value: float) -> str:
    return f"{value * 1e4:+.4f}"
