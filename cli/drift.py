"""`foretick drift` and `foretick skill`: the results of the model monitor."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, TypeVar

import msgspec
import typer

from cli.errors import UserError
from cli.tables import Column, Wide, paragraph, show
from cli.text import Terminal, echo_json
from cli.times import minute
from settings import Settings

if TYPE_CHECKING:
    from learning.monitoring.listing import StoredSkill
    from topics.records import Drift

T = TypeVar("T")

Model = Annotated[str | None, typer.Option(help="One model only.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ALARMS = (
    *(Column("time"), Column("model"), Column("version"), Column("kind"), Column("horizon", 1, right=True)),
    *(Column("since", 2), Column("symbol", 3), Column("interval", 4), Column("detector", 5)),
    *(Column("statistic", 6, right=True), Column("limit", 6, right=True), Column("", words=True)),
)


def drift(
    model: Model = None,
    most: Annotated[int, typer.Option("--most", "-n", min=1, help="The number of alarms, newest first.")] = 50,
    wide: Wide = False,
    as_json: Json = False,
) -> None:
    """List drift alarms: what changed in the market or in a model, and since when; newest first."""
    from learning.monitoring import listing

    settings = Settings()
    rows = _or_error(lambda: listing.alarms(settings.database_url.get_secret_value(), model, most))
    if as_json:
        _print(list(map(msgspec.structs.asdict, rows)))
        return
    if rows:
        show(ALARMS, map(_alarm, rows), wide)
    else:
        from learning.monitoring import waiting_for

        paragraph(Terminal(), waiting_for.of_drift(_or_error(lambda: waiting_for.progress(settings)), model))


def skill(
    model: Model = None,
    regimes: Annotated[bool, typer.Option("--regimes", help="Each market regime, besides all together.")] = False,
    wide: Wide = False,
    as_json: Json = False,
) -> None:
    """Show each version's skill against the naive forecast, in percent, and the coverage of its 90 % interval."""
    from learning.monitoring import listing

    settings = Settings()
    rows = _or_error(lambda: listing.skills(settings.database_url.get_secret_value(), model))
    rows = [row for row in rows if regimes or row.regime == "all"]
    if as_json:
        _print(rows)
        return
    console = Terminal()
    if not rows:
        from learning.monitoring import waiting_for

        progress = _or_error(lambda: waiting_for.progress(settings))
        paragraph(console, waiting_for.of_skill(progress) if progress.looked is None else f"no skill of {model}")
        return
    horizons = sorted({row.horizon for row in rows})
    columns = [Column("model"), Column("version"), Column("role", 8), Column("days"), Column("interval", 10)]
    columns += [Column("regime")] if regimes else []
    columns += [Column(f"{one} ahead", rank) for rank, one in enumerate(horizons)]
    columns.append(Column("forecasts", 9, right=True))
    lines: dict[tuple[str, ...], dict[int, str]] = {}
    counts: dict[tuple[str, ...], int] = {}
    for row in rows:
        regime = (row.regime,) if regimes else ()
        line = (row.model, row.version, row.role, f"{row.days:g}", row.interval, *regime)
        lines.setdefault(line, {})[row.horizon] = _cell(row)
        counts[line] = min(counts.get(line, row.forecasts), row.forecasts)  # of the horizon with the fewest forecasts
    table = [
        (*line, *(cells.get(horizon, "") for horizon in horizons), f"{counts[line]:,}") for line, cells in lines.items()
    ]
    show(columns, table, wide)
    paragraph(console, f"skill and coverage in %, until {minute(rows[0].time)} UTC")


def _alarm(row: "Drift") -> tuple[str, ...]:
    of = "-" if row.horizon is None else str(row.horizon), minute(row.since), row.symbol or "-", row.interval or "-"
    figures = row.detector, f"{row.statistic:.4g}", f"{row.limit:.4g}"
    return minute(row.time), row.model, row.version, row.kind, *of, *figures, row.detail


def _cell(row: "StoredSkill") -> str:
    known = "-" if row.pinball_skill is None else f"{100 * row.pinball_skill:+.2f}"
    return known if row.coverage is None else f"{known}, {100 * row.coverage:.0f}"


def _or_error(ask: Callable[[], T]) -> T:
    from storage.errors import StorageError

    try:
        return ask()
    except StorageError as error:
        raise UserError(f"{error}; is it running? ./foretick up") from error


def _print(rows: Sequence[object]) -> None:
    echo_json(msgspec.json.encode(rows))
