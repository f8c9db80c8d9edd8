"""`foretick topics`: what the topics are, what flows through them, and their JSON Schema."""

import asyncio
import json
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import Struct
from rich.table import Table

from cli.errors import UserError
from cli.text import Terminal, echo, echo_json
from settings import Settings
from settings.broker import Address
from topics import codec
from topics.catalog import DAY_MS, FEATURES, FOREVER, TOPICS, Topic, by_name

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer, TopicPartition

    from sources.answering import Answering

MACHINE = 3
QUIET_MS, STOP_S = 2_000, 2.0

app = typer.Typer(no_args_is_help=True, help="List the topics, watch one, print the JSON Schema of its records.")

Name = Annotated[str, typer.Argument(help="The topic's name, as `foretick topics list` shows it.")]


def _topic(name: str) -> Topic:
    try:
        return by_name(name)
    except ValueError as error:
        raise UserError(str(error)) from None


@app.command("list")
def list_topics(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the topics: record, key, partitions, retention."""
    rows = [
        {
            "topic": topic.name,
            "record": topic.record.__name__,
            "key": topic.key,
            "partitions": topic.partitions,
            "retention_days": None if topic.retention_ms == FOREVER else topic.retention_ms // DAY_MS,
            "compacted": topic.compacted,
        }
        for topic in TOPICS
    ]
    if as_json:
        echo_json(json.dumps(rows, indent=2))
        return
    table = Table("topic", "record", "key", "partitions", "kept")
    for row in rows:
        kept = "newest per key" if row["compacted"] else f"{row['retention_days']} days"
        table.add_row(str(row["topic"]), str(row["record"]), str(row["key"]), str(row["partitions"]), kept)
    Terminal().print(table)


@app.command()
def schema(name: Name) -> None:
    """Print the JSON Schema (2020-12) of a topic's values: one record, or an array of them."""
    topic = _topic(name)
    document = codec.schema(topic.record)
    if topic is FEATURES:
        from features.definition import Definition  # noqa: PLC0415 - seconds to import, for this command alone

        try:
            served = Definition.load(Settings().home / "models")
        except ValueError as error:
            raise UserError(str(error)) from error
        values = document["$defs"]["Features"]["properties"]["values"]
        values["description"] = f"in the order of definition {served.fingerprint}: {', '.join(served.names)}"
    echo_json(json.dumps(document, indent=2))


@app.command()
def tail(
    name: Name,
    count: Annotated[int, typer.Option("-n", min=1, help="How many records to show.")] = 10,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on with new ones until Ctrl-C.")] = False,
    symbol: Annotated[str | None, typer.Option(help="Only this key.")] = None,
) -> None:
    """Print a topic's newest records, one JSON object a line."""
    watch(_topic(name), count, follow, symbol)


def watch(
    topic: Topic, count: int, follow: bool, symbol: str | None, words: Callable[[Struct], str] | None = None
) -> int:
    """Print a topic's newest records, as JSON or in words, and return how many there were.

    Raises UserError where Kafka or the topic is not there.
    """
    from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError  # noqa: PLC0415 - for this command alone

    from sources.answering import Answering  # noqa: PLC0415 - likewise
    from sources.errors import KafkaAwayError  # noqa: PLC0415

    settings = Settings()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what it logs of a lost broker, lines of ours say
    answering = Answering(str(settings.broker), settings.kafka_patience_s, lambda line: echo(line, err=True))

    def lines(value: bytes | None) -> list[bytes]:
        return _lines(topic, value, symbol, words)

    try:
        return asyncio.run(answering.watch(_tail(topic, settings.broker, count, follow, lines, answering)))
    except KafkaAwayError as error:
        echo(f"foretick: {error}", err=True)
        raise typer.Exit(MACHINE) from None
    except UnknownTopicOrPartitionError:
        raise UserError(
            f"topic {topic.name} does not exist on Kafka at {settings.broker}; ./foretick up creates it"
        ) from None
    except KafkaError as error:
        raise UserError(
            f"Kafka at {settings.broker} does not answer ({error}); is it running? ./foretick status"
        ) from None


async def _tail(
    topic: Topic,
    bootstrap: Address,
    count: int,
    follow: bool,
    read: Callable[[bytes | None], list[bytes]],
    answering: "Answering",
) -> int:
    from sources import broker  # noqa: PLC0415 - likewise

    consumer = broker.consumer(bootstrap, topic.name, enable_auto_commit=False)
    try:
        with answering.owes():
            await consumer.start()
            partitions = list(consumer.assignment())
            begin, end = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
            for partition in partitions:
                consumer.seek(partition, max(begin[partition], end[partition] - count))
            lines: list[tuple[int, bytes]] = []
            while any([await consumer.position(p) < end[p] for p in partitions]):
                for messages in (await consumer.getmany(timeout_ms=500)).values():
                    answering.heard()
                    for message in messages:
                        lines += [(message.timestamp, line) for line in read(message.value)]
        for _, line in sorted(lines, key=lambda pair: pair[0])[-count:]:
            _print(line)
        while follow:
            fetched = await consumer.getmany(timeout_ms=QUIET_MS)
            if not fetched:
                await _there(consumer, partitions, answering)
            for messages in fetched.values():
                answering.heard()
                for message in messages:
                    for line in read(message.value):
                        _print(line)
        return min(len(lines), count)
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                await consumer.stop()


async def _there(consumer: "AIOKafkaConsumer", partitions: "list[TopicPartition]", answering: "Answering") -> None:
    """Ask a silent topic for its ends: a consumer that lost Kafka waits without a word."""
    from aiokafka.errors import KafkaError  # noqa: PLC0415 - as above

    with suppress(KafkaError), answering.owes():
        await consumer.end_offsets(partitions)


def _lines(topic: Topic, value: bytes | None, symbol: str | None, words: Callable[[Struct], str] | None) -> list[bytes]:
    frame = codec.decode(value, topic.record)
    records = [r for r in frame.records if symbol is None or getattr(r, topic.key) == symbol]
    rejected = [part.value for part in frame.rejected if symbol is None]
    return [words(r).encode() if words else codec.encode_one(r) for r in records] + rejected


def _print(line: bytes) -> None:
    echo(line.decode(errors="replace"))


@app.command()
def credentials(
    name: Annotated[str | None, typer.Argument(help="The program's user; all are listed when left out.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Give it another password.")] = False,
    revoke: Annotated[bool, typer.Option("--revoke", help="Take it back.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Make a user of our Kafka for a program, and print, once, what it needs: a file for `kcat -F` and librdkafka.

    It reads every topic and writes those of data, as programs without a login do while FORETICK_KAFKA_OPEN is true.
    """
    from stack import credentials as users  # noqa: PLC0415 - aiokafka, for this command alone

    if name is None and (replace or revoke):
        raise UserError("which user? foretick topics credentials lists them")
    settings = Settings()
    try:
        if name is None:
            names = asyncio.run(users.listed(settings))
            document, lines = json.dumps(names), names or ["no program has a user yet"]
        elif revoke:
            asyncio.run(users.revoked(settings, name))
            lines = [f"{name} is taken back; connections that are open last until they are closed"]
            document = json.dumps({"revoked": name})
        else:
            told = asyncio.run(users.made(settings, name, replace=replace))
            document, lines = json.dumps(told), [f"{key}={value}" for key, value in told.items()]
    except users.CredentialsError as error:
        raise UserError(str(error)) from None
    if as_json:
        echo_json(document)
        return
    for line in lines:
        echo(line)
