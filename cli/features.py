"""`foretick features`: the indicators of every bar in files, as one Parquet file."""

import time
from collections import Counter
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from cli.errors import UserError
from cli.text import Terminal, echo_json
from cli.times import epoch_ms
from settings import Settings
from topics.units import measure

AHEAD = 16
"""Blocks of bars that are read beforehand: more than are read at a time, so that none is waited for."""


def features(
    files: Annotated[list[Path], typer.Argument(help="Files of bars; the format is found by itself.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The Parquet file to write; one that is there is replaced.")
    ],
    start: Annotated[
        str | None,
        typer.Option("--from", help="The first time to write, ISO 8601; earlier bars warm the indicators up."),
    ] = None,
    until: Annotated[str | None, typer.Option(help="The time at which to stop (itself left out).")] = None,
    symbol: Annotated[
        str | None, typer.Option(help="Only this symbol; or what to call the only one that the files hold.")
    ] = None,
    interval: Annotated[str | None, typer.Option(help="Use bars of this interval only (1m).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Compute every indicator of the bars in files, by the code that the stream runs, into one Parquet file.

    The definition is that of the models in service.
    """
    # numba and Arrow: seconds that no other command is to pay
    from features.definition import Definition  # noqa: PLC0415
    from features.step import FeatureState, FeatureStep  # noqa: PLC0415
    from sources.ahead import Ahead  # noqa: PLC0415
    from sources.bars import bar_blocks  # noqa: PLC0415
    from sources.errors import SourceError  # noqa: PLC0415
    from sources.feature_file import FeatureFile  # noqa: PLC0415
    from sources.wish import Wish  # noqa: PLC0415

    first = epoch_ms(start, "--from")
    wish = Wish(end=epoch_ms(until, "--until"), symbol=symbol)
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
            Ahead(bar_blocks(files, interval, wish, bar.show), AHEAD) as blocks,
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
    console.print(f"{named} of {counted} bars in {seconds:.1f} s")
    console.print(f"{output}: {output.stat().st_size / 2**20:,.0f} MiB")


class _Bar:
    """The progress bar, on standard error; it appears with the first rows, so that a mistake stands alone."""

    def __init__(self, *, quiet: bool) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,.0f} rows"))
        self._progress = Progress(*columns, TimeElapsedColumn(), console=Terminal(stderr=True), disable=quiet)
        self._task = self._progress.add_task("reading", total=None)

    def __enter__(self) -> "_Bar":
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, rows: int, total: int | None) -> None:
        """Show how many rows were read, of how many."""
        self._progress.start()
        description = "reading" if total is None else "features"
        self._progress.update(self._task, completed=rows, total=total, description=description)


def _interval(text: str) -> str:
    try:
        measure(text)
    except ValueError as error:
        raise UserError(f"--interval: {error}") from error
    return text
