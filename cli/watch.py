"""`foretick drift` and `foretick skill`: what the watch has found."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, TypeVar

import msgspec
import typer
from rich.table import Table

from cli.errors import UserError
from cli.show import whole
from cli.text import Terminal, echo_json
from cli.times import iso
from settings import Settings

if TYPE_CHECKING:
    from learning.listing import Skill

T = TypeVar("T")

Model = Annotated[str | None, typer.Option(help="One model only.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def drift(
    model: Model = None,
    most: Annotated[int, typer.Option(min=1, help="The newest so many.")] = 50,
    as_json: Json = False,
) -> None:
    """List the alarms: what changed about the market or about a model, since when, newest first."""
    from learning import listing  # noqa: PLC0415 - psycopg and msgspec's records: time that no other command is to pay

    url = Settings().database_url.get_secret_value()
    rows = _told(lambda: listing.alarms(url, model, most))
    if as_json:
        _print(rows)
        return
    console = Terminal()
    if not rows:
        console.print("no alarm")
        return
    table = Table("raised", "since", "model", whole("version"), "kind", "h", "what", box=None)
    for row in rows:
        horizon = "" if row.horizon is None else str(row.horizon)
        table.add_row(iso(row.time), iso(row.since), row.model, row.version, row.kind, horizon, row.detail)
    console.print(table)


def skill(
    model: Model = None,
    regimes: Annotated[bool, typer.Option("--regimes", help="Each market state besides all of them.")] = False,
    as_json: Json = False,
) -> None:
    """Show what each version is better by than the naive forecast, in percent, and what its 90 % interval held."""
    from learning import listing  # noqa: PLC0415 - as in `drift`

    url = Settings().database_url.get_secret_value()
    rows = _told(lambda: listing.skills(url, model))
    rows = [row for row in rows if regimes or row.regime == "all"]
    if as_json:
        _print(rows)
        return
    console = Terminal()
    if not rows:
        console.print("no skill yet: the watch tells of it once an hour of bars is over")
        return
    horizons = sorted({row.horizon for row in rows})
    table = Table(
        "model", whole("version"), "role", "days", "regime", *(f"{horizon} ahead" for horizon in horizons), box=None
    )
    lines: dict[tuple[str, ...], dict[int, str]] = {}
    for row in rows:
        lines.setdefault((row.model, row.version, row.role, f"{row.days:g}", row.regime), {})[row.horizon] = _cell(row)
    for line, cells in lines.items():
        table.add_row(*line, *(cells.get(horizon, "") for horizon in horizons))
    console.print(table)
    console.print(f"skill and coverage until {iso(rows[0].time)} UTC")


def _cell(row: "Skill") -> str:
    known = "-" if row.skill is None else f"{100 * row.skill:+.2f} %"
    return known if row.coverage is None else f"{known}, {100 * row.coverage:.0f} %"


def _told(ask: Callable[[], T]) -> T:
    from storage.errors import StorageError  # noqa: PLC0415 - as in `drift`

    try:
        return ask()
    except StorageError as error:
        raise UserError(f"{error}; is it running? ./foretick up") from error


def _print(rows: Sequence[object]) -> None:
    echo_json(msgspec.json.encode(rows))
