"""`foretick replay`: a backfill from files."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from broker.errors import KafkaAwayError
from cli.argument_checks import check_typed
from cli.errors import UserError
from cli.options import From, Symbol
from cli.replay_tables import show
from cli.tables import Wide
from cli.text import Terminal, echo, echo_json
from cli.times import minute, span
from settings import Settings
from sources.errors import SourceError
from sources.reading.counts import Counts
from storage.errors import StorageError

if TYPE_CHECKING:
    from sources.markets.market import Kind
    from sources.reading.request import ReadRequest
    from sources.times.timestamps import DateOrder

FAILED, MACHINE, INTERRUPTED = 1, 3, 130

DateOrderText = Annotated[
    str | None, typer.Option(help="What 01/02/2024 has first, day or month, where the file's dates do not tell.")
]
Market = Annotated[
    str | None, typer.Option(help="The files' market: spot, linear or inverse (perpetuals), where none tells.")
]
ContractSize = Annotated[
    float | None, typer.Option(min=1e-12, help="A contract's size in base currency; inverse, in quote currency.")
]
Zone = Annotated[
    str | None, typer.Option(help="The zone of times that name none: Europe/Berlin or +05:30; UTC by default.")
]
LayoutName = Annotated[
    str | None, typer.Option(help="The layout of the files (okx-candles), where they do not tell: docs/FORMATS.md.")
]


def replay(  # noqa: PLR0913 - a command's options
    files: Annotated[
        list[Path], typer.Argument(help="csv, csv.gz, zip, parquet, feather or JSON; the format is found by itself.")
    ],
    speed: Annotated[str, typer.Option(help="max, or times real time: 1x, 60x.")] = "max",
    start: From = None,
    end: Annotated[str | None, typer.Option("--to", help="The time at which to stop (itself left out).")] = None,
    symbol: Symbol = None,
    interval: Annotated[
        str | None, typer.Option(help="The interval of the bars (1m), if a file is too short to determine it.")
    ] = None,
    date_order: DateOrderText = None,
    market: Market = None,
    contract_size: ContractSize = None,
    zone: Zone = None,
    layout: LayoutName = None,
    restart: Annotated[bool, typer.Option("--restart", help="Forget the progress, and send all again.")] = False,
    retrain: Annotated[
        bool, typer.Option("--retrain/--no-retrain", help="Let its bars trigger trainings, by schedule and by drift.")
    ] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read, clean and count; send nothing.")] = False,
    wide: Wide = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Send the history in files onto the topics, merged by time. An interrupted replay continues where it stopped.

    Trainings are scheduled in event time, so a replay may trigger some; their versions become challengers.
    """
    check_typed(files, interval=interval)
    request = _request(start, end, symbol, interval, date_order, market, contract_size, zone, layout)
    # What aiokafka logs of a lost broker would stand in the progress bar; the one line at the end says it.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    settings = Settings()
    with _failures(), _Bar(quiet=as_json, sends=not dry_run) as bar:
        if dry_run:
            from sources.replay.backfill import count

            counts = count(files, request, bar.show)
        else:
            counts = _sent(files, settings, request, bar, speed, restart=restart, retrain=retrain)
    if as_json:
        echo_json(msgspec.json.encode(counts))
    else:
        show(counts, wide)
    if problem := counts.problem(settings.impossible_percent):
        echo(f"foretick: {problem}", err=True)
        raise typer.Exit(FAILED)


def _sent(
    files: list[Path],
    settings: Settings,
    request: "ReadRequest",
    bar: "_Bar",
    speed: str,
    *,
    restart: bool,
    retrain: bool,
) -> Counts:
    """Send the files' rows and return what there was of each kind."""
    from sources.replay.backfill import replay as run

    return run(
        files,
        settings,
        request,
        speed=speed,
        restart=restart,
        on_progress=bar.show,
        say=bar.say,
        begins=lambda last: _trainings(settings, last, retrain, bar.say),
    )


@contextmanager
def _failures() -> Iterator[None]:
    """Say in one line why the replay ended early, and end with the exit code for it."""
    try:
        yield
    except KafkaAwayError as error:
        echo(f"foretick: {error}", err=True)
        raise typer.Exit(MACHINE) from None
    except StorageError as error:
        raise UserError(f"--no-retrain: {error}: is it running? foretick up") from error
    except SourceError as error:
        raise UserError(str(error)) from error
    except KeyboardInterrupt:
        echo("interrupted: the same command continues where this one stopped", err=True)
        raise typer.Exit(INTERRUPTED) from None


def _request(
    start: str | None,
    end: str | None,
    symbol: str | None,
    interval: str | None,
    date_order: str | None,
    market: str | None,
    contract_size: float | None,
    zone: str | None,
    layout: str | None,
) -> "ReadRequest":
    """Return what is to be read, checked. Raises UserError where an option is none that there is."""
    from sources.reading.request import ReadRequest

    first, last = span(start, end)
    return ReadRequest(
        start=first,
        end=last,
        symbol=symbol,
        interval=interval,
        date_order=_date_order(date_order),
        market=_market(market),
        contract_size=contract_size,
        zone=_zone(zone),
        layout=_layout(layout),
    )


def _trainings(settings: Settings, last: int, wanted: bool, say: Callable[[str], None]) -> None:
    """Print whether the bars up to `last` (epoch ms) may trigger trainings, and prevent it if they may not."""
    if not wanted:
        from learning.runs.queue import Runs

        why = "no training: bars up to here were replayed with --no-retrain"
        Runs(settings.database_url.get_secret_value()).pass_over(last, settings.interval, "replay", why)
        say(f"no training is triggered by bars up to {minute(last)} UTC")
    elif settings.retrain_cron or settings.retrain_on_drift:
        say("its bars may trigger a training, by schedule or drift; --no-retrain prevents it")


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
        """Update the progress. The bar appears with the first rows, so that an error is printed without it."""
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
    return text  # type: ignore[return-value] # checked in the line above


def _market(text: str | None) -> "Kind | None":
    if text not in (None, "spot", "linear", "inverse"):
        raise UserError(f"--market {text!r} is none of spot, linear and inverse")
    return text  # type: ignore[return-value] # checked in the line above


def _zone(text: str | None) -> str | None:
    from sources.times.zones import zone_of

    if text is not None:
        try:
            zone_of(text)
        except ValueError as error:
            raise UserError(f"--zone: {error}") from error
    return text


def _layout(text: str | None) -> str | None:
    from sources.reading.detect import source_of

    if text is not None:
        try:
            source_of(text)
        except SourceError as error:
            raise UserError(f"--layout: {error}") from error
    return text
