"""`foretick live`: a venue's live trades to `ticks`, and control of the running process."""

import asyncio
import logging
import signal
from collections.abc import Coroutine
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from typer.core import TyperGroup

from cli.errors import UserError
from cli.tables import Column, Wide, paragraph
from cli.tables import show as show_table
from cli.text import Terminal, echo, echo_json
from cli.times import iso
from settings import Settings
from settings.places import how_to_add

if TYPE_CHECKING:
    from sources.live.service import Service
    from sources.live.status import Status, SymbolStatus

MACHINE, INTERRUPTED = 3, 130


class _OrWatch(TyperGroup):
    """`foretick live VENUE …` is `foretick live watch VENUE …`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Insert the default command if none is named."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["watch", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_OrWatch,
    no_args_is_help=True,
    help="Stream a venue's trades: `foretick live VENUE SYMBOL…`; add, remove and list symbols meanwhile.",
)

Venue = Annotated[str, typer.Argument(help="A venue that ccxt streams: binance, coinbase, kraken, bitfinex, …")]
Symbols = Annotated[list[str], typer.Argument(help="Symbols, as BTC/USDT or BTCUSDT.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
WATCHED = (
    *(Column("venue"), Column("symbol"), Column("trades", right=True), Column("repaired", 2, right=True)),
    *(Column("gaps", 1, right=True), Column("reconnects", 3, right=True), Column("last (UTC)", 1)),
    *(Column("ms old", 2, right=True), Column("duplicates", 4, right=True), Column("problem", words=True)),
)


@app.command()
def watch(
    venue: Venue,
    symbols: Annotated[
        list[str] | None, typer.Argument(help="Symbols, as BTC/USDT or BTCUSDT; none: those of the last run.")
    ] = None,
    record: Annotated[
        Path | None, typer.Option(help="Save every message to this file, for `foretick live replay`.")
    ] = None,
    every: Annotated[float, typer.Option(min=0.1, help="Seconds between two lines of status.")] = 10.0,
    as_json: AsJson = False,
) -> None:
    """Send a venue's trades to `ticks` until Ctrl-C: each once; missing ones are requested, or declared as a gap."""
    _need_ccxt()
    from sources.live.service import Service

    settings = Settings()
    _log(settings)
    service = Service(venue, settings, record, _print_json if as_json else _print_line, every)
    _run(_probed(service, settings, symbols or []))


@app.command()
def add(venue: Venue, symbols: Symbols, wide: Wide = False, as_json: AsJson = False) -> None:
    """Add symbols to the running process."""
    _tell(venue, "add", symbols, wide, as_json)


@app.command("rm")
def remove(venue: Venue, symbols: Symbols, wide: Wide = False, as_json: AsJson = False) -> None:
    """Remove symbols from the running process."""
    _tell(venue, "rm", symbols, wide, as_json)


@app.command("list")
def list_all(wide: Wide = False, as_json: AsJson = False) -> None:
    """List the symbols of the running processes, and their status."""
    from sources.live.control import running

    _show(list(running(Settings().home)), wide, as_json)


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(help="A recording that `--record` made; gzipped or not.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the records, a line of JSON each; send nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Send a recording's trades to the topics through the same parser, without those that are there already."""
    _need_ccxt()
    from sources.live.replay import replay as send
    from sources.live.replay import show

    settings = Settings()
    _log(settings)
    counts = _run(show(file, _write) if dry_run else send(file, settings))
    if dry_run:
        return
    if as_json:
        _write(msgspec.json.encode(counts))
    else:
        messages = msgspec.structs.asdict(counts).items()
        echo(", ".join(f"{name} {value:,}" if isinstance(value, int) else value for name, value in messages))


def _need_ccxt() -> None:
    """Raise UserError where ccxt is not installed, which is not needed for anything else."""
    if find_spec("ccxt") is None:
        raise UserError(f"live venues need ccxt, which is not installed: {how_to_add('live')}")


def _tell(venue: str, do: Any, symbols: list[str], wide: bool, as_json: bool) -> None:
    from sources.errors import SourceError
    from sources.live.control import ControlRequest, send_request

    try:
        _show([send_request(Settings().home, venue, ControlRequest(do, symbols))], wide, as_json)
    except SourceError as error:
        raise UserError(str(error)) from error


async def _probed(service: "Service", settings: Settings, symbols: list[str]) -> None:
    """Stream, and serve metrics and condition if the settings name a port."""
    from prometheus_client import REGISTRY

    from observability.probe import Probe
    from observability.work_status import LoopTurns, WorkStatus
    from sources.live.metrics import VenueCollector

    REGISTRY.register(VenueCollector(service.status))
    standing = WorkStatus(settings)
    standing.follow(LoopTurns(asyncio.get_running_loop()))
    standing.problem = service.ready
    probe = Probe("live", standing.condition)
    try:
        probe.start(settings)
    except OSError as error:
        where = f"{settings.metrics_address}:{settings.metrics_port}"
        raise UserError(f"FORETICK_METRICS_PORT: {where} cannot be bound: {error.strerror}") from error
    await service.run(symbols)


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run until done, Ctrl-C or SIGTERM."""
    from sources.errors import SourceError, VenueAwayError

    async def until_stopped() -> Any:
        task = asyncio.ensure_future(work)
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        return await task

    try:
        return asyncio.run(until_stopped())
    except VenueAwayError as error:
        echo(f"foretick: {error}", err=True)
        raise typer.Exit(MACHINE) from None
    except SourceError as error:
        raise UserError(str(error)) from error
    except asyncio.CancelledError:
        raise typer.Exit(INTERRUPTED) from None


def _log(settings: Settings) -> None:
    """Log to standard error, without stamina's messages: retries are logged where they are made."""
    import stamina.instrumentation

    from observability import logs

    stamina.instrumentation.set_on_retry_hooks([])
    logs.configure("live", settings, logging.WARNING)
    logging.getLogger("foretick").setLevel(logging.INFO)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


def _write(line: bytes) -> None:
    echo_json(line)


def _print_json(status: "Status") -> None:
    _write(msgspec.json.encode(status))


def _print_line(status: "Status") -> None:
    parts = [
        f"{each.symbol} {each.trades:,} trades, {each.repaired:,} repaired, {each.gaps} gaps, "
        + (f"{each.age_ms:,.0f} ms old" if each.age_ms is not None else "none yet")
        + (f" ({each.problem})" if each.problem else "")
        for each in status.symbols
    ]
    echo(f"{status.venue}: {'; '.join(parts) or 'no symbols'}")


def _show(statuses: "list[Status]", wide: bool, as_json: bool) -> None:
    if as_json:
        _write(msgspec.json.encode(statuses))
        return
    if not statuses:
        echo("no venue is being streamed: foretick live VENUE SYMBOL…")
        return
    show_table(WATCHED, (_cells(status, each) for status in statuses for each in status.symbols), wide)
    for status in statuses:
        if status.problem:
            paragraph(Terminal(), f"{status.venue}: {status.problem}")


def _cells(status: "Status", each: "SymbolStatus") -> tuple[str, ...]:
    counts = (f"{count:,}" for count in (each.trades, each.repaired, each.gaps, each.reconnects))
    age = "-" if each.age_ms is None else f"{each.age_ms:,.0f}"
    return status.venue, each.market, *counts, iso(each.last_time), age, f"{each.duplicates:,}", each.problem
