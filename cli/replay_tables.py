"""The summary of a replay: each file's interpretation, the counts, and the reasons for refused rows."""

from typing import Any

from cli.tables import Column, paragraph
from cli.tables import show as show_table
from cli.text import Terminal, echo
from cli.times import iso
from sources.reading.counts import Counts, FileSummary
from topics.prices import format_number

MOST_FILES = 10
"""The most files listed one by one; JSON has all."""
COUNTED = (Column("counted"), Column("", words=True))
EXACT = 15
"""Significant digits of an example: those in the file, without binary rounding errors."""


def show(counts: Counts, wide: bool = False) -> None:
    """Print it."""
    console = Terminal()
    for file in counts.understood[:MOST_FILES]:
        paragraph(console, *understood(file))
    if len(counts.understood) > MOST_FILES:
        echo(f"and {len(counts.understood) - MOST_FILES} more files (--json has all)")
    for why in counts.passed_over.values():
        paragraph(console, f"skipped: {why}")
    show_table(COUNTED, [line for line in _lines(counts).items() if line[1] != "0"], wide)
    for kind, refused in counts.refused.items():
        example = f"for example row {refused.row} of {refused.file}" + (f": {refused.text}" if refused.text else "")
        paragraph(console, f"impossible, {refused.rows:,} times: {kind}", example)
    for series, rows in counts.examples.items():
        paragraph(console, series, *(_record(row) for row in rows))
    if counts.complete_before:
        echo("this replay was complete before, and nothing was sent: --restart replays it again")


def understood(file: FileSummary) -> list[str]:
    """Return the lines about a file's interpretation."""
    symbols = ", ".join(file.symbols[:5]) + (f" and {len(file.symbols) - 5} more" if len(file.symbols) > 5 else "")
    what = "trades" if file.interval is None else f"bars of {file.interval} (by {file.interval_told_by})"
    others = {name: column for name, column in file.columns.items() if column.lower() != name}
    columns = ", ".join(f"{name} is {column or '(unnamed)'}" for name, column in others.items())
    lines = [
        f"{file.file}: {file.layout}, {what}, of {symbols}, {file.market}",
        f"times: {file.times}; {file.zone}",
    ]
    if columns:
        lines.append(f"columns: {columns}")
    if file.left_out:
        lines.append(f"columns left out: {', '.join(file.left_out)}")
    if file.needless:
        lines.append(f"columns known, not needed: {', '.join(file.needless)}")
    if file.notes:
        lines.append(f"lines above the table: {len(file.notes)}, the first {file.notes[0][:60]!r}")
    return [*lines, *file.remarks]


def _lines(counts: Counts) -> dict[str, str]:
    repeated = (
        f" ({counts.conflicts:,} of them different from the later one, which is kept)" if counts.conflicts else ""
    )
    return {
        "rows read": f"{counts.rows:,}",
        "bars": f"{counts.bars:,}",
        "ticks": f"{counts.ticks:,}",
        "duplicates dropped": f"{counts.duplicates:,}{repeated}",
        "gaps": f"{counts.gaps:,} ({counts.missing_intervals:,} intervals missing)" if counts.gaps else "0",
        "bars with a suspect price": f"{counts.suspect:,}",
        "rows without a trade": f"{counts.empty:,}",
        "bars not complete": f"{counts.unfinished:,}",
        "read at their interval's start": f"{counts.shifted:,}",
        "treated as unknown": ", ".join(f"{name} {cells:,}" for name, cells in counts.unknown.items()) or "0",
        "impossible (dead-letters)": f"{counts.impossible:,}",
        "outside the request": f"{counts.outside:,}",
        "delivered before": f"{counts.delivered_before:,}",
        "sent": f"{counts.sent:,}",
        "symbols": ", ".join(f"{symbol} {rows:,}" for symbol, rows in counts.symbols.items()) or "-",
        "span (UTC)": f"{iso(counts.first)} .. {iso(counts.last)}",
        "seconds": f"{counts.seconds:.1f}",
    }


def _record(row: dict[str, Any]) -> str:
    of_the_series = ("time", "symbol", "interval")
    known = {name: value for name, value in row.items() if name not in of_the_series and value not in (None, 0)}
    lines = [
        f"{name} {format_number(value, EXACT) if isinstance(value, float) else value}" for name, value in known.items()
    ]
    return f"{iso(row['time'])}  {' '.join(lines)}"
