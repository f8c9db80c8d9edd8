"""Persist: stored topics into TimescaleDB, the newest of each symbol into Redis. `python -m stream.persist` runs it.

A separate app beside the worker, so that a slow database delays no forecast. Offsets are committed once rows are on
disk. Neither sink stops the other (`stream.sinks`): values that Redis refuses are kept in memory, and for the database
it waits.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from aiokafka import TopicPartition
from msgspec import Struct
from prometheus_client import Gauge

from broker.confirmed_send import KafkaWriter
from broker.origin import Origin
from features.definition import Definition
from observability.metrics import DEAD, RECORDS_IN, STORE, exemplar
from observability.tracer import OFF, Tracer
from observability.tracing import tracer
from settings import Settings
from storage.latest import LatestCache
from storage.timescale import Writer
from stream.app import add_losses, make_app, or_end, run, topic_of
from stream.app_metrics import assigned
from stream.batch_insert import store
from stream.coalesced import Piece, acknowledge, taken
from stream.dead_letters import decode_event, decode_events, of_event
from stream.poison_records import Guard
from stream.recovery import App, Fetch
from stream.retention import keep_tables
from stream.shell import messages, slices
from stream.sinks import Sink, fill_cache, until_taken
from topics import codec
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
from topics.value_size import BOUNDS, Bounds

log = logging.getLogger("foretick")

BATCH_EVENTS = 64
FETCH = Fetch(least_bytes=65_536, wait_ms=100)
"""A fetch costs the broker and us a millisecond, and a transaction several, however few records come with it."""
SLICE_BYTES = 2_097_152
"""Bytes of input in one transaction: its cost in round trips does not depend on its size."""
SHOWN = (TICKS, BARS, REGIMES, PREDICTIONS)
"""The topics whose newest records are in Redis."""
RETRY_TIMEOUT_S = 1.0
"""How long a write is retried before the database is reported as away."""
AWAY = Gauge("foretick_sink_away", "1 while a sink accepts no records.", ["sink"])


def read(
    topic: Topic, events: Sequence[Piece], bounds: Bounds = BOUNDS
) -> tuple[list[Struct], list[str], list[DeadLetter]]:
    """Return the records of events, the origin of each tick (``partition-offset-row``), and the dead letters."""
    records: list[Struct] = []
    origins: list[str] = []
    dead_letters: list[DeadLetter] = []
    for event, (rows, results, unread) in decode_events(topic, events, bounds):
        records += results
        dead_letters += unread
        if topic is TICKS:
            origins += [f"{event.message.partition}-{event.message.offset}-{row}" for row in rows]
    return records, origins, dead_letters


async def define(writer: Writer, definition: Definition) -> None:
    """Store the names of the features, for access to the values in SQL."""
    await writer.define_features(definition.fingerprint, definition.names)


async def persist(
    topic: Topic,
    stream: Any,
    writer: Writer,
    database: Sink,
    latest: LatestCache,
    kafka_writer: KafkaWriter,
    guard: Guard,
    traces: Tracer = OFF,
) -> None:
    """Write a topic's records until the stream ends."""

    async def write(records: Sequence[Struct], origins: Sequence[str]) -> None:
        await until_taken(database, f"a write of {topic.name}", partial(writer.write, {topic: records}, origins))

    async for events in taken(stream, BATCH_EVENTS):
        for part in (piece for cut in slices(events, SLICE_BYTES) for piece in guard.pieces(cut)):
            kept, passed = guard.passed(topic.name, part)
            guard.begin(kept)
            records, origins, dead_letters = read(topic, kept, guard.bounds)
            guard.end(part)
            if topic is DEAD_LETTERS:
                records += dead_letters
            elif topic not in READ_BY_WORKER:  # the worker reports those
                passed += dead_letters
            if topic in SHOWN:
                await latest.write({topic: records})
            begun = time.perf_counter()
            with traces.span(f"store {topic.name}", topic.name, messages(kept)) as span:
                refused = await store(write, records, origins)
            if refused:
                passed += not_stored(topic, kept, refused, guard)
            await kafka_writer.send([(DEAD_LETTERS, topic.name, passed)])
            trace = exemplar(Origin(traceparent=span.traceparent))
            STORE.labels(topic.name).observe(time.perf_counter() - begun, trace)
            RECORDS_IN.labels(topic.name).inc(len(records) - len(refused))
            DEAD.labels(topic.name).inc(len(dead_letters) + len(refused))
            await acknowledge(stream, part)
            guard.check()


def not_stored(topic: Topic, events: Sequence[Piece], refused: Mapping[int, str], guard: Guard) -> list[DeadLetter]:
    """Return the dead letters of the records that the database refused, by their index."""
    decoded = ((event, decode_event(topic, event, guard.bounds)) for event in events)
    places = [(event, *results) for event, (rows, records, _) in decoded for results in zip(rows, records, strict=True)]
    dead_letters = []
    for place, reason in refused.items():
        if place < len(places):  # else it is a dead letter about an invalid dead letter, which is only logged
            event, row, record = places[place]
            dead_letters.append(of_event(topic.name, event, row, codec.encode_one(record), reason))
            guard.failed((topic.name, event.message.partition, event.message.offset), reason)
        else:
            log.error("a dead letter about %s was not stored: %s", topic.name, reason)
    return [] if topic is DEAD_LETTERS else dead_letters


def make_persist(settings: Settings) -> App:
    """Return the Faust app with one agent per topic, each with its own database connection."""
    app = make_app(PERSIST_GROUP, settings)
    app.fetch = FETCH
    add_losses(app, STORED)
    latest = LatestCache(settings.redis_url.get_secret_value())
    database = Sink("TimescaleDB")
    kafka_writer, traces = app.kafka_writer(), tracer("persist", settings)
    definition = Definition.load(settings.home / "models")
    for topic in STORED:
        writer = Writer(settings.database_url.get_secret_value(), RETRY_TIMEOUT_S)
        guard = Guard.of(settings, "persist", f"persist {topic.name}")
        _add_agent(app, topic, writer, database, latest, kafka_writer, definition, guard, traces)
    app.problem = lambda: database.problem or latest.problem
    AWAY.labels("database").set_function(lambda: database.problem is not None)
    AWAY.labels("cache").set_function(lambda: latest.problem is not None)

    @app.task  # type: ignore[untyped-decorator, unused-ignore] # Faust's decorators have no types
    async def cache() -> None:
        await or_end("cache", latest.run())

    @app.task  # type: ignore[untyped-decorator, unused-ignore] # Faust's decorators have no types
    async def past_the_database() -> None:
        past = fill_cache(settings.broker, latest, database, partial(shown, app), settings.bounds)
        await or_end("past the database", past)

    @app.task  # type: ignore[untyped-decorator, unused-ignore] # Faust's decorators have no types
    async def retention() -> None:
        await or_end("retention", keep_tables(settings))

    return app


def shown(app: Any) -> dict[TopicPartition, int]:
    """Return the partitions of topics cached in Redis that the app reads, with their committed offsets."""
    names = {topic.name for topic in SHOWN}
    committed = app.consumer._committed_offset if app._consumer is not None else {}
    return {TopicPartition(at.topic, at.partition): committed.get(at) or 0 for at in assigned(app) if at.topic in names}


def _add_agent(
    app: App,
    topic: Topic,
    writer: Writer,
    database: Sink,
    latest: LatestCache,
    kafka_writer: KafkaWriter,
    definition: Definition,
    guard: Guard,
    traces: Tracer,
) -> None:
    @app.agent(topic_of(app, topic), name=topic.name)  # type: ignore[untyped-decorator, unused-ignore] # Faust's decorators have no types
    async def agent(stream: Any) -> None:
        if topic is FEATURES:
            await or_end(topic.name, until_taken(database, "the features' names", partial(define, writer, definition)))
        await or_end(topic.name, persist(topic, stream, writer, database, latest, kafka_writer, guard, traces))


if __name__ == "__main__":
    run(make_persist(Settings()))
