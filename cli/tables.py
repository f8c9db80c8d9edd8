"""Tables: columns with ranks, of which as many are shown as the width allows; identifiers are never cut."""

from collections.abc import Collection, Iterable, Sequence
from typing import Annotated, NamedTuple

import typer
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from cli.text import Terminal, shown

Wide = Annotated[bool, typer.Option("--wide", help="All columns, one line a row, however long it becomes.")]
Cell = str | Text
GAP = 2
WORDS = 24
"""The least width of a column of words beside the others, if its text is that long."""
INDENT = 4


class Column(NamedTuple):
    """A column. Those of rank 0 are always shown; of the others the highest rank is left out first.

    `words`: a sentence or a list, which may be wrapped between two words, and is placed below its row if there is no
    room beside it. Other columns are never wrapped.
    """

    name: str
    rank: int = 0
    words: bool = False
    right: bool = False


class Layout(NamedTuple):
    """The columns beside each other with their widths, those below their row, and those left out."""

    beside: dict[int, int]
    below: list[int]
    left_out: list[int]


def show(
    columns: Sequence[Column], rows: Iterable[Sequence[Cell]], wide: bool = False, console: Terminal | None = None
) -> None:
    """Print a table in the terminal's width, or all of it; the last line names what `--wide` would add."""
    cells = [[_text(cell) for cell in row] for row in rows]
    widths = [max([cell_len(column.name), *(row[at].cell_len for row in cells)]) for at, column in enumerate(columns)]
    console = console or Terminal()
    width = console.width
    if wide:
        layout = Layout(dict(enumerate(widths)), [], [])
    else:
        longest = [max([0, *(_longest_word(row[at]) for row in cells)]) for at in range(len(columns))]
        layout = laid_out(columns, widths, longest, width)
    console.width = max(width, _needed(layout.beside.values()))
    console.print(_table(columns, layout, None))
    for row in cells:
        console.print(_table(columns, layout, row))
        for at in layout.below:
            if row[at].plain:
                label = f"{columns[at].name}: " if columns[at].name else ""
                _wrapped(console, label + row[at].plain, width, INDENT)
    if layout.left_out:
        _wrapped(console, f"--wide adds: {', '.join(columns[at].name for at in layout.left_out)}", width)
    console.width = width


def laid_out(columns: Sequence[Column], widths: Sequence[int], longest: Sequence[int], width: int) -> Layout:
    """Return what fits into `width`; `widths` are those of each column's cells, `longest` their longest words."""
    beside = {at: widths[at] for at, column in enumerate(columns) if not column.words}
    left_out = []
    for at in sorted(beside, key=lambda at: (-columns[at].rank, -at)):
        if columns[at].rank and _needed(beside.values()) > width:
            del beside[at]
            left_out.append(at)
    below: list[int] = []
    if _needed(beside.values()) > width:  # the columns of rank 0 exceed a line
        first, *below = beside
        beside = {first: widths[first]}
    for at in (at for at, column in enumerate(columns) if column.words and longest[at]):  # if not empty
        least = max(longest[at], min(widths[at], WORDS), cell_len(columns[at].name))
        if below or _needed([*beside.values(), least]) > width:
            below.append(at)
        else:
            beside[at] = least
    for at in beside:
        beside[at] += max(0, min(width - _needed(beside.values()), widths[at] - beside[at]))
    return Layout(dict(sorted(beside.items())), sorted(below), sorted(left_out))


def paragraph(console: Terminal, head: str, *details: str) -> None:
    """Print a line, and below it, indented, its details; long lines are wrapped between words."""
    _wrapped(console, shown(head), console.width)
    for detail in filter(None, details):
        _wrapped(console, shown(detail), console.width, INDENT)


def _wrapped(console: Terminal, text: str, width: int, indent: int = 0) -> None:
    """Print a text in lines of `width`, wrapped only between words: a longer word has a longer line to itself."""
    lines: list[str] = []
    for word in text.split(" "):
        if lines and indent + cell_len(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    for line in lines:
        console.print(Text(" " * indent + line), crop=False, no_wrap=True, overflow="ignore")


def _table(columns: Sequence[Column], layout: Layout, row: Sequence[Text] | None) -> Table:
    """Return one row as a table, or the heading if there is none."""
    table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, show_header=row is None)
    for at, width in layout.beside.items():
        side = "right" if columns[at].right else "left"
        table.add_column(columns[at].name, justify=side, no_wrap=not columns[at].words, width=width)  # type: ignore[arg-type] # one of the two literals of the line above
    if row is not None:
        table.add_row(*(row[at] for at in layout.beside))
    return table


def _needed(widths: Collection[int]) -> int:
    return sum(widths) + GAP * max(0, len(widths) - 1)


def _text(cell: Cell) -> Text:
    return cell if isinstance(cell, Text) else Text(shown(cell))


def _longest_word(text: Text) -> int:
    return max(map(cell_len, text.plain.split()), default=0)
