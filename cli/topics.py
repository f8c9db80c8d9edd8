"""`foretick topics`: lists the topics, shows their records and JSON Schemas, and manages users."""

import asyncio
import json
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import Struct

from cli.errors import UserError
from cli.tables import Column, Wide, show
from cli.text import echo, echo_json
from settings import Settings
from settings.broker import Address
from topics import codec
from topics.catalog import FEATURES, TOPICS, Topic, by_name
from topics.markets import canonical
from topics.retention import said

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer, TopicPartition

    from broker.availability import KafkaWatchdog

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
def list_topics(
    wide: Wide = False, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
) -> None:
    """List the topics: record, key, partitions, retention."""
    days = Settings().topic_days
    rows = [
        {
            "topic": topic.name,
            "record": topic.record.__name__,
            "key": topic.key,
            "partitions": topic.partitions,
            "retention_days": days.get(topic.name),
            "compacted": topic.compacted,
        }
        for topic in TOPICS
    ]
    if as_json:
        echo_json(json.dumps(rows, indent=2))
        return
    columns = (Column("topic"), Column("record", 2), Column("key", 1), Column("partitions", 3), Column("kept"))
    kept = ("newest per key" if topic.compacted else said(days[topic.name]) for topic in TOPICS)
    cells = [
        (topic.name, topic.record.__name__, topic.key, str(topic.partitions), long)
        for topic, long in zip(TOPICS, kept, strict=True)
    ]
    show(columns, cells, wide)


@app.command()
def schema(name: Name) -> None:
    """Print the JSON Schema (2020-12) of a topic's values: one record, or an array of them."""
    topic = _topic(name)
    document = codec.schema(topic.record)
    if topic is FEATURES:
        from features.definition import Definition

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
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Continue with new ones until Ctrl-C.")] = False,
    symbol: Annotated[str | None, typer.Option(help="Only this key.")] = None,
) -> None:
    """Print a topic's newest records, one JSON object a line."""
    watch(_topic(name), count, follow, symbol)


def watch(
    topic: Topic, count: int, follow: bool, symbol: str | None, words: Callable[[Struct], str] | None = None
) -> int:
    """Print a topic's newest records, as JSON or in words, and return how many there were.

    Raises UserError if Kafka does not answer or the topic does not exist.
    """
    from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError

    from broker.availability import KafkaWatchdog
    from broker.errors import KafkaAwayError

    settings = Settings()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # we report a lost broker ourselves
    watchdog = KafkaWatchdog(str(settings.broker), settings.kafka_timeout_s, lambda line: echo(line, err=True))

    def lines(value: bytes | None) -> list[bytes]:
        return _lines(topic, value, symbol, words)

    try:
        return asyncio.run(watchdog.watch(_tail(topic, settings.broker, count, follow, lines, watchdog)))
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
    watchdog: "KafkaWatchdog",
) -> int:
    from broker import clients

    consumer = clients.consumer(bootstrap, topic.name, enable_auto_commit=False)
    try:
        with watchdog.expecting():
            await consumer.start()
            partitions = list(consumer.assignment())
            begin, end = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
            for partition in partitions:
                consumer.seek(partition, max(begin[partition], end[partition] - count))
            lines: list[tuple[int, bytes]] = []
            while any([await consumer.position(p) < end[p] for p in partitions]):
                for messages in (await consumer.getmany(timeout_ms=500)).values():
                    watchdog.answered()
                    for message in messages:
                        lines += [(message.timestamp, line) for line in read(message.value)]
        for _, line in sorted(lines, key=lambda pair: pair[0])[-count:]:
            _print(line)
        while follow:
            fetched = await consumer.getmany(timeout_ms=QUIET_MS)
            if not fetched:
                await _there(consumer, partitions, watchdog)
            for messages in fetched.values():
                watchdog.answered()
                for message in messages:
                    for line in read(message.value):
                        _print(line)
        return min(len(lines), count)
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                await consumer.stop()


async def _there(consumer: "AIOKafkaConsumer", partitions: "list[TopicPartition]", watchdog: "KafkaWatchdog") -> None:
    """Fetch the end offsets of a topic without new records: a consumer that lost Kafka waits silently."""
    from aiokafka.errors import KafkaError

    with suppress(KafkaError), watchdog.expecting():
        await consumer.end_offsets(partitions)


def _lines(topic: Topic, value: bytes | None, symbol: str | None, words: Callable[[Struct], str] | None) -> list[bytes]:
    frame = codec.decode(value, topic.record)
    key = canonical(symbol) if symbol is not None and topic.key == "symbol" else symbol
    records = [r for r in frame.records if key is None or getattr(r, topic.key) == key]
    rejected = [part.value for part in frame.rejected if symbol is None]
    return [words(r).encode() if words else codec.encode_one(r) for r in records] + rejected


def _print(line: bytes) -> None:
    echo(line.decode(errors="replace"))


@app.command()
def credentials(
    name: Annotated[str | None, typer.Argument(help="The program's user; all are listed when left out.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Give it another password.")] = False,
    revoke: Annotated[bool, typer.Option("--revoke", help="Remove the user.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Make a user of our Kafka for a program, and print, once, its configuration: a file for `kcat -F` and librdkafka.

    It may read every topic and write those of data, like programs without a login while FORETICK_KAFKA_OPEN is true.
    """
    from stack import credentials as users

    if name is None and (replace or revoke):
        raise UserError("give the user's name: foretick topics credentials lists them")
    settings = Settings()
    try:
        if name is None:
            names = asyncio.run(users.listed(settings))
            document, lines = json.dumps(names), names or ["no program has a user yet"]
        elif revoke:
            asyncio.run(users.revoked(settings, name))
            lines = [f"{name} is removed; open connections last until they are closed"]
            document = json.dumps({"revoked": name})
        else:
            fields = asyncio.run(users.made(settings, name, replace=replace))
            document, lines = json.dumps(fields), [f"{key}={value}" for key, value in fields.items()]
    except users.CredentialsError as error:
        raise UserError(str(error)) from None
    if as_json:
        echo_json(document)
        return
    for line in lines:
        echo(line)
