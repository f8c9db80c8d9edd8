"""Makes the Faust applications and runs them. The reason for each setting is in docs/why.md."""

import gc
import logging
import os
from collections.abc import Awaitable, Sequence
from typing import Any

import faust
import uvloop
from faust.auth import SASLCredentials, SSLCredentials
from prometheus_client import REGISTRY

from broker import unreadable_batches
from broker.data_loss import Losses
from observability import logs
from observability.consumer_lag import ReaderMonitor
from observability.probe import Probe
from observability.work_status import LoopTurns, WorkStatus
from settings import Settings
from settings.broker import Broker
from stream.app_metrics import ConsumerLagCollector, reads
from stream.eager_stream import EagerStream
from stream.ordered_consumer import InOrderConsumer
from stream.poison_records import DefectError
from stream.recovery import App, SeekFirstTableManager
from stream.state_tables import Table
from topics.catalog import MAX_MESSAGE_BYTES, TICKS, Topic

log = logging.getLogger("foretick")


def make_app(name: str, settings: Settings, in_order: frozenset[str] = frozenset()) -> App:
    """Return a Faust app whose id, and so its consumer group, is `name`; `in_order`: for `stream.ordered_consumer`."""
    unreadable_batches.install()
    app = App(
        name,
        env={},  # else variables such as PROCESSING_GUARANTEE and BROKER_URL would override these settings
        broker=[f"kafka://{address}" for address in settings.kafka.split(",")],
        broker_credentials=credentials(settings.broker),
        store="memory://",
        TableManager=SeekFirstTableManager,
        Table=Table,
        Stream=EagerStream,
        topic_partitions=TICKS.partitions,
        topic_allow_declare=False,  # `broker.admin` has made them; a worker need not have the right to make any
        topic_disable_leader=True,  # else Faust makes a topic for what only one worker is to do, which we have not
        key_serializer="raw",
        value_serializer="raw",
        datadir=str(settings.home / "faust"),
        web_enabled=False,
        processing_guarantee="at_least_once",
        table_standby_replicas=settings.standby_replicas,
        consumer_group_instance_id=f"{name}-{settings.worker_name}" if settings.worker_name else None,
        broker_commit_interval=0.5,
        broker_session_timeout=10.0,
        broker_heartbeat_interval=1.0,
        broker_max_poll_records=500,
        # A sink may be away for days, and a process that waits for it keeps its partitions. A hung process is reported
        # by /health.
        broker_max_poll_interval=30 * 86_400.0,
        consumer_max_fetch_size=MAX_MESSAGE_BYTES,
        consumer_auto_offset_reset="earliest",
        producer_compression_type="zstd",
        producer_max_request_size=MAX_MESSAGE_BYTES,
        producer_linger=0.005,
        # A frame holds hundreds of rows: a queue of Faust's default 4,096 frames would be gigabytes.
        stream_buffer_maxsize=32,
        stream_wait_empty=False,
        stream_recovery_delay=0.0,
        worker_redirect_stdouts=False,
    )
    app.address = settings.broker
    app.standing = WorkStatus(settings)
    if in_order:
        app.consumer_class, app.in_order = InOrderConsumer, in_order
    return app


def credentials(broker: Broker) -> SASLCredentials | SSLCredentials | None:
    """Return the settings of Faust's own Kafka clients."""
    if broker.user:
        return SASLCredentials(
            username=broker.user,
            password=broker.password.get_secret_value(),
            mechanism=broker.mechanism,
            ssl_context=broker.context,
        )
    return SSLCredentials(broker.context) if broker.context else None


def add_losses(app: App, topics: Sequence[Topic]) -> None:
    """Make the app report records of these topics that Kafka deleted before they were read."""
    app.losses = result = Losses(app.conf.id, app.kafka_writer(), [topic.name for topic in topics])

    @app.task  # type: ignore[untyped-decorator, unused-ignore] # Faust's decorators have no types
    async def losses() -> None:
        await or_end("losses", result.run())


def topic_of(app: faust.App, topic: Topic) -> Any:
    """Return a topic of the catalog for Faust: raw bytes, already created, never declared by Faust."""
    return app.topic(topic.name, key_serializer="raw", value_serializer="raw", internal=False, allow_empty=True)


async def or_end(agent: str, work: Awaitable[None]) -> None:
    """Run an agent; end the process if it fails.

    Faust would continue, and acknowledge the rest of the batch unprocessed. The supervisor restarts the process, which
    continues from the last committed offset.
    """
    try:
        await work
    except DefectError as error:
        log.critical("%s", error)
        logging.shutdown()
        os._exit(70)
    except Exception:
        log.critical(
            "agent %s failed: the process ends; after a restart it continues from its last commit", agent, exc_info=True
        )
        logging.shutdown()
        os._exit(70)


def run(app: App) -> None:
    """Run the app until SIGTERM or SIGINT."""
    # A frame is thousands of small objects that live for one batch and hold no cycles: with Python's defaults the
    # collector traverses all of them repeatedly, which took as long as the work itself (bench/replay.py).
    gc.set_threshold(100_000, 20, 50)
    component, settings = app.conf.id.removeprefix("foretick-"), Settings()
    logs.configure(component, settings)
    logging.getLogger("aiokafka").setLevel(logging.WARNING)
    loop = uvloop.new_event_loop()
    REGISTRY.register(ConsumerLagCollector(app))
    work_status = app.standing
    work_status.problem = app.problem
    work_status.follow(LoopTurns(loop))
    ReaderMonitor(settings.broker, app.conf.id, lambda: reads(app), work_status, app.in_order).start()
    Probe(component, work_status.condition).start(settings)
    worker = faust.Worker(
        app, loop=loop, loglevel="INFO", override_logging=False, console_port=0, debug=False, quiet=True
    )
    worker.spinner = None  # the log is not a terminal, and its lines may be JSON
    worker.execute_from_commandline()
