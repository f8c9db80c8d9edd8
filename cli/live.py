"""`foretick live`: a venue's trades as they happen, onto `ticks`; and how to talk to the process that watches."""

import asyncio
import logging
import signal
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from rich.table import Table
from typer.core import TyperGroup

from cli.errors import UserError
from cli.text import Terminal, echo, echo_json
from cli.times import iso
from settings import Settings

if TYPE_CHECKING:
    from sources.live.service import Service
    from sources.live.status import Status

INTERRUPTED = 130


class _OrWatch(TyperGroup):
    """`foretick live VENUE …` is `foretick live watch VENUE …`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command in where none is named."""
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


@app.command()
def watch(
    venue: Venue,
    symbols: Annotated[
        list[str] | None, typer.Argument(help="Symbols, as BTC/USDT or BTCUSDT; none: those watched last.")
    ] = None,
    record: Annotated[
        Path | None, typer.Option(help="Keep every message in this file, for `foretick live replay`.")
    ] = None,
    every: Annotated[float, typer.Option(min=0.1, help="Seconds between two lines of status.")] = 10.0,
    as_json: AsJson = False,
) -> None:
    """Send a venue's trades to `ticks` until Ctrl-C: each once; what a hole lacks is asked for, or told to be a gap."""
    from sources.live.service import Service  # noqa: PLC0415 - ccxt takes seconds, which no other command is to pay

    settings = Settings()
    _log(settings)
    service = Service(venue, settings, record, _print_json if as_json else _print_line, every)
    _run(_probed(service, settings, symbols or []))


@app.command()
def add(venue: Venue, symbols: Symbols, as_json: AsJson = False) -> None:
    """Watch more symbols in the process that runs."""
    _tell(venue, "add", symbols, as_json)


@app.command("rm")
def remove(venue: Venue, symbols: Symbols, as_json: AsJson = False) -> None:
    """Watch symbols no more."""
    _tell(venue, "rm", symbols, as_json)


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """List what the running processes watch, and how it goes."""
    from sources.live.control import running  # noqa: PLC0415 - for these commands alone

    _show(list(running(Settings().home)), as_json)


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(help="A recording that `--record` made; gzipped or not.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the records, a line of JSON each; send nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Send a recording's trades to the topics through the same parser: those that are not there already."""
    from sources.live.replay import replay as send  # noqa: PLC0415 - ccxt, as above
    from sources.live.replay import show  # noqa: PLC0415

    settings = Settings()
    _log(settings)
    counts = _run(show(file, _write) if dry_run else send(file, settings))
    if dry_run:
        return
    if as_json:
        _write(msgspec.json.encode(counts))
    else:
        told = msgspec.structs.asdict(counts).items()
        echo(", ".join(f"{name} {value:,}" if isinstance(value, int) else value for name, value in told))


def _tell(venue: str, do: Any, symbols: list[str], as_json: bool) -> None:
    from sources.errors import SourceError  # noqa: PLC0415 - for these commands alone
    from sources.live.control import Wish, tell  # noqa: PLC0415

    try:
        _show([tell(Settings().home, venue, Wish(do, symbols))], as_json)
    except SourceError as error:
        raise UserError(str(error)) from error


async def _probed(service: "Service", settings: Settings, symbols: list[str]) -> None:
    """Watch, and show metrics and how it goes where the settings name a port."""
    from prometheus_client import REGISTRY  # noqa: PLC0415 - for this command alone

    from sources.live.metrics import Measures  # noqa: PLC0415
    from stream.probe import Probe  # noqa: PLC0415
    from stream.standing import LoopTurns, Standing  # noqa: PLC0415

    REGISTRY.register(Measures(service.status))
    standing = Standing(settings)
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
    from sources.errors import SourceError  # noqa: PLC0415

    async def until_stopped() -> Any:
        task = asyncio.ensure_future(work)
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        return await task

    try:
        return asyncio.run(until_stopped())
    except SourceError as error:
        raise UserError(str(error)) from error
    except asyncio.CancelledError:
        raise typer.Exit(INTERRUPTED) from None


def _log(settings: Settings) -> None:
    """Let what happens be read on standard error; retries of stamina are told by those who retry."""
    import stamina.instrumentation  # noqa: PLC0415 - for these commands alone

    from stream import logs  # noqa: PLC0415

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


def _show(statuses: "list[Status]", as_json: bool) -> None:
    if as_json:
        _write(msgspec.json.encode(statuses))
        return
    if not statuses:
        echo("no venue is watched: foretick live VENUE SYMBOL…")
        return
    table = Table("venue", "symbol", "trades", "repaired", "gaps", "reconnects", "last (UTC)", box=None)
    console = Terminal()
    for status in statuses:
        for each in status.symbols:
            counts = (f"{count:,}" for count in (each.trades, each.repaired, each.gaps, each.reconnects))
            table.add_row(status.venue, each.market, *counts, iso(each.last_time))
    console.print(table)
    for status in statuses:
        if status.problem:
            console.print(f"{status.venue}: {status.problem}")
        for each in status.symbols:
            if each.problem:
                console.print(f"{status.venue} {each.market}: {each.problem}")
