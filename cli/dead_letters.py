"""`foretick dead-letters`: what could not be read or used, and what is to become of it."""

import re
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from cli.database import opened
from cli.errors import UserError
from cli.text import Terminal, echo, echo_json
from settings import Settings

if TYPE_CHECKING:
    from psycopg import Connection

    from storage.dead_letters import Letter, Place

app = typer.Typer(no_args_is_help=True, help="List what could not be read or used, show it, send it again, drop it.")

STATES = ("new", "retried", "dropped")
SHOWN_BYTES = 4_096
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Names = Annotated[
    list[str], typer.Argument(metavar="LETTER…", help="TOPIC/PARTITION/OFFSET, or with /ROW behind it that row's.")
]


@app.command("list")
def list_letters(
    topic: Annotated[str | None, typer.Option(help="One topic only.")] = None,
    reason: Annotated[str | None, typer.Option(help="Those with this text in their reason.")] = None,
    state: Annotated[str, typer.Option(help="new, retried, dropped or all.")] = "new",
    most: Annotated[int, typer.Option(min=1, help="The newest so many topics and reasons.")] = 50,
    as_json: Json = False,
) -> None:
    """List the letters by topic and reason: how many, when the last came, and its name."""
    from rich.table import Table  # noqa: PLC0415 - time that no other command is to pay

    from storage import dead_letters  # noqa: PLC0415 - likewise

    if state not in (*STATES, "all"):
        raise UserError(f"--state {state!r} is none of {', '.join(STATES)}, all")
    with opened("dead letters") as connection:
        found = dead_letters.groups(connection, topic, reason, None if state == "all" else state, most)  # type: ignore[arg-type]
    if as_json:
        _print(found)
        return
    if not found:
        echo("no dead letter")
        return
    table = Table("letters", "last", "newest", "reason", box=None)
    for group in found:
        mark = "" if group.state == "new" else f" ({group.state})"
        table.add_row(str(group.letters), f"{group.last:%m-%d %H:%M}", group.newest, group.reason + mark)
    Terminal().print(table)


@app.command()
def show(name: Annotated[str, typer.Argument(metavar="LETTER")], as_json: Json = False) -> None:
    """Show the letters of a Kafka record or of one row: where from, why, and the bytes, safe for a terminal."""
    place = _place(name)
    with opened("dead letters") as connection:
        found = _letters(connection, place)
    if as_json:
        _print(found)
        return
    for letter in found:
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
    """Send the bytes to their topic again, with the key and headers that Kafka has, or what the letter has of them."""
    import asyncio  # noqa: PLC0415 - clients that no other command is to pay for

    from aiokafka.errors import KafkaError  # noqa: PLC0415 - likewise

    from storage import dead_letters  # noqa: PLC0415 - likewise
    from stream.retry import RetryError  # noqa: PLC0415 - likewise
    from stream.retry import retry as send  # noqa: PLC0415 - likewise

    settings, sent = Settings(), []
    places = list(map(_place, names))
    with opened("dead letters") as connection:
        for place in places:
            found = _letters(connection, place)
            try:
                asyncio.run(send(settings.broker, found))
            except RetryError as error:
                raise UserError(str(error)) from None
            except (KafkaError, TimeoutError, OSError) as error:
                said = str(error) or type(error).__name__
                raise UserError(f"Kafka at {settings.kafka} did not take it ({said}); ./foretick status") from None
            dead_letters.decide(connection, found, "retried")
            sent += found
    _told(sent, "sent again", as_json)


@app.command()
def drop(names: Names, as_json: Json = False) -> None:
    """Mark letters as dropped: `list` shows them no more; they stay in the table."""
    from storage import dead_letters  # noqa: PLC0415 - likewise

    dropped = []
    places = list(map(_place, names))
    with opened("dead letters") as connection:
        for place in places:
            found = _letters(connection, place)
            dead_letters.decide(connection, found, "dropped")
            dropped += found
    _told(dropped, "dropped", as_json)


def _place(name: str) -> "Place":
    from storage.dead_letters import Place  # noqa: PLC0415 - likewise

    parts = re.fullmatch(r"(.+?)/([0-9]{1,9})/([0-9]{1,18})(?:/([0-9]{1,9}))?", name)
    if parts is None:
        raise UserError(f"{name!r} names no letter; they are TOPIC/PARTITION/OFFSET[/ROW], as in bars/0/17/3")
    topic, partition, offset, row = parts.groups()
    return Place(topic, int(partition), int(offset), None if row is None else int(row))


def _letters(connection: "Connection", place: "Place") -> list["Letter"]:
    from storage import dead_letters  # noqa: PLC0415 - likewise

    found = dead_letters.letters(connection, place)
    if not found:
        raise UserError(f"there is no dead letter {place}: foretick dead-letters list")
    return found


def _name(letter: "Letter") -> str:
    return f"{letter.topic}/{letter.partition}/{letter.offset}/{letter.row}"


def _text(value: bytes) -> str:
    """Return bytes as text; what is no UTF-8 in it is in hexadecimal."""
    return value.decode(errors="backslashreplace")


def _told(letters: list["Letter"], what: str, as_json: bool) -> None:
    if as_json:
        _print([_name(letter) for letter in letters])
    else:
        for letter in letters:
            echo(f"{_name(letter)} {what}")


def _print(document: Any) -> None:
    echo_json(msgspec.json.format(msgspec.json.encode(document)))
