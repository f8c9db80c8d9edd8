"""A condition follows from what was done and when: each case is a row."""

import doctest
from dataclasses import replace

import pytest
from aiokafka import TopicPartition

from observability import lag
from observability.condition import (
    HEALTHY,
    Condition,
    Facts,
    Limits,
    ReaderPosition,
    Wait,
    Word,
    Work,
    derive,
    looped,
    stuck_place,
)
from observability.consumer_lag import PartitionEnds, ReaderOffsets, reader_position
from observability.lag import NOTHING, UNKNOWN, ConsumerLag
from observability.work_status import WorkStatus

NOW = 10_000.0
LIMITS = Limits(stuck_s=90.0, lag_s=600.0, work_s=60.0, hung_s=900.0)


def at(
    still: float, behind: float | None, *, moved: bool = True, partition: int = 0, waits: ConsumerLag = UNKNOWN
) -> ReaderPosition:
    """A partition that last moved so many seconds ago, and is behind for so many; 60 Kafka records wait, if any."""
    since = None if behind is None else NOW - behind
    return ReaderPosition(
        topic="bars",
        partition=partition,
        committed=40,
        end=40 if behind is None else 100,
        still=NOW - still,
        behind=since,
        moved=moved,
        waits=waits,
    )


def facts(**known: object) -> Facts:
    return replace(Facts(began=NOW - 1_000, limits=LIMITS), **known)


def reader(*places: ReaderPosition, looked: float | None = 1.0, **known: object) -> Facts:
    return facts(places=places, looked=None if looked is None else NOW - looked, **known)


def rounds(ended: float | None, sign: float) -> Facts:
    return facts(work=Work(None if ended is None else NOW - ended, "reads", NOW - sign))


TOLD, TIMED = ConsumerLag(60, 1_200, 7_200.0), ConsumerLag(60, None, 7_200.0)
LOCK, DUE = (
    Wait(what="another watch works", since=NOW - 50),
    Wait(what="the next run", since=NOW - 50, until=NOW + 9, planned=True),
)
CASES: list[tuple[str, Facts, Word, bool, str]] = [
    ("nothing to do", facts(), "healthy", True, ""),
    ("at the end of all", reader(at(500, None)), "healthy", True, ""),
    ("behind for a moment", reader(at(1, 2)), "healthy", True, ""),
    ("behind, and it moves", reader(at(1, 40, waits=TOLD)), "lagging", True, "on bars for 40 s, by 1,200 rows, 2 h of"),
    ("behind, its rows uncounted", reader(at(1, 40, waits=TIMED)), "lagging", True, "for 40 s, by 2 h of event time;"),
    ("behind, nothing read of it", reader(at(1, 40)), "lagging", True, "for 40 s, by an unknown number of rows; last"),
    ("behind for a moment, nothing read yet", reader(at(2, 2, moved=False)), "lagging", False, "none of them read"),
    ("behind for too long, though it moves", reader(at(1, 700)), "lagging", False, "for 11 min"),
    ("behind, slow", reader(at(80, 80)), "lagging", True, "last read 1 min ago"),
    ("behind and still", reader(at(91, 91)), "stuck", False, "bars partition 0 has stood at 40 of 100 for 1 min"),
    ("still, but new records came just now", reader(at(5_000, 3)), "healthy", True, ""),
    ("still while another moves", reader(at(100, 100), at(1, 100, partition=1)), "lagging", True, "last read 1 s"),
    ("still for long while another moves", reader(at(500, 500), at(1, None, partition=1)), "stuck", False, "for 8 min"),
    ("it reads nothing", reader(), "unknown", False, "no partition"),
    (
        "not assigned",
        reader(looked=None, waits=[Wait(what="its partitions", since=NOW)]),
        "waiting",
        False,
        "its partitions",
    ),
    ("the ends were never told", reader(looked=None), "unknown", False, "unknown"),
    ("the ends were told long ago", reader(at(1, None), looked=31), "unknown", False, "unknown"),
    ("behind and still, but it waits", reader(at(91, 91), waits=[LOCK]), "waiting", False, "another watch works"),
    ("a short wait", reader(at(1, 2), waits=[Wait(what="the disk", since=NOW - 1, grace_s=5)]), "healthy", True, ""),
    (
        "no short wait",
        reader(at(1, 2), waits=[Wait(what="the disk", since=NOW - 6, grace_s=5)]),
        "waiting",
        False,
        "the disk",
    ),
    ("by plan", facts(waits=[DUE]), "waiting", True, "the next run"),
    ("by plan, and for what should be there", facts(waits=[DUE, LOCK]), "waiting", False, "another watch works"),
    ("the one that waits is gone", facts(waits=[replace(DUE, sign=NOW - 901)]), "stuck", False, "no sign for 15 min"),
    ("a round has ended", rounds(59, 59), "healthy", True, "reads"),
    ("a round takes long, and goes on", rounds(61, 5), "lagging", True, "its last round ended 1 min ago"),
    ("the first round goes on", rounds(None, 5), "lagging", False, "none of its rounds has ended"),
    ("a round gives no sign", rounds(500, 100), "lagging", False, "last sign 1 min ago"),
    ("a round has not given a sign for long", rounds(1_000, 901), "stuck", False, "no sign for 15 min"),
    ("the event loop hangs", facts(hangs="the event loop hangs"), "stuck", False, "the event loop hangs"),
    ("two restarts", facts(restarts=(NOW - 9, NOW - 8)), "healthy", True, ""),
    ("three restarts", facts(restarts=(NOW - 9, NOW - 8, NOW)), "looping", True, "3 restarts in the last 10 minutes"),
    ("three, one of them long ago", facts(restarts=(NOW - 601, NOW - 8, NOW)), "healthy", True, ""),
    ("stuck in a loop", reader(at(91, 91), restarts=(NOW, NOW, NOW)), "stuck", False, "has stood at 40"),
    ("waits in a loop", facts(waits=[LOCK], restarts=(NOW, NOW, NOW)), "looping", False, "now waiting: another watch"),
]


@pytest.mark.parametrize(("known", "word", "works", "why"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_the_condition_is_derived_from_the_known_facts(known: Facts, word: Word, works: bool, why: str) -> None:
    condition = derive(known, NOW)
    assert (condition.word, condition.works) == (word, works), condition.text()
    assert why in condition.why
    assert condition.good() == (works and word != "looping")


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(lag).attempted > 0
    assert doctest.testmod(lag).failed == 0


def test_how_far_a_reader_is_behind_is_unknown_and_not_zero_before_it_was_seen() -> None:
    assert derive(reader(looked=None), NOW).behind is None
    assert derive(reader(at(1, None)), NOW).behind == NOTHING
    both = reader(at(1, 40, waits=TOLD), at(1, 40, partition=1, waits=ConsumerLag(60, 5, 9.0)))
    assert derive(both, NOW).behind == ConsumerLag(120, 1_205, 7_200.0)
    assert derive(reader(at(1, 40, waits=TOLD), at(1, 40, partition=1)), NOW).behind == ConsumerLag(120, None, None)
    assert derive(reader(looked=None, waits=[LOCK]), NOW).behind is None


def test_looping_is_set_once_however_often_it_is_derived() -> None:
    once = looped(HEALTHY, [NOW] * 3, NOW)
    assert looped(once, [NOW] * 4, NOW) == once
    assert looped(Condition(word="unknown", why="no answer"), [NOW] * 3, NOW).word == "looping"


PART = TopicPartition("bars", 0)


@pytest.mark.parametrize(
    ("partition_ends", "own", "behind"),
    [
        (PartitionEnds(0, 100, 100), ReaderOffsets(100, done=True), False),
        (PartitionEnds(0, 100, 40), ReaderOffsets(40, done=True), True),
        (PartitionEnds(0, 100, None), ReaderOffsets(0, done=True), True),
        (PartitionEnds(100, 100, 40), ReaderOffsets(40, done=True), False),  # all that it had not read has expired
        (PartitionEnds(0, 100, 99), ReaderOffsets(100, done=True), False),  # the log ends in the mark of a transaction
        (PartitionEnds(0, 100, 99), ReaderOffsets(100, done=False), True),  # the last record is under way
        (PartitionEnds(0, 100, 99), ReaderOffsets(None, done=True), True),
        (PartitionEnds(0, 0, None), ReaderOffsets(0, done=True), False),
    ],
)
def test_a_reader_is_behind_where_a_record_is_left(
    partition_ends: PartitionEnds, own: ReaderOffsets, behind: bool
) -> None:
    assert (reader_position(PART, partition_ends, own, None, NOW, free=True).behind is not None) == behind


def test_a_position_stands_still_from_when_it_moved_last_and_could_move() -> None:
    own = ReaderOffsets(50, done=True)
    first = reader_position(PART, PartitionEnds(0, 100, 40), own, None, NOW, free=True)
    assert (first.still, first.behind, first.moved) == (NOW, NOW, False)
    later = reader_position(PART, PartitionEnds(0, 110, 40), own, first, NOW + 50, free=True)
    assert (later.still, later.behind, later.end) == (NOW, NOW, 110)
    assert stuck_place([later], NOW + 89, LIMITS) is None
    assert stuck_place([later], NOW + 91, LIMITS) == later
    waited = reader_position(PART, PartitionEnds(0, 110, 40), own, later, NOW + 80, free=False)
    assert stuck_place([waited], NOW + 91, LIMITS) is None
    moved = reader_position(PART, PartitionEnds(0, 110, 60), own, later, NOW + 80, free=True)
    assert (moved.still, moved.behind, moved.moved) == (NOW + 80, NOW, True)
    nearer = reader_position(PART, PartitionEnds(0, 150, 105), own, moved, NOW + 81, free=True)
    assert (nearer.behind, nearer.goal) == (NOW + 81, 150)  # the record that it waited for has been read
    assert reader_position(PART, PartitionEnds(0, 110, 110), own, moved, NOW + 81, free=True).behind is None


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.time = NOW

    def __call__(self) -> float:
        return self.time


def test_what_a_process_writes_down_is_what_its_condition_tells() -> None:
    clock = Clock()
    own = WorkStatus(work_s=60.0, clock=clock)
    own.wait("the lock")
    clock.time += 400
    own.wait("the lock")
    assert own.condition() == Condition(word="waiting", why="the lock", since=NOW)
    assert own.waiting()
    own.wait(None)
    own.does("reads the first bars")
    assert own.condition().text().startswith("lagging: reads the first bars")
    own.did("has looked")
    assert own.condition() == Condition(word="healthy", why="has looked", works=True)
    with own.waits("the database"):
        assert (own.condition().word, own.waiting()) == ("healthy", False)
        clock.time += 6
        assert (own.condition().text(), own.waiting()) == ("waiting: the database", True)
    assert own.condition().word == "healthy"
    clock.time += 901
    assert own.condition().word == "stuck"


def test_a_reader_is_unknown_until_its_places_were_seen() -> None:
    own = WorkStatus(clock=Clock())
    own.expects_places()
    assert own.condition().word == "unknown"
    own.saw([at(0, None)])
    assert own.condition().word == "healthy"
