"""`foretick topics skip`: makes the readers of a topic skip one Kafka record."""

import time
from typing import Annotated

import typer

from cli.errors import UserError
from cli.text import echo
from settings import Settings
from topics.catalog import (
    MODELS,
    READ_BY_WORKER,
    READ_FOR_ALERTS,
    READ_FOR_UNIVERSE,
    STORED,
    Topic,
    by_name,
)

READERS: dict[str, tuple[Topic, ...]] = {
    "worker": (*READ_BY_WORKER, *READ_FOR_UNIVERSE, MODELS),
    "persist": STORED,
    "alerts": READ_FOR_ALERTS,
}
MOST_OFFSET = 2**63 - 1


def skip(
    name: Annotated[str, typer.Argument(metavar="TOPIC")],
    partition: Annotated[int, typer.Argument(min=0)],
    offset: Annotated[int, typer.Argument(min=0, max=MOST_OFFSET)],
    group: Annotated[str | None, typer.Option(help="worker, persist or alerts; all that read the topic.")] = None,
    why: Annotated[str, typer.Option(help="The reason, for the dead letter.")] = "",
    undo: Annotated[
        bool, typer.Option("--undo", help="Undo a skip, for readers that have not reached it yet.")
    ] = False,
) -> None:
    """Skip a Kafka record: its readers make a dead letter of it, without a restart."""
    from broker import skipped_records

    try:
        topic = by_name(name)
    except ValueError as error:
        raise UserError(str(error)) from None
    if partition >= topic.partitions:
        raise UserError(f"{name} has the partitions 0 to {topic.partitions - 1}, not {partition}")
    if group is not None and group not in READERS:
        raise UserError(f"--group {group!r} is none of {', '.join(READERS)}")
    readers = [reader for reader, read in READERS.items() if topic in read]
    if group is not None and group not in readers:
        raise UserError(f"{group} does not read {name}; {', '.join(readers)} do")
    reason = f"skipped by the user: {why}" if why else "skipped by the user"
    now = int(time.time() * 1000)
    decided = [
        skipped_records.Skip(group=reader, topic=name, partition=partition, offset=offset, why=reason, time=now)  # type: ignore[arg-type] # the readers are of READERS
        for reader in readers
        if group in (None, reader)
    ]
    path = Settings().home / skipped_records.FILE
    try:
        skipped_records.change(path, remove=decided) if undo else skipped_records.change(path, add=decided)
    except ValueError as error:
        raise UserError(str(error)) from None
    who = ", ".join(skipped.group for skipped in decided)
    echo(f"{name}, partition {partition}, offset {offset}: {'read' if undo else 'skipped'} by {who}")
