"""`foretick features`: the indicators of every bar in files, as one Parquet file."""

import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from cli.argument_checks import check_typed
from cli.errors import UserError
from cli.options import Files, Interval, Symbol, To
from cli.tables import paragraph
from cli.text import Terminal, echo_json
from cli.times import span
from settings import Settings
from topics.units import measure

if TYPE_CHECKING:
    from features.definition import Definition

AHEAD = 16
"""Blocks of bars that are prefetched: more than are read at a time, so that computing never waits."""


def features(
    files: Files,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The Parquet file to write; an existing one is replaced.")
    ],
    start: Annotated[
        str | None,
        typer.Option("--from", help="The first time to write, ISO 8601; earlier bars warm the indicators up."),
    ] = None,
    end: To = None,
    symbol: Symbol = None,
    interval: Interval = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Compute every indicator of the bars in files, with the stream's code, into one Parquet file.

    The definition is that of the models in service.
    """
    check_typed(files)
    # numba and Arrow: imported here, since they take seconds
    from features.definition import Definition
    from features.step import FeatureState, FeatureStep
    from sources.errors import SourceError
    from sources.feature_file import FeatureFile
    from sources.reading.bars import bar_blocks
    from sources.reading.prefetch import Prefetch
    from sources.reading.request import ReadRequest

    first, last = span(start, end)
    request = ReadRequest(end=last, symbol=symbol)
    interval = _interval(interval or Settings().interval)
    if any(path.exists() and output.exists() and path.samefile(output) for path in files):
        raise UserError(f"--output {output} is one of the files to read: give another name")
    began, rows = time.monotonic(), Counter[str]()
    states: dict[str, FeatureState] = {}
    try:
        definition = Definition.load(Settings().home / "models")
        with (
            _Bar(quiet=as_json) as bar,
            FeatureFile(output, definition.names, definition.fingerprint) as file,
            Prefetch(bar_blocks(files, interval, request, bar.show), AHEAD) as blocks,
        ):
            step = FeatureStep(definition)  # loads the compiled code while the first blocks are read
            for block in blocks:
                state = states.get(block.symbol) or step.initial()
                states[block.symbol], frame = step.features(state, block)
                frame = frame if first is None else frame.after(first - 1)
                rows[block.symbol] += len(frame)
                file.write(frame)
            if not rows.total():
                raise UserError(f"no bars from {start} on: give an earlier --from, or other files")
    except (SourceError, ValueError) as error:
        raise UserError(str(error)) from error
    seconds = time.monotonic() - began
    _show(output, rows, definition, seconds, as_json=as_json)


def _show(output: Path, rows: Counter[str], definition: "Definition", seconds: float, *, as_json: bool) -> None:
    """Print what was written: how many rows of each symbol, of which definition, in what time."""
    if as_json:
        document = {
            "output": str(output),
            "rows": rows,
            "columns": len(definition.names),
            "fingerprint": definition.fingerprint,
            "bytes": output.stat().st_size,
            "seconds": round(seconds, 3),
        }
        echo_json(msgspec.json.encode(document))
        return
    counted = ", ".join(f"{name} {count:,}" for name, count in rows.items())
    console = Terminal()
    named = f"{len(definition.names)} features (definition {definition.fingerprint})"
    paragraph(console, f"{named} of {counted} bars in {seconds:.1f} s")
    paragraph(console, f"{output}: {output.stat().st_size / 2**20:,.0f} MiB")


class _Bar:
    """The progress bar, on standard error; it appears with the first rows, so that an error is printed without it."""

    def __init__(self, *, quiet: bool) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,.0f} rows"))
        self._progress = Progress(*columns, TimeElapsedColumn(), console=Terminal(stderr=True), disable=quiet)
        self._task = self._progress.add_task("reading", total=None)

    def __enter__(self) -> "_Bar":
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, rows: int, total: int | None) -> None:
        """Show the number of rows read and their total."""
        self._progress.start()
        description = "reading" if total is None else "features"
        self._progress.update(self._task, completed=rows, total=total, description=description)


def _interval(text: str) -> str:
    try:
        measure(text)
    except ValueError as error:
        raise UserError(f"--interval: {error}") from error
    return text
