"""`foretick dead-letters`: list, show, retry and drop records that could not be read or used."""

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from cli.database import opened
from cli.errors import UserError
from cli.tables import Column, Wide
from cli.tables import show as show_table
from cli.text import echo, echo_json
from settings import Settings

if TYPE_CHECKING:
    from psycopg import Connection

    from storage.dead_letters import LetterPlace, StoredDeadLetter

app = typer.Typer(no_args_is_help=True, help="List, show, retry and drop dead letters.")

RETRY = "foretick dead-letters retry"
STATES = ("new", "retried", "dropped")
SHOWN_BYTES = 4_096
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Names = Annotated[
    list[str],
    typer.Argument(metavar="LETTER…", help="TOPIC/PARTITION/OFFSET, or TOPIC/PARTITION/OFFSET/ROW for one row."),
]


@app.command("list")
def list_letters(
    topic: Annotated[str | None, typer.Option(help="One topic only.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only with this text in the reason.")] = None,
    state: Annotated[str, typer.Option(help="new, retried, dropped or all.")] = "new",
    most: Annotated[
        int, typer.Option("--most", "-n", min=1, help="The number of topics and reasons, newest first.")
    ] = 50,
    wide: Wide = False,
    as_json: Json = False,
) -> None:
    """List dead letters by topic and reason: their number, the time of the last, and its name."""
    from storage import dead_letters

    if state not in (*STATES, "all"):
        raise UserError(f"--state {state!r} is none of {', '.join(STATES)}, all")
    with opened("dead letters") as connection:
        groups = dead_letters.groups(connection, topic, reason, None if state == "all" else state, most)  # type: ignore[arg-type] # the state is checked above
    if as_json:
        _print(groups)
        return
    if not groups:
        echo("no dead letter")
        return
    cells = [
        (f"{group.letters:,}", f"{group.last:%Y-%m-%d %H:%M}", group.newest, group.state, group.reason)
        for group in groups
    ]
    columns = (
        *(Column("letters", right=True), Column("last", 2), Column("newest"), Column("state", 1)),
        Column("reason", words=True),
    )
    show_table(columns, cells, wide)


@app.command()
def show(name: Annotated[str, typer.Argument(metavar="LETTER")], as_json: Json = False) -> None:
    """Show the dead letters of a Kafka record or of one row: origin, reason and bytes, escaped for a terminal."""
    place = _place(name)
    with opened("dead letters") as connection:
        stored_dead_letters = _dead_letters(connection, place)
    if as_json:
        _print(stored_dead_letters)
        return
    for letter in stored_dead_letters:
        decided = "" if letter.decided_at is None else f" {letter.decided_at:%Y-%m-%d %H:%M:%S}"
        size = len(letter.value) if letter.size is None else letter.size
        shown = letter.value[:SHOWN_BYTES]
        cut = "" if len(shown) == size else f", the first {len(shown)}"
        lines = [
            f"letter    {_name(letter)}",
            f"time      {letter.time:%Y-%m-%d %H:%M:%S}",
            f"state     {letter.state}{decided}",
            f"reason    {letter.reason}",
            f"key       {'-' if letter.key is None else _text(letter.key)}",
            f"value     {size} bytes{cut}:",
            _text(shown),
        ]
        for line in lines:
            echo(line)


@app.command()
def retry(names: Names, as_json: Json = False) -> None:
    """Send the bytes to their topic again, with the key and headers from Kafka, or else from the dead letter."""
    from aiokafka.errors import KafkaError

    from stream.retry import RetryError, send_again

    settings, sent = Settings(), []
    places = list(map(_place, names))
    with opened("dead letters") as connection:
        for place in places:
            stored_dead_letters = _dead_letters(connection, place)
            try:
                send_again(settings.broker, connection, stored_dead_letters, who=RETRY, why="")
            except RetryError as error:
                raise UserError(str(error)) from None
            except (KafkaError, TimeoutError, OSError) as error:
                text = str(error) or type(error).__name__
                raise UserError(f"Kafka at {settings.kafka} did not accept it ({text}); ./foretick status") from None
            sent += stored_dead_letters
    _report(sent, "sent again", as_json)


@app.command()
def drop(names: Names, as_json: Json = False) -> None:
    """Mark dead letters as dropped: `list` no longer shows them; they stay in the table."""
    from storage import dead_letters

    dropped = []
    places = list(map(_place, names))
    with opened("dead letters") as connection:
        for place in places:
            stored_dead_letters = _dead_letters(connection, place)
            dead_letters.decide(connection, stored_dead_letters, "dropped")
            dropped += stored_dead_letters
    _report(dropped, "dropped", as_json)


def _place(name: str) -> "LetterPlace":
    from storage.dead_letters import place_of

    try:
        return place_of(name)
    except ValueError as error:
        raise UserError(str(error)) from None


def _dead_letters(connection: "Connection", place: "LetterPlace") -> list["StoredDeadLetter"]:
    from storage import dead_letters

    stored_dead_letters = dead_letters.letters(connection, place)
    if not stored_dead_letters:
        raise UserError(f"there is no dead letter {place}: foretick dead-letters list")
    return stored_dead_letters


def _name(letter: "StoredDeadLetter") -> str:
    return str(letter.place)


def _text(value: bytes) -> str:
    """Return bytes as text; invalid UTF-8 is in hexadecimal."""
    return value.decode(errors="backslashreplace")


def _report(stored_dead_letters: list["StoredDeadLetter"], what: str, as_json: bool) -> None:
    if as_json:
        _print([_name(letter) for letter in stored_dead_letters])
    else:
        for letter in stored_dead_letters:
            echo(f"{_name(letter)} {what}")


def _print(document: Any) -> None:
    echo_json(msgspec.json.format(msgspec.json.encode(document)))
