"""`foretick models`: the versions in service and the decisions; promote, roll back, retire."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import msgspec
import typer

from cli.errors import UserError
from cli.tables import Column, Wide, paragraph
from cli.tables import show as show_table
from cli.text import Terminal, echo, echo_json
from cli.times import iso, minute
from settings import Settings

if TYPE_CHECKING:
    from learning.deployment.model_status import ModelStatus
    from models.serving.deployment import Action
    from topics.records import Deployment

T = TypeVar("T")

UNDECIDED = "no decision yet: foretick up trains the first models, and puts them into service"
FAILED = 1
app = typer.Typer(no_args_is_help=True, help="Show which versions of the models serve; promote, roll back, retire.")

ANSWER_S, FIRST_BARS_S = 30.0, 1.0
"""How long to wait for a worker, and then for the first bars served by a version."""

Name = Annotated[str, typer.Argument(help="The model's name, as `foretick models list` shows it.")]
Why = Annotated[str, typer.Option(help="The reason, for the log.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
STANDING = (
    *(Column("model"), Column("role"), Column("version"), Column("trained until", 1), Column("age", 2)),
    *(Column("decided by", 3), Column("decided at", 4)),
)
HISTORY = (
    *(Column("time"), Column("model"), Column("no", right=True), Column("action"), Column("champion")),
    *(Column("challengers", words=True), Column("standby", 1), Column("", words=True)),
)


@app.command("list")
def list_models(wide: Wide = False, as_json: Json = False) -> None:
    """List the versions that predict: role, training, age in event time, and who decided."""
    from learning.deployment.model_status import model_statuses

    rows = _or_error(lambda: model_statuses(Settings()))
    if as_json:
        _print(rows)
        return
    if rows:
        show_table(STANDING, map(_stands, rows), wide)
    else:
        paragraph(Terminal(), UNDECIDED)


@app.command()
def show(
    name: Name,
    version: Annotated[str | None, typer.Argument(help="One version; all when left out.")] = None,
    as_json: Json = False,
) -> None:
    """Show the versions of a model: origin and present role of each."""
    from learning.deployment.model_status import of_model

    rows = _or_error(lambda: of_model(Settings(), name, version))
    if as_json:
        _print(rows)
        return
    console = Terminal()
    for row in rows:
        lines = []
        if row.number:
            lines.append(f"decision {row.number} by {row.decided_by}, {iso(row.decided_at)}: {row.why or '-'}")
        if row.provenance is None:
            lines.append("its origin was not recorded")
        else:
            for key, value in msgspec.to_builtins(row.provenance).items():
                lines.append(f"{key}: {f'{iso(value)} UTC' if key in ('first', 'last') else value}")
        paragraph(console, f"{row.model} {row.version}: {row.role or 'out of service'}", *lines)


@app.command()
def history(
    name: Annotated[str | None, typer.Argument(help="One model; all when left out.")] = None,
    wide: Wide = False,
    as_json: Json = False,
) -> None:
    """Print the log: every decision with its author and reason, and the unsigned ones that workers refused."""
    from learning.deployment.ledger import Ledger

    ledger = Ledger(Settings())
    rows, forged = _or_error(lambda: ledger.history(name)), _or_error(lambda: ledger.forged(name))
    for one in forged:
        echo(f"refused: a decision about {one.model}, {iso(one.time)}: {one.reason}", err=True)
    if name is not None and not rows and not forged:
        raise UserError(f"the log has no decision about a model {name!r}; foretick models list")
    if as_json:
        _print(list(map(msgspec.structs.asdict, rows)))
        return
    if rows:
        show_table(HISTORY, map(_decided, rows), wide)
    for line in _or_error(lambda: _ahead(rows)):
        paragraph(Terminal(), line)


@app.command()
def promote(
    name: Name,
    version: Annotated[str, typer.Argument(help="The version, as `foretick models show NAME` lists it.")],
    force: Annotated[bool, typer.Option("--force", help="Whether or not it has won its test.")] = False,
    why: Why = "",
    as_json: Json = False,
) -> None:
    """Make a version the champion, between two bars, and wait for a worker's confirmation. `rollback` reverts it."""
    if force and not why:
        raise UserError("--force needs --why, the reason for the log")
    if not force:
        _unproven(name, version)
    _decide(name, "promote", version, why, as_json)


@app.command()
def rollback(name: Name, why: Why = "", as_json: Json = False) -> None:
    """Roll the last promotion back: the previous champion serves again. Once more: the one before that."""
    _decide(name, "rollback", None, why, as_json)


@app.command()
def retire(name: Name, why: Why = "", as_json: Json = False) -> None:
    """Take a model out of service. `promote --force` brings a version back."""
    _decide(name, "retire", None, why, as_json)


def _stands(row: "ModelStatus") -> tuple[str, ...]:
    age = "-" if row.age_days is None else f"{row.age_days:.1f} days{', expired' if row.expired else ''}"
    by = f"{row.number} {row.decided_by}" if row.number else "not yet deployed"
    return row.model, row.role or "-", row.version, minute(row.trained_until), age, by, iso(row.decided_at)


def _decided(row: "Deployment") -> tuple[str, ...]:
    by = f"by {row.decided_by}: {row.why}" if row.why else f"by {row.decided_by}"
    versions = row.champion or "-", ", ".join(row.challengers), row.standby or "-"
    return minute(row.time), row.model, str(row.number), row.action, *versions, by


def _unproven(name: str, version: str) -> NoReturn:
    """Refuse: a challenger that wins its test is promoted by the model monitor."""
    from learning.deployment.model_status import of_model

    (row,) = _or_error(lambda: of_model(Settings(), name, version))
    if row.role == "champion":
        raise UserError(f"version {version} of model {name!r} is the champion already")
    if row.role != "challenger":
        raise UserError(
            f"version {version} of model {name!r} is no challenger; --force --why TEXT promotes it untested"
        )
    raise UserError(f"version {version} of model {name!r} has not won its test yet; --force --why TEXT promotes it now")


def _decide(name: str, action: "Action", version: str | None, why: str, as_json: bool) -> None:
    """Record a decision of the user's, wait for a worker's confirmation, and print it. Exit code 1: no worker serves
    it."""
    from learning.deployment.confirmation import answer, end
    from learning.deployment.ledger import Ledger

    settings = Settings()
    begin = _or_error(lambda: end(settings.broker))
    made = _or_error(lambda: Ledger(settings).decide(name, action, version, decided_by="user", why=why, force=True))
    retired = made.champion is None
    heard = None if retired else _or_error(lambda: answer(settings.broker, begin, made, ANSWER_S, FIRST_BARS_S))
    model_event = None if heard is None else heard.reply
    if as_json:
        _print({"deployment": made, "answer": model_event, "serving": [] if heard is None else heard.serving})
    elif model_event is None:
        silent = f"no worker answered within {ANSWER_S:.0f} s: it takes effect when one runs"
        echo(f"decision {made.number} of {name} is recorded; {'it is retired' if retired else silent}")
    elif model_event.event == "refused":
        echo(f"decision {made.number} of {name}: version {model_event.version} is refused: {model_event.reason}")
    else:
        took = (model_event.time - made.time) / 1000
        echo(f"decision {made.number} of {name}: version {made.champion} serves, {took:.1f} s after it was made")
        for first in heard.serving if heard is not None else ():
            echo(f"  {first.symbol} {first.interval}: from the bar of {iso(first.time)} UTC on")
        if heard is not None and not heard.serving:
            echo("  from the next bar of each symbol on")
    if not retired and (model_event is None or model_event.event == "refused"):
        raise typer.Exit(FAILED)


def _ahead(rows: "list[Deployment]") -> list[str]:
    """Return the lines about pending decisions."""
    from learning.monitoring import waiting_for

    settings = Settings()
    if not rows:
        return [UNDECIDED]
    newest = {row.model: row for row in rows}
    trials = [
        f"{row.model}: challenger {one} was tested on {waiting_for.tried(settings, row.model, one):,} bars so far; "
        f"the test decides from {settings.promote_bars:,} on"
        for row in newest.values()
        for one in row.challengers
    ]
    if trials:
        return trials
    return [
        f"no challenger; the next may come from {waiting_for.of_training(waiting_for.progress(settings), settings)}"
    ]


def _or_error(ask: Callable[[], T]) -> T:
    from learning.deployment.ledger import LedgerError
    from storage.errors import StorageError

    try:
        return ask()
    except (LedgerError, StorageError, ValueError) as error:
        raise UserError(str(error)) from error


def _print(document: Any) -> None:
    echo_json(msgspec.json.format(msgspec.json.encode(document), indent=2))
