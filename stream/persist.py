"""Persist: stored topics into TimescaleDB, the newest of each symbol into Redis. `python -m stream.persist` runs it.

An app of its own beside the worker: a slow database delays no forecast. Offsets are committed once rows are on disk.
"""

import time
from collections.abc import Sequence
from typing import Any

import faust
from faust.types import EventT
from msgspec import Struct

from features.definition import Definition
from settings import Settings
from storage.latest import Latest
from storage.timescale import Writer
from stream.app import make_app, or_end, run, topic_of
from stream.metrics import DEAD, RECORDS_IN, STORE
from stream.outbox import Outbox
from stream.shell import decode_event, slices
from topics.bounds import BOUNDS, Bounds
from topics.catalog import (
    BARS,
    DEAD_LETTERS,
    FEATURES,
    PERSIST_GROUP,
    PREDICTIONS,
    READ_BY_WORKER,
    REGIMES,
    STORED,
    TICKS,
    Topic,
)
from topics.records import DeadLetter

BATCH_EVENTS = 64
BATCH_SECONDS = 0.1
SLICE_BYTES = 2_097_152
"""Bytes of input in one transaction: each costs the same few round trips, however much it stores."""
SHOWN = (TICKS, BARS, REGIMES, PREDICTIONS)
"""The topics of which Redis keeps the newest."""


def read(
    topic: Topic, events: Sequence[EventT[Any]], bounds: Bounds = BOUNDS
) -> tuple[list[Struct], list[str], list[DeadLetter]]:
    """Return the records of events, where each tick came from (``partition-offset-row``), and what is no record."""
    records: list[Struct] = []
    origins: list[str] = []
    letters: list[DeadLetter] = []
    for event in events:
        rows, found, unread = decode_event(topic, event, bounds)
        records += found
        letters += unread
        if topic is TICKS:
            origins += [f"{event.message.partition}-{event.message.offset}-{row}" for row in rows]
    return records, origins, letters


async def define(writer: Writer, definition: Definition) -> None:
    """Store the names of the features, so that SQL can tell the values apart."""
    await writer.define_features(definition.fingerprint, definition.names)


async def persist(
    topic: Topic, stream: Any, writer: Writer, latest: Latest, outbox: Outbox, bounds: Bounds = BOUNDS
) -> None:
    """Write a topic's records until the stream ends."""
    async for events in stream.noack_take(BATCH_EVENTS, within=BATCH_SECONDS):
        for part in slices(events, SLICE_BYTES):
            records, origins, letters = read(topic, part, bounds)
            if topic is DEAD_LETTERS:
                records += letters
            elif topic not in READ_BY_WORKER:  # those the worker reports
                await outbox.send([(DEAD_LETTERS, topic.name, letters)])
            begun = time.perf_counter()
            await writer.write({topic: records}, origins)
            STORE.labels(topic.name).observe(time.perf_counter() - begun)
            RECORDS_IN.labels(topic.name).inc(len(records))
            DEAD.labels(topic.name).inc(len(letters))
            if topic in SHOWN:
                await latest.write({topic: records})
            for event in part:
                await stream.ack(event)


def make_persist(settings: Settings) -> faust.App:
    """Return the Faust app with one agent a topic, each with a database connection of its own."""
    app = make_app(PERSIST_GROUP, settings)
    latest = Latest(settings.redis_url.get_secret_value())
    outbox = Outbox(settings.kafka)
    definition = Definition.load(settings.home / "models")
    for topic in STORED:
        _add_agent(
            app, topic, Writer(settings.database_url.get_secret_value()), latest, outbox, definition, settings.bounds
        )

    @app.on_before_shutdown.connect  # type: ignore[untyped-decorator, unused-ignore]
    async def close(*_: object, **__: object) -> None:
        await outbox.stop()

    return app


def _add_agent(
    app: faust.App,
    topic: Topic,
    writer: Writer,
    latest: Latest,
    outbox: Outbox,
    definition: Definition,
    bounds: Bounds,
) -> None:
    @app.agent(topic_of(app, topic), name=topic.name)  # type: ignore[untyped-decorator, unused-ignore]
    async def agent(stream: Any) -> None:
        if topic is FEATURES:
            await or_end(topic.name, define(writer, definition))
        await or_end(topic.name, persist(topic, stream, writer, latest, outbox, bounds))


if __name__ == "__main__":
    run(make_persist(Settings()))
