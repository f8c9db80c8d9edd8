"""The summary of a replay: what each file was taken for, the counts, and why rows were refused."""

from typing import Any

from rich.table import Table

from cli.show import paragraph
from cli.text import Terminal, echo
from cli.times import iso
from sources.counts import Counts, Understood

MOST_FILES = 10
"""Files that are told one by one; JSON has all."""


def show(counts: Counts) -> None:
    """Print it."""
    console = Terminal()
    for file in counts.understood[:MOST_FILES]:
        paragraph(console, *understood(file))
    if len(counts.understood) > MOST_FILES:
        echo(f"and {len(counts.understood) - MOST_FILES} more files (--json has all)")
    for why in counts.passed_over.values():
        paragraph(console, f"passed over: {why}")
    table = Table(show_header=False, box=None)
    for name, value in _lines(counts).items():
        if value != "0":
            table.add_row(name, value)
    console.print(table)
    for kind, found in counts.refused.items():
        example = f"for example row {found.row} of {found.file}" + (f": {found.text}" if found.text else "")
        paragraph(console, f"impossible, {found.rows:,} times: {kind}", example)
    for series, rows in counts.examples.items():
        paragraph(console, series, *(_record(row) for row in rows))
    if counts.complete_before:
        echo("this replay was complete before, and nothing was sent: --restart replays it again")


def understood(file: Understood) -> list[str]:
    """Return the lines that say what a file was taken for."""
    symbols = ", ".join(file.symbols[:5]) + (f" and {len(file.symbols) - 5} more" if len(file.symbols) > 5 else "")
    what = "trades" if file.interval is None else f"bars of {file.interval} (by {file.interval_told_by})"
    others = {name: column for name, column in file.columns.items() if column.lower() != name}
    columns = ", ".join(f"{name} is {column or '(unnamed)'}" for name, column in others.items())
    lines = [
        f"{file.file}: {file.layout}, {what}, of {symbols}",
        f"times: {file.times}; {file.zone}",
    ]
    if columns:
        lines.append(f"columns: {columns}")
    if file.left_out:
        lines.append(f"columns left out: {', '.join(file.left_out)}")
    if file.notes:
        lines.append(f"lines above the rows that are none: {len(file.notes)}, the first {file.notes[0][:60]!r}")
    return [*lines, *file.remarks]


def _lines(counts: Counts) -> dict[str, str]:
    repeated = (
        f" ({counts.conflicts:,} of them another bar than the later one, which stays)" if counts.conflicts else ""
    )
    return {
        "rows read": f"{counts.rows:,}",
        "bars": f"{counts.bars:,}",
        "ticks": f"{counts.ticks:,}",
        "duplicates dropped": f"{counts.duplicates:,}{repeated}",
        "gaps": f"{counts.gaps:,} ({counts.missing_intervals:,} intervals missing)" if counts.gaps else "0",
        "rows without a trade": f"{counts.empty:,}",
        "bars that are not over": f"{counts.unfinished:,}",
        "read at their interval's start": f"{counts.shifted:,}",
        "taken for unknown": ", ".join(f"{name} {cells:,}" for name, cells in counts.unknown.items()) or "0",
        "impossible (dead-letters)": f"{counts.impossible:,}",
        "not asked for": f"{counts.outside:,}",
        "delivered before": f"{counts.delivered_before:,}",
        "sent": f"{counts.sent:,}",
        "symbols": ", ".join(f"{symbol} {rows:,}" for symbol, rows in counts.symbols.items()) or "-",
        "span (UTC)": f"{iso(counts.first)} .. {iso(counts.last)}",
        "seconds": f"{counts.seconds:.1f}",
    }


def _record(row: dict[str, Any]) -> str:
    of_the_series = ("time", "symbol", "interval")
    said = [f"{name} {value}" for name, value in row.items() if name not in of_the_series and value not in (None, 0)]
    return f"{iso(row['time'])}  {' '.join(said)}"
