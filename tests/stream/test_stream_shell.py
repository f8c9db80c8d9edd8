"""The shell folds each record once, in order, and lets go of nothing before it is safe."""

import asyncio

import pytest
from prometheus_client import REGISTRY
from shell_fakes import ARRIVED, Event, Journal, Stream, Sum, Table, event

from stream.app_metrics import arrived
from stream.shell import Shell
from topics import codec
from topics.catalog import BARS, DEAD_LETTERS
from topics.records import DeadLetter, Tick


def run(journal: Journal, table: Table, *batches: list[Event]) -> None:
    asyncio.run(Shell(stage=Sum(), table=table, writer=journal).run(Stream(journal, list(batches))))


def total(table: Table) -> float:
    shell: Shell[Tick, float] = Shell(stage=Sum(), table=table, writer=Journal())
    return shell._load(("BTCUSDT", "1m"), b"BTCUSDT|1m")[1]


def test_outputs_are_delivered_then_the_state_is_stored_then_the_events_are_acknowledged() -> None:
    journal = Journal()
    run(journal, Table(journal), [event(0, 1.0), event(1, 2.0)])
    assert journal.happened == ["send", "store", "ack 0", "ack 1"]


def test_an_event_that_comes_again_changes_nothing_and_is_acknowledged() -> None:
    journal = Journal()
    table = Table(journal)
    run(journal, table, [event(0, 1.0), event(1, 2.0)])
    run(journal, table, [event(1, 2.0), event(2, 4.0)])
    assert total(table) == 7.0
    assert [record.close for topic, record in journal.sent if topic is BARS] == [1.0, 2.0, 4.0]
    assert journal.happened[-2:] == ["ack 1", "ack 2"]


def test_offsets_are_told_apart_by_partition() -> None:
    journal = Journal()
    table = Table(journal)
    run(journal, table, [event(5, 1.0, partition=0), event(0, 2.0, partition=1)])
    assert total(table) == 3.0


def test_nothing_is_stored_or_acknowledged_when_the_outputs_are_not_delivered() -> None:
    journal = Journal(broken=True)
    table = Table(journal)
    with pytest.raises(ConnectionError):
        run(journal, table, [event(0, 1.0)])
    assert journal.happened == []
    assert not table


def test_bad_rows_become_dead_letters_with_their_place_and_hold_nothing_back() -> None:
    journal = Journal()
    table = Table(journal)
    run(journal, table, [event(7, 1.0, -1, 5_000.0, 2.0, "x")])
    dead_letters = [record for topic, record in journal.sent if topic is DEAD_LETTERS]
    assert total(table) == 3.0
    assert sorted(
        (letter.row, letter.reason.split(" - ")[0]) for letter in dead_letters if isinstance(letter, DeadLetter)
    ) == [
        (1, "price -1.0 is not a positive number from 1e-12 to 1e+12"),
        (2, "too dear"),
        (4, "Expected `float`, got `str`"),
    ]
    assert {
        (letter.topic, letter.offset, letter.time) for letter in dead_letters if isinstance(letter, DeadLetter)
    } == {("ticks", 7, ARRIVED)}


@pytest.mark.parametrize(("ahead", "expected"), [(86_400_000, 7.0), (86_400_001, 4.0)])
def test_a_state_that_knows_a_time_that_is_yet_to_come_begins_anew(ahead: int, expected: float) -> None:
    """Case 24: a state written before times had a bound, by one row that was dated ahead."""
    journal = Journal()
    table = Table(journal)
    run(journal, table, [event(0, 3.0)])
    stage = Sum()
    stage.known = ARRIVED + ahead
    asyncio.run(Shell(stage=stage, table=table, writer=journal).run(Stream(journal, [[event(1, 4.0)]])))
    assert total(table) == expected


def test_a_row_that_is_dated_ahead_of_the_broker_is_a_dead_letter() -> None:
    far = event(0, 1.0)
    far.message.value = far.message.value.replace(str(ARRIVED).encode(), str(ARRIVED + 86_400_001).encode())
    journal = Journal()
    table = Table(journal)
    run(journal, table, [far, event(1, 2.0)])
    (letter,) = [record for topic, record in journal.sent if topic is DEAD_LETTERS]
    assert isinstance(letter, DeadLetter)
    assert (letter.offset, "later than allowed" in letter.reason) == (0, True)
    assert total(table) == 2.0


def test_cutting_into_batches_changes_nothing() -> None:
    values = [float(value) for value in range(1, 40)]
    results = []
    for size in (1, 3, 39):
        journal = Journal()
        table = Table(journal)
        events = [event(offset, value) for offset, value in enumerate(values)]
        run(journal, table, *[events[start : start + size] for start in range(0, len(events), size)])
        results.append((total(table), [record for _, record in journal.sent]))
    assert results[0] == results[1] == results[2]


def test_slices_that_are_delivered_side_by_side_stay_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stream.shell.SLICE_BYTES", 1)
    journal = Journal()
    prices = [[float(10 * number + row) for row in range(5)] for number in range(1, 7)]
    run(journal, Table(journal), [event(offset, *row) for offset, row in enumerate(prices)])
    assert [record.close for _, record in journal.sent] == [price for row in prices for price in row]
    assert [step for step in journal.happened if step.startswith("ack")] == [f"ack {offset}" for offset in range(6)]


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"foretick_{name}", labels) or 0.0


def test_what_was_folded_is_counted_once_and_timed_from_its_arrival() -> None:
    before = [counted("records_in_total", topic="ticks"), counted("records_out_total", topic="bars")]
    dead = counted("dead_letters_total", topic="ticks")
    timed = counted("latency_seconds_count", stage="sum"), counted("latency_seconds_sum", stage="sum")
    journal = Journal()
    table = Table(journal)
    run(journal, table, [event(0, 1.0, 2.0, "no price"), event(1, 3.0)])
    run(journal, table, [event(1, 3.0)])  # comes again: nothing is made of it
    assert counted("records_in_total", topic="ticks") == before[0] + 3
    assert counted("records_out_total", topic="bars") == before[1] + 3
    assert counted("dead_letters_total", topic="ticks") == dead + 1
    assert counted("latency_seconds_count", stage="sum") == timed[0] + 1
    assert counted("latency_seconds_sum", stage="sum") == pytest.approx(timed[1] + 0.25)


def test_latency_counts_from_the_first_topic_on_the_way() -> None:
    first, second = event(0, 1.0), event(1, 1.0)
    first.message.headers = [*codec.HEADERS, (codec.ARRIVED_HEADER, b"1200")]
    second.message.headers = [*codec.HEADERS, (codec.ARRIVED_HEADER, b"nonsense")]
    assert arrived([first, second]) == 1_200
    assert arrived([second]) == ARRIVED
    assert arrived([]) is None
