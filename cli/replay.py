"""`foretick replay`: a backfill from files."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from cli.errors import UserError
from cli.replay_shown import show
from cli.text import Terminal, echo, echo_json
from cli.times import epoch_ms
from settings import Settings
from sources.counts import Counts
from sources.errors import KafkaAwayError, SourceError
from topics.units import interval_ms

if TYPE_CHECKING:
    from sources.times import DateOrder

FAILED, MACHINE, INTERRUPTED = 1, 3, 130


def replay(
    files: Annotated[
        list[Path], typer.Argument(help="csv, csv.gz, zip, parquet, feather or JSON; the format is found by itself.")
    ],
    speed: Annotated[str, typer.Option(help="max, or times real time: 1x, 60x.")] = "max",
    start: Annotated[
        str | None, typer.Option("--from", help="The first time, ISO 8601, UTC where no zone is given.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="The time at which to stop (itself left out).")] = None,
    symbol: Annotated[
        str | None, typer.Option(help="Only this symbol; or what to call the only one that the files hold.")
    ] = None,
    interval: Annotated[
        str | None, typer.Option(help="The interval of the bars (1m), where a file is too short to tell.")
    ] = None,
    date_order: Annotated[
        str | None, typer.Option(help="What 01/02/2024 has first, day or month, where the file's dates do not tell.")
    ] = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="Forget what was replayed before, and send all again.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read, clean and count; send nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Send the history in files onto the topics, merged by time. An interrupted replay goes on where it was."""
    from sources.replay import count  # noqa: PLC0415
    from sources.replay import replay as run  # noqa: PLC0415
    from sources.wish import Wish  # noqa: PLC0415 - pandas and Arrow: seconds that no other command is to pay

    # What aiokafka logs of a lost broker would stand in the progress bar; the one line at the end says it.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    wish = Wish(epoch_ms(start, "--from"), epoch_ms(end, "--to"), symbol, _interval(interval), _date_order(date_order))
    try:
        with _Bar(quiet=as_json, sends=not dry_run) as bar:
            if dry_run:
                counts = count(files, wish, bar.show)
            else:
                counts = run(
                    files,
                    Settings(),
                    speed=speed,
                    start=wish.start,
                    end=wish.end,
                    symbol=symbol,
                    interval=wish.interval,
                    date_order=wish.date_order,
                    restart=restart,
                    on_progress=bar.show,
                    say=bar.say,
                )
    except KafkaAwayError as error:
        echo(f"foretick: {error}", err=True)
        raise typer.Exit(MACHINE) from None
    except SourceError as error:
        raise UserError(str(error)) from error
    except KeyboardInterrupt:
        echo("interrupted: the same command goes on where this one stopped", err=True)
        raise typer.Exit(INTERRUPTED) from None
    if as_json:
        echo_json(msgspec.json.encode(counts))
    else:
        show(counts)
    if problem := counts.problem(Settings().impossible_percent):
        echo(f"foretick: {problem}", err=True)
        raise typer.Exit(FAILED)


class _Bar:
    """The progress bar, on standard error."""

    def __init__(self, *, quiet: bool, sends: bool) -> None:
        self._sends = sends
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:,.0f} rows"),
            TextColumn("{task.fields[rate]:,.0f} rows/s"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Terminal(stderr=True),
            disable=quiet,
        )
        self._task: TaskID | None = None
        self._sending = False

    def __enter__(self) -> "_Bar":
        return self

    def __exit__(self, *_: object) -> None:
        if self._task is not None:
            self._progress.stop()

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        self._progress.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def show(self, counts: Counts, total: int | None) -> None:
        """Show how far it is. The bar appears with the first rows, so that a mistake stands alone."""
        if self._task is None:
            self._progress.start()
            self._task = self._progress.add_task("reading", total=None, rate=0.0)
        if total is not None and not self._sending:
            self._sending = True
            self._progress.reset(self._task, total=total, description="replaying")
        done = counts.handled if self._sending and self._sends else counts.rows
        self._progress.update(self._task, completed=done, rate=self._progress.tasks[0].speed or 0.0)


def _date_order(text: str | None) -> "DateOrder | None":
    if text not in (None, "day", "month"):
        raise UserError(f"--date-order {text!r} is neither day nor month")
    return text  # type: ignore[return-value]


def _interval(text: str | None) -> str | None:
    if text is not None:
        try:
            interval_ms(text)
        except ValueError as error:
            raise UserError(f"--interval: {error}") from error
    return text
