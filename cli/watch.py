"""`foretick drift` and `foretick skill`: what the watch has found."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, TypeVar

import msgspec
import typer
from rich.table import Table

from cli.errors import UserError
from cli.show import paragraph, whole
from cli.text import Terminal, echo_json
from cli.times import minute
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

    settings = Settings()
    rows = _told(lambda: listing.alarms(settings.database_url.get_secret_value(), model, most))
    if as_json:
        _print(rows)
        return
    console = Terminal()
    for row in rows:
        at = "" if row.horizon is None else f" at {row.horizon} bars"
        since = "" if row.since is None else f", since {minute(row.since)}"
        paragraph(console, f"{minute(row.time)}  {row.model} {row.version}: {row.kind}{at}{since}", row.detail)
    if not rows:
        from learning import awaited  # noqa: PLC0415 - as above

        paragraph(console, awaited.of_drift(_told(lambda: awaited.progress(settings)), model))


def skill(
    model: Model = None,
    regimes: Annotated[bool, typer.Option("--regimes", help="Each market state besides all of them.")] = False,
    as_json: Json = False,
) -> None:
    """Show what each version is better by than the naive forecast, in percent, and what its 90 % interval held."""
    from learning import listing  # noqa: PLC0415 - as in `drift`

    settings = Settings()
    rows = _told(lambda: listing.skills(settings.database_url.get_secret_value(), model))
    rows = [row for row in rows if regimes or row.regime == "all"]
    if as_json:
        _print(rows)
        return
    console = Terminal()
    if not rows:
        from learning import awaited  # noqa: PLC0415 - as in `drift`

        found = _told(lambda: awaited.progress(settings))
        paragraph(console, awaited.of_skill(found) if found.looked is None else f"no skill of {model}")
        return
    horizons = sorted({row.horizon for row in rows})
    names = ("days", "regime") if regimes else ("role", "days")
    cells_of = [whole(f"{one} ahead", 9) for one in horizons]
    table = Table(whole("model", 5), whole("version"), *names, *cells_of, box=None, padding=(0, 1, 0, 0))
    lines: dict[tuple[str, ...], dict[int, str]] = {}
    for row in rows:
        where = (f"{row.days:g}", row.regime) if regimes else (row.role, f"{row.days:g}")
        lines.setdefault((row.model, row.version, *where), {})[row.horizon] = _cell(row)
    for line, cells in lines.items():
        table.add_row(*line, *(cells.get(horizon, "") for horizon in horizons))
    console.print(table)
    console.print(f"skill and coverage in %, until {minute(rows[0].time)} UTC", highlight=False)


def _cell(row: "Skill") -> str:
    known = "-" if row.skill is None else f"{100 * row.skill:+.2f}"
    return known if row.coverage is None else f"{known}, {100 * row.coverage:.0f}"


def _told(ask: Callable[[], T]) -> T:
    from storage.errors import StorageError  # noqa: PLC0415 - as in `drift`

    try:
        return ask()
    except StorageError as error:
        raise UserError(f"{error}; is it running? ./foretick up") from error


def _print(rows: Sequence[object]) -> None:
    echo_json(msgspec.json.encode(rows))
