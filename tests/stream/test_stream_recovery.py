"""After a recovery no source partition flows before it stands at its committed offset, and none is fetched before."""

import asyncio
import time
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import OffsetResetStrategy
from aiokafka.consumer.subscription_state import SubscriptionState
from faust.tables.recovery import Recovery
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer
from faust.types import TP

from broker.data_loss import Positions
from observability.consumer_lag import position
from stream.commits import GenerationConsumer
from stream.recovery import SeekFirstRecovery, SeekingConsumer


class Calls:
    """Records the order in which the recovery touches the consumer, and answers like one with an assignment."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def note(self, name: str, answer: Any = None) -> Any:
        def call(*_: Any, **__: Any) -> Any:
            self.made.append(name)
            return answer

        return call

    def note_async(self, name: str) -> Any:
        async def call(*_: Any, **__: Any) -> None:
            self.made.append(name)

        return call


def complete(kind: type[Recovery], end: str = "on_recovery_completed", lasts: tuple[bool, ...] = (True,)) -> list[str]:
    """Return the calls that the end of a recovery of that class makes; `lasts`: the answers on its generation."""
    calls, answers = Calls(), iter((*lasts, *lasts[-1:] * 2))
    consumer = SimpleNamespace(
        assignment=lambda: {("bars", 0)},
        perform_seek=calls.note_async("seek"),
        resume_partitions=calls.note("resume"),
        resume_flow=calls.note("flow"),
        lasts=lambda _: next(answers),
    )
    app = SimpleNamespace(
        consumer=consumer,
        consumer_generation_id=1,
        on_rebalance_complete=SimpleNamespace(send=calls.note_async("complete")),
        conf=SimpleNamespace(broker_request_timeout=1.0),
        flow_control=SimpleNamespace(resume=calls.note("resume flow control")),
        _fetcher=SimpleNamespace(maybe_start=calls.note_async("fetch")),
        assignor=SimpleNamespace(assigned_standbys=set),
        on_rebalance_end=calls.note("end"),
        in_recovery=True,
    )

    class Isolated(kind):
        """The class under test without the service machinery around it."""

        def __init__(self) -> None:
            self.app, self.log = app, SimpleNamespace(info=calls.note("log"), dev=calls.note("log"))
            self.tables = SimpleNamespace(values=list, on_actives_ready=lambda: None, on_standbys_ready=lambda: None)
            self.completed = asyncio.Event()
            for name in ("_active_events_received_at", "_standby_events_received_at", "_processing_times"):
                setattr(self, name, {})

        async def _wait(self, coroutine: Any, timeout: float | None = None) -> None:  # noqa: ARG002, ASYNC109 - Faust's
            await coroutine

        def _is_changelog_tp(self, _: Any) -> bool:
            return False

        def __del__(self) -> None:
            """Nothing to close: nothing was started."""

    asyncio.run(getattr(Isolated(), end)(1))
    return [call for call in calls.made if call in ("seek", "resume", "flow", "fetch")]


def test_recovery_seeks_before_it_resumes() -> None:
    assert complete(SeekFirstRecovery) == ["seek", "resume", "flow", "fetch"]


@pytest.mark.parametrize("end", ["on_recovery_completed", "_resume_streams"])  # with tables, and without
def test_a_recovery_whose_partitions_are_revoked_resumes_nothing(end: str) -> None:
    assert complete(SeekFirstRecovery, end) == ["seek", "resume", "flow", "fetch"]
    assert complete(SeekFirstRecovery, end, lasts=(True, False)) == ["seek"]
    assert complete(SeekFirstRecovery, end, lasts=(False,)) == []


def test_a_generation_lasts_until_its_partitions_are_revoked_and_new_ones_do_not_flow() -> None:
    consumer = isolated_consumer()
    assert consumer.lasts(1)
    assert not consumer.lasts(2)
    consumer.stop_flow()
    assert not consumer.lasts(1)
    consumer.app.consumer_generation_id = 2
    consumer.resume_flow()
    consumer._set_active_tps({TP("bars", 0)})
    assert not consumer.flow_active
    assert consumer.lasts(2)
    consumer.resume_flow()
    consumer._set_active_tps(set())
    assert consumer.flow_active


def isolated_consumer() -> Any:
    """Return a consumer that has no thread."""

    class Isolated(GenerationConsumer):
        """The class under test without the services around it."""

        def __init__(self) -> None:
            self.app = SimpleNamespace(consumer_generation_id=1)
            self._active_partitions, self._paused_partitions = None, set()
            self.flow_active, self.can_resume_flow, self.suspend_flow = True, asyncio.Event(), asyncio.Event()

        def __del__(self) -> None:
            """Nothing to close: nothing was started."""

    return Isolated()


def test_faust_itself_still_seeks_too_late() -> None:
    """When this fails, Faust has been repaired and stream/recovery.py can go."""
    assert complete(Recovery).index("resume") < complete(Recovery).index("seek")


def asked_for(kind: type[Consumer]) -> set[TP]:
    """Return which partitions a fetch that waits is still for when Faust has emptied its set of active ones."""
    asked: list[set[TP]] = []

    class Isolated(kind):
        """The class under test with a thread that only notes what it is asked."""

        def __init__(self) -> None:
            async def getmany(partitions: set[TP], timeout: float) -> dict[TP, list[Any]]:  # noqa: ARG001, ASYNC109 - as the consumer's own
                asked.append(partitions)
                active.clear()
                return {}

            self._thread = SimpleNamespace(getmany=getmany)
            self._positions, self._jumps = Positions(), []

        def __del__(self) -> None:
            """Nothing to close: nothing was started."""

    active = {TP("changelog", 0)}
    asyncio.run(Isolated()._getmany(active, 1.0))
    return asked[0]


def test_a_fetch_that_waits_stays_one_of_the_partitions_that_it_was_for() -> None:
    assert asked_for(SeekingConsumer) == {TP("changelog", 0)}


def test_faust_itself_still_empties_the_set_under_a_fetch() -> None:
    """When this fails, Faust has been repaired and `SeekingConsumer._getmany` can go."""
    assert asked_for(Consumer) == set()


BARS = TopicPartition("bars", 0)


async def deleted_under_a_reader() -> SubscriptionState:
    """Return what aiokafka knows of a partition that was fetched of, once its records there are gone."""
    result = SubscriptionState()
    result.subscribe({BARS.topic})
    result.assign_from_subscribed({BARS})
    state = result.subscription.assignment.state_value(BARS)
    state.reset_to(5)
    state.highwater, state.timestamp = 9, int(time.monotonic() * 1_000)  # polled just now
    state.await_reset(OffsetResetStrategy.EARLIEST)
    return result


async def look(kind: type[Consumer]) -> None:
    """Let a consumer look whether its partitions are active, while one has no position."""
    subscription = await deleted_under_a_reader()

    class Thread(AIOKafkaConsumerThread):
        """Faust's thread, not started."""

        def __init__(self) -> None:
            self._consumer = SimpleNamespace(_fetcher=SimpleNamespace(_subscriptions=subscription))
            topics = SimpleNamespace(acks_enabled_for=lambda _: True)
            self.consumer = SimpleNamespace(app=SimpleNamespace(monitor=SimpleNamespace(), topics=topics))
            self.time_started, self.tp_fetch_request_timeout_secs = time.monotonic(), 3_600.0

        def __del__(self) -> None:
            """Nothing to close: nothing was started."""

    class Isolated(kind):
        """The class under test, not started."""

        should_stop = False

        def __init__(self) -> None:
            self._thread = Thread()

        def assignment(self) -> set[TP]:
            return {TP(*BARS)}

        async def sleep(self, _: float) -> None:
            pass

        def __del__(self) -> None:
            """Nothing to close: nothing was started."""

    await Isolated().verify_all_partitions_active()


def test_a_partition_without_a_position_ends_no_process() -> None:
    asyncio.run(look(SeekingConsumer))


def test_faust_itself_still_ends_where_a_partition_has_no_position() -> None:
    """When this fails, Faust has been repaired and `SeekingConsumer.verify_all_partitions_active` can go."""
    with pytest.raises(AssertionError):
        asyncio.run(look(Consumer))


def test_a_position_is_unknown_while_it_is_asked_for() -> None:
    async def run() -> None:
        state = (await deleted_under_a_reader()).subscription.assignment.state_value(BARS)
        assert position(state) is None
        state.reset_to(7)
        assert position(state) == 7

    asyncio.run(run())
