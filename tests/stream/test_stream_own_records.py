"""A stage folds what its own process posts before it is fetched, and stores it when it is; never out of order."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from own_record_fakes import Worker, made, run_story
from shell_fakes import ARRIVED

from broker.origin import Origin
from stream.in_flight import Notes
from stream.own_records import MOST_WAITING, OWN
from stream.poison_records import Guard
from topics import codec
from topics.catalog import BARS


def checked(story: Callable[[Worker], Any], guard: Guard | None = None) -> None:
    """Run a story, and end its worker."""
    run_story(lambda: Worker(guard), story)


def bar(close: float, symbol: str = "BTCUSDT") -> bytes:
    """Return a bar that another program posted."""
    return codec.encode([made(close, symbol)])


def test_a_posted_record_is_folded_before_it_is_fetched_and_once() -> None:
    async def story(worker: Worker) -> None:
        await worker.begun()
        await worker.tick(2.0)
        await worker.tick(4.0)
        assert worker.sums() == [1.0, 3.0, 7.0]
        await worker.fetch(1)
        await worker.fetch(2)
        assert worker.sums() == [1.0, 3.0, 7.0]
        assert await worker.saved() == ({0: 2}, 7.0)

    checked(story)


def test_its_state_and_its_offset_wait_for_the_fetch() -> None:
    async def story(worker: Worker) -> None:
        await worker.begun()
        await worker.saved()
        del worker.kafka.happened[:]
        await worker.tick(2.0)
        assert await worker.saved() == ({0: 0}, 1.0)
        assert worker.kafka.happened == ["send bars", "send features"]
        await worker.fetch(1)
        assert await worker.saved() == ({0: 1}, 3.0)
        assert worker.kafka.happened == ["send bars", "send features", "store", "ack 1"]

    checked(story)


def test_its_state_waits_for_the_delivery_of_its_outputs() -> None:
    async def story(worker: Worker) -> None:
        await worker.begun()
        worker.kafka.later = []
        await worker.tick(2.0)
        assert worker.sums() == [1.0, 3.0]
        await worker.fetch(1)
        assert await worker.saved() == ({0: 0}, 1.0)
        for confirm in worker.kafka.later:
            confirm()
        assert await worker.saved() == ({0: 1}, 3.0)

    checked(story)


def test_nothing_is_folded_early_until_a_record_of_this_process_was_fetched_where_kafka_put_it() -> None:
    async def story(worker: Worker) -> None:
        await worker.tick(1.0)
        await worker.tick(2.0)
        assert worker.sums() == []
        await worker.fetch(0)
        assert worker.sums() == [1.0]
        await worker.tick(4.0)  # the one before it is not folded yet
        assert worker.sums() == [1.0]
        await worker.fetch(1)
        await worker.fetch(2)
        assert worker.sums() == [1.0, 3.0, 7.0]
        await worker.tick(8.0)
        assert worker.sums() == [1.0, 3.0, 7.0, 15.0]

    checked(story)


def test_the_same_value_from_a_former_process_does_not_show_how_far_all_is_read() -> None:
    async def story(worker: Worker) -> None:
        worker.kafka.log += [("bars", b"BTCUSDT", bar(1.0)), ("bars", b"BTCUSDT", bar(2.0))]
        await worker.tick(1.0)  # what a crash repeats: it is at offset 2
        await worker.fetch(0)
        await worker.tick(4.0)
        assert worker.sums() == [1.0]

    checked(story)


def test_where_another_program_s_record_comes_first_all_is_folded_in_the_order_of_the_topic() -> None:
    async def story(worker: Worker) -> None:
        await worker.begun()
        worker.kafka.log.append(("bars", b"BTCUSDT", bar(100.0)))
        await worker.tick(2.0)
        assert worker.sums() == [1.0, 3.0]
        await worker.fetch(1)
        await worker.fetch(2)
        assert worker.sums() == [1.0, 3.0, 101.0, 103.0]
        assert await worker.saved() == ({0: 2}, 103.0)
        await worker.tick(4.0)  # and the symbol waits for its fetches for a while
        assert worker.sums() == [1.0, 3.0, 101.0, 103.0]

    checked(story)


def test_another_program_s_record_of_another_symbol_changes_nothing() -> None:
    async def story(worker: Worker) -> None:
        await worker.begun()
        worker.kafka.log.append(("bars", b"ETHUSDT", bar(100.0, "ETHUSDT")))
        await worker.tick(2.0)
        await worker.fetch(1)
        await worker.fetch(2)
        await worker.tick(4.0)
        assert worker.sums() == [1.0, 3.0, 100.0, 7.0]
        assert await worker.saved() == ({0: 2}, 3.0)

    checked(story)


def test_a_record_on_which_the_stage_fails_is_left_to_its_fetch_where_its_rows_are_isolated() -> None:
    async def story(worker: Worker) -> None:
        await worker.begun()
        await worker.tick(13.0)
        await worker.tick(4.0)
        assert worker.sums() == [1.0]
        await worker.fetch(1)
        assert [topic.name for topic, _ in worker.kafka.sent][-1] == "dead-letters"
        await worker.fetch(2)
        assert worker.sums() == [1.0, 5.0]
        assert await worker.saved() == ({0: 2}, 5.0)

    checked(story)


def test_a_record_with_a_refused_row_is_left_to_its_fetch_and_becomes_one_dead_letter() -> None:
    async def story(worker: Worker) -> None:
        await worker.begun()
        refused = made(2_000.0)
        await worker.bars._post([(BARS, "BTCUSDT", [refused])], Origin(ARRIVED))
        assert [topic.name for topic, _ in worker.kafka.sent] == ["bars", "features", "bars"]
        await worker.fetch(1)
        assert [topic.name for topic, _ in worker.kafka.sent] == ["bars", "features", "bars", "dead-letters"]

    checked(story)


def test_what_was_folded_before_a_rebalance_is_folded_again_after_it() -> None:
    async def story(worker: Worker) -> None:
        await worker.begun()
        await worker.saved()
        await worker.tick(2.0)
        worker.fetched.app.consumer_generation_id = 2
        await worker.tick(4.0)
        assert worker.sums() == [1.0, 3.0]
        await worker.fetch(1)
        await worker.fetch(2)
        assert worker.sums() == [1.0, 3.0, 3.0, 7.0]
        assert await worker.saved() == ({0: 2}, 7.0)

    checked(story)


def test_a_symbol_with_many_unread_records_begins_anew() -> None:
    async def story(worker: Worker) -> None:
        await worker.begun()
        for _ in range(MOST_WAITING + 1):
            await worker.bars._post([(BARS, "BTCUSDT", [made(1.0)])], Origin(ARRIVED))
        early = len(worker.sums())
        assert early == MOST_WAITING + 1  # the first, which was fetched, and as many as may wait
        await worker.fetch(1)
        assert worker.sums()[-1] == 2.0

    checked(story)


def test_after_a_death_at_such_a_record_the_next_start_fetches_all_first_and_the_one_after_does_not(
    tmp_path: Path,
) -> None:
    def guard() -> Guard:
        return Guard(notes=Notes(tmp_path))

    note = Notes(tmp_path).of(OWN)
    assert note is not None
    note.begin(7, 7)
    found = []

    async def story(worker: Worker) -> None:
        await worker.begun()
        await worker.tick(2.0)
        found.append(worker.sums())

    checked(story, guard())
    checked(story, guard())
    assert found == [[1.0], [1.0, 3.0]]
