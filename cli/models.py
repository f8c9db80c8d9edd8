"""`foretick models`: which versions serve, by whose decision; promote one, take that back, retire a model."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import msgspec
import typer
from rich.table import Table

from cli.errors import UserError
from cli.show import paragraph, whole
from cli.text import Terminal, echo, echo_json
from cli.times import iso, minute
from settings import Settings

if TYPE_CHECKING:
    from models.deployment import Action
    from topics.records import Deployment

T = TypeVar("T")

UNDECIDED = "no decision yet: foretick up trains the first models, and puts them into service"
FAILED = 1
app = typer.Typer(no_args_is_help=True, help="Show which versions of the models serve; promote, roll back, retire.")

ANSWER_S, FIRST_BARS_S = 30.0, 1.0
"""How long to wait for a worker, and then for the first bars that a version serves."""

Name = Annotated[str, typer.Argument(help="The model's name, as `foretick models list` shows it.")]
Why = Annotated[str, typer.Option(help="The reason, for the log.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_models(as_json: Json = False) -> None:
    """List the versions that predict: role, training, age by the bars' time, and who decided."""
    from learning.standing import standing  # noqa: PLC0415 - psycopg, numba: seconds that no other command is to pay

    rows = _told(lambda: standing(Settings()))
    if as_json:
        _print(rows)
        return
    columns = (whole("model", 5), whole("role", 4), whole("version"), whole("trained until", 16), "age", "decided by")
    table = Table(*columns, box=None, padding=(0, 1, 0, 0))
    for row in rows:
        age = "-" if row.age_days is None else f"{row.age_days:.1f} days{', expired' if row.expired else ''}"
        by = f"{row.number} {row.decided_by}" if row.number else "not yet deployed"
        table.add_row(row.model, row.role, row.version, minute(row.trained_until), age, by)
    if rows:
        Terminal().print(table)
    else:
        paragraph(Terminal(), UNDECIDED)


@app.command()
def show(
    name: Name,
    version: Annotated[str | None, typer.Argument(help="One version; all when left out.")] = None,
    as_json: Json = False,
) -> None:
    """Show the versions of a model: where each comes from, and what it does now."""
    from learning.standing import of_model  # noqa: PLC0415 - as in `list`

    rows = _told(lambda: of_model(Settings(), name, version))
    if as_json:
        _print(rows)
        return
    console = Terminal()
    for row in rows:
        console.print(f"{row.model} {row.version}: {row.role or 'out of service'}", highlight=False)
        if row.number:
            said = f"  decision {row.number} by {row.decided_by}, {iso(row.decided_at)}: {row.why or '-'}"
            console.print(said, highlight=False)
        if row.provenance is None:
            console.print("  where it comes from was not written down", highlight=False)
            continue
        for key, value in msgspec.to_builtins(row.provenance).items():
            shown = f"{iso(value)} UTC" if key in ("first", "last") else value
            console.print(f"  {key}: {shown}", highlight=False, soft_wrap=True)


@app.command()
def history(
    name: Annotated[str | None, typer.Argument(help="One model; all when left out.")] = None, as_json: Json = False
) -> None:
    """Print the log: every decision, who made it, and why; beside it what others published and workers refused."""
    from learning.ledger import Ledger  # noqa: PLC0415 - as in `list`

    ledger = Ledger(Settings())
    rows, forged = _told(lambda: ledger.history(name)), _told(lambda: ledger.forged(name))
    for one in forged:
        echo(f"refused: a decision about {one.model}, {iso(one.time)}: {one.reason}", err=True)
    if name is not None and not rows and not forged:
        raise UserError(f"the log tells nothing of a model {name!r}; foretick models list")
    if as_json:
        _print(rows)
        return
    console = Terminal()
    for row in rows:
        versions = [f"champion {row.champion or '-'}", *(f"challenger {one}" for one in row.challengers)]
        versions += [f"shadow {row.shadow}"] if row.shadow else []
        head = f"{minute(row.time)}  {row.model} {row.number}  {row.action}: {', '.join(versions)}"
        paragraph(console, head, f"by {row.decided_by}: {row.why}" if row.why else f"by {row.decided_by}")
    for line in _told(lambda: _ahead(rows)):
        paragraph(console, line)


@app.command()
def promote(
    name: Name,
    version: Annotated[str, typer.Argument(help="The version, as `foretick models show NAME` lists it.")],
    force: Annotated[bool, typer.Option("--force", help="Whether or not it has won its test.")] = False,
    why: Why = "",
    as_json: Json = False,
) -> None:
    """Make a version the champion, between two bars, and wait until a worker says so. `rollback` takes it back."""
    if force and not why:
        raise UserError("--force needs --why: the log is to say what it was for")
    if not force:
        _unproven(name, version)
    _decide(name, "promote", version, why, as_json)


@app.command()
def rollback(name: Name, why: Why = "", as_json: Json = False) -> None:
    """Take the last promotion back: the champion before serves again. Once more: the one before that."""
    _decide(name, "rollback", None, why, as_json)


@app.command()
def retire(name: Name, why: Why = "", as_json: Json = False) -> None:
    """Take a model out of service. `promote --force` brings a version back."""
    _decide(name, "retire", None, why, as_json)


def _unproven(name: str, version: str) -> NoReturn:
    """Refuse: what wins its test is promoted by the watch."""
    from learning.standing import of_model  # noqa: PLC0415 - as in `list`

    (row,) = _told(lambda: of_model(Settings(), name, version))
    if row.role == "champion":
        raise UserError(f"version {version} of model {name!r} is the champion already")
    if row.role != "challenger":
        raise UserError(
            f"version {version} of model {name!r} is no challenger; --force --why TEXT promotes it untested"
        )
    raise UserError(f"version {version} of model {name!r} has not won its test yet; --force --why TEXT promotes it now")


def _decide(name: str, action: "Action", version: str | None, why: str, as_json: bool) -> None:
    """Write a decision of the user's down, wait for a worker's answer, and tell it. Exit code 1: it serves nowhere."""
    from learning.confirmation import answer, end  # noqa: PLC0415 - as in `list`
    from learning.ledger import Ledger  # noqa: PLC0415

    settings = Settings()
    begin = _told(lambda: end(settings.broker))
    made = _told(lambda: Ledger(settings).decide(name, action, version, decided_by="user", why=why, force=True))
    retired = made.champion is None
    heard = None if retired else _told(lambda: answer(settings.broker, begin, made, ANSWER_S, FIRST_BARS_S))
    said = None if heard is None else heard.said
    if as_json:
        _print({"deployment": made, "answer": said, "serving": [] if heard is None else heard.serving})
    elif said is None:
        silent = f"no worker answered within {ANSWER_S:.0f} s: it takes effect when one runs"
        echo(f"decision {made.number} of {name} is written down; {'it is retired' if retired else silent}")
    elif said.event == "refused":
        echo(f"decision {made.number} of {name}: version {said.version} is refused: {said.reason}")
    else:
        took = (said.time - made.time) / 1000
        echo(f"decision {made.number} of {name}: version {made.champion} serves, {took:.1f} s after it was made")
        for first in heard.serving if heard is not None else ():
            echo(f"  {first.symbol} {first.interval}: from the bar of {iso(first.time)} UTC on")
        if heard is not None and not heard.serving:
            echo("  from the next bar of each symbol on")
    if not retired and (said is None or said.event == "refused"):
        raise typer.Exit(FAILED)


def _ahead(rows: "list[Deployment]") -> list[str]:
    """Return what the next decisions wait for."""
    from learning import awaited  # noqa: PLC0415 - as in `list`

    settings = Settings()
    if not rows:
        return [UNDECIDED]
    newest = {row.model: row for row in rows}
    trials = [
        f"{row.model}: challenger {one} was judged on {awaited.tried(settings, row.model, one):,} bars so far; "
        f"the test decides from {settings.promote_bars:,} on"
        for row in newest.values()
        for one in row.challengers
    ]
    if trials:
        return trials
    return [f"no challenger; one may come of {awaited.of_training(awaited.progress(settings), settings)}"]


def _told(ask: Callable[[], T]) -> T:
    from learning.ledger import LedgerError  # noqa: PLC0415 - as in `list`
    from storage.errors import StorageError  # noqa: PLC0415

    try:
        return ask()
    except (LedgerError, StorageError, ValueError) as error:
        raise UserError(str(error)) from error


def _print(document: Any) -> None:
    echo_json(msgspec.json.format(msgspec.json.encode(document), indent=2))
