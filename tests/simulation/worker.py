"""A process of the simulation: a consumer in a group, its tables, and the real agents of the stream on top."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from faust.streams import _current_event
from faust.types import TP

from broker.confirmed_send import encoded
from broker.origin import UNKNOWN, Origin
from simulation.broker import Broker, Group, NotDeliveredError, Producer, Record
from simulation.consumer import Consumer, Event, Message, Thread
from simulation.loop import Process, owner
from simulation.tables import Changelogs, FlowControl, Recovery, Table, TableProducer, Tables, nothing
from stream.shell import Shell
from topics import codec
from topics.catalog import Topic

PARTITIONS = 2
BUFFER = 6
"""Messages that wait before an agent, at most."""


def partition_of(topic: Topic, key: str) -> int:
    """Return the partition of a key."""
    return sum(key.encode()) % min(topic.partitions, PARTITIONS)


class Heavy(bytes):
    """A value that counts as 300 kB, so that two of them fill a slice."""

    def __len__(self) -> int:
        return 300_000


class SimulatedWriter:
    """The worker's writer, on the simulated producer."""

    def __init__(self, producer: Producer, broker: Broker) -> None:
        self._producer, self._broker = producer, broker

    async def post(
        self,
        frames: Any,
        origin: Origin = UNKNOWN,  # noqa: ARG002 - the writer's interface
    ) -> list[asyncio.Future[Any]]:
        """Hand frames over in order."""
        return await self.post_values(
            (topic, key, value) for topic, key, records in frames for value in encoded(records)
        )

    async def post_values(
        self,
        values: Any,
        origin: Origin = UNKNOWN,  # noqa: ARG002 - the writer's interface
    ) -> list[asyncio.Future[Any]]:
        """Hand encoded frames over in order."""
        futures = []
        for topic, key, value in values:
            if self._broker.random.random() < 0.3:
                await asyncio.sleep(self._broker.delay())
            made = topic, codec.decode(value, topic.record).records
            record = Record(key=key.encode(), value=value, headers=codec.HEADERS, made=made)
            futures.append(self._producer.send(TP(topic.name, partition_of(topic, key)), record))
        return futures

    async def send(self, frames: Any) -> None:
        """Send frames and wait until they are delivered."""
        await asyncio.gather(*await self.post(frames))


@dataclass
class Stream:
    """What an agent reads: the queue before it, the buffer of `take_arrived`, and Faust's check of the generation."""

    app: Any
    queue: deque[Message] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self._news, self._room = asyncio.Event(), asyncio.Event()

    def clear(self) -> None:
        """Drop what waits in the queue; not what the agent's buffer holds."""
        self.queue.clear()
        self._room.set()

    async def put(self, message: Message) -> None:
        """Add a message, once there is room or the flow is suspended, and then it is dropped."""
        flow = self.app.flow_control
        while len(self.queue) >= BUFFER or not flow.is_active():
            if not self.app.consumer.flow_active:
                return
            self._room.clear()
            waits = (
                asyncio.ensure_future(self._room.wait()),
                asyncio.ensure_future(self.app.consumer.suspend_flow.wait()),
            )
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
        self.queue.append(message)
        self._news.set()

    async def take_arrived(self, most: int) -> AsyncIterator[list[Event]]:
        """Yield what has come; while it is worked on, one more may already be out of the queue."""
        loop = asyncio.get_running_loop()
        waiting: Event | None = None
        while True:
            taken = [] if waiting is None else [waiting]
            waiting = None
            until = loop.time() if taken else None
            while len(taken) < most:
                event = await self._next(until)
                if event is None:
                    break
                taken.append(event)
                until = until or loop.time()
            reader = asyncio.ensure_future(self._next(None))
            yield taken
            if reader.done():
                waiting = reader.result()
            else:
                reader.cancel()

    async def _next(self, until: float | None) -> Event | None:
        while True:
            while not self.queue:
                self._news.clear()
                try:
                    async with asyncio.timeout_at(until):
                        await self._news.wait()
                except TimeoutError:
                    return None
            message = self.queue.popleft()
            self._room.set()
            if self.app.flow_control.is_active() and message.generation_id == self.app.consumer_generation_id:
                event = Event(message)
                _current_event.set(None)
                return event

    async def ack(self, event: Event) -> bool:
        """Acknowledge an event."""
        return bool(self.app.consumer.ack(event.message))


CONF = SimpleNamespace(broker_request_timeout=40.0)
MONITOR = SimpleNamespace(on_tp_commit=lambda _: None)
CONDUCTOR = SimpleNamespace(acks_enabled_for=lambda _: True)


class App:
    """A Faust app in a process, as far as the stream's code and the recovery look at one."""

    def __init__(self, worker: "Worker") -> None:
        self.broker, self.flow_control = worker.broker, FlowControl()
        self.consumer_generation_id, self.in_recovery, self.rebalancing = 0, False, False
        self.on_rebalance_complete, self.assignor = nothing(), nothing()
        self.conf, self.in_order = CONF, frozenset[str]()
        self.monitor = MONITOR
        self.topics = CONDUCTOR
        self.tables = Tables()
        self.producer = worker.make_producer()
        self._fetcher = worker
        self.consumer = worker.consumer_class(self, Thread(broker=worker.broker, group=worker.group))

    def on_rebalance_end(self) -> None:
        """Note that the partitions are shared out."""
        self.rebalancing = False


@dataclass
class Agent:
    """One agent: the topic that it reads, its table's name if it has one, and its work on a stream."""

    topic: Topic
    name: str | None
    work: Callable[[Any, Stream, Table | None, SimulatedWriter], Coroutine[Any, Any, None]]


class Worker:
    """One start of a process with its agents. `failed` is told how it ended, if it was not killed."""

    consumer_class: type[Consumer] = Consumer
    recovery_class: type[Changelogs] = Recovery
    producer_class: type[TableProducer] = TableProducer
    table_class: type[Table] = Table
    outbox_class: type[SimulatedWriter] = SimulatedWriter
    shell: type[Shell[Any, Any]] = Shell
    refused = 0.0

    def __init__(
        self,
        name: str,
        broker: Broker,
        group: Group,
        agents: Sequence[Agent],
        failed: Callable[["Worker", BaseException], None],
    ) -> None:
        self.process, self.broker, self.group, self._agents, self._failed = Process(name), broker, group, agents, failed
        self.recovering = False
        self.met: Callable[[str], None] = lambda _: None
        self._draining: asyncio.Task[None] | None = None
        self._recovering: asyncio.Task[None] | None = None

    def make_producer(self) -> TableProducer:
        """Return the producer of the tables' changes."""
        return self.producer_class(Producer(self.broker, self.process, twice=0.05), self.broker)

    def start(self) -> None:
        """Begin, in the context of its process."""
        owner.set(self.process)
        self.app = App(self)
        self._rejoin = asyncio.Event()
        writer = self.outbox_class(Producer(self.broker, self.process, twice=0.01, refused=self.refused), self.broker)
        self._streams: dict[str, Stream] = {}
        self.readers: dict[str, Shell[Any, Any]] = {}
        for agent in self._agents:
            table = None
            if agent.name is not None:
                table = self.app.tables[agent.name] = self.table_class(agent.name, self.app.producer)
            stream = self._streams[agent.topic.name] = Stream(self.app)
            self.app.flow_control.queues.append(stream)
            self._spawn(agent.work(self, stream, table, writer))
        self.recovery = self.recovery_class(self.app, self.app.tables)
        self._spawn(self.app.producer.buffer.work())
        self._spawn(self._commits())
        self._spawn(self._membership())
        self._spawn(self._heartbeats())
        self._rejoin.set()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed(self, error)

    async def maybe_start(self) -> None:
        """Fetch from now on: Faust's fetcher."""
        if self._draining is None:
            self._draining = self._spawn(self.app.consumer.drain(self._deliver))

    async def _deliver(self, message: Message) -> None:
        stream = self._streams.get(message.topic)
        if stream is None:
            self.recovery.change(message)
        else:
            await stream.put(message)

    async def _commits(self) -> None:
        while True:
            await asyncio.sleep(0.2 + 0.4 * self.broker.random.random())
            await self.app.consumer.commit_now()

    def told(self) -> None:
        """Hear that the group is being shared out anew."""
        self.broker.later(self.broker.delay(), self._rejoin.set)

    async def _heartbeats(self) -> None:
        group, process = self.group, self.process
        while True:
            await asyncio.sleep(0.6)
            if self.app.rebalancing and not self.recovering:
                continue  # it waits for its partitions
            known = await self.broker.ask(lambda: (process in group.members, group.generation))
            if known != (True, self.app.consumer_generation_id):
                self._rejoin.set()

    async def _membership(self) -> None:
        while True:
            await self._rejoin.wait()
            self._rejoin.clear()
            await self._revoked()
            joining = asyncio.ensure_future(self.group.join(self.told))
            again = asyncio.ensure_future(self._rejoin.wait())
            await asyncio.wait((joining, again), return_when=asyncio.FIRST_COMPLETED)
            again.cancel()
            if joining.done():
                await self._assigned(*joining.result())
            else:
                joining.cancel()

    async def _revoked(self) -> None:
        """Give all partitions back: `on_partitions_revoked` of the consumer and the app."""
        app, consumer = self.app, self.app.consumer
        if self.recovering:
            self.met("a rebalance during a recovery")
        app.rebalancing = True
        consumer.revoke(consumer.assignment())
        if consumer.assignment():
            self.recovery.flush_buffers()
            consumer.stop_flow()
            app.flow_control.suspend()
            consumer.pause_partitions(consumer.assignment())
            app.flow_control.clear()
            await app.producer.flush()

    async def _assigned(self, generation: int, assigned: set[TP]) -> None:
        """Take new partitions: `on_partitions_assigned` of the listener, the consumer, the app and the tables."""
        app, consumer = self.app, self.app.consumer
        revoked = consumer.assignment() - assigned
        thread = consumer._thread
        app.consumer_generation_id = generation
        thread.positions = {tp: self.broker.committed.get((self.group.name, tp), 0) for tp in assigned}
        thread.assigned = assigned
        consumer._paused_partitions.intersection_update(assigned)
        consumer._set_active_tps(assigned)
        await asyncio.sleep(0)
        consumer.pause_partitions(assigned)
        await asyncio.sleep(0)
        self.recovery.on_rebalance(assigned, revoked)
        if self._recovering is not None:
            self._recovering.cancel()
        self._recovering = self._spawn(self._recover(generation))

    async def _recover(self, generation: int) -> None:
        self.recovering = True
        await self.recovery.restart(generation)
        if generation == self.app.consumer_generation_id:
            self.recovering = False


def expected(error: BaseException) -> bool:
    """Return whether an agent may end by that: the process is started again."""
    return isinstance(error, NotDeliveredError)
