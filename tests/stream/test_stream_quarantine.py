"""A record that a stage fails on is found and becomes a dead letter; what kills the process is passed over."""

import asyncio
import errno
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec import Struct
from shell_fakes import Event, Journal, Stream, Sum, Table, event

from broker import skipped_records
from broker.confirmed_send import MOST_BYTES, encoded
from broker.skipped_records import Skip, Skips
from settings import ROOT
from storage.errors import RefusedError, StorageError
from stream.batch_insert import store
from stream.dead_letters import of_event
from stream.in_flight import Note, Notes, Suspect
from stream.poison_records import DefectError, Guard
from stream.shell import Shell
from stream.stage import Output, Part
from topics import codec
from topics.catalog import BARS, DEAD_LETTERS
from topics.dead_letters import KEY_BYTES, REASON_LENGTH, VALUE_BYTES
from topics.records import DeadLetter, Tick


class Touchy(Sum):
    """A sum that cannot do with some prices, each at another place."""

    def check(self, record: Tick) -> str | None:
        if record.price == 13.0:
            raise KeyError("no check of 13")
        return super().check(record)

    def key(self, record: Tick) -> tuple[str, str]:
        if record.price == 17.0:
            raise IndexError
        return super().key(record)

    def step(self, state: float, parts: Sequence[Part[Tick]]) -> tuple[float, list[Output]]:
        if any(tick.price == 666.0 for part in parts for tick in part.records):
            raise ValueError("first line\nscale inf is not a positive number")
        return super().step(state, parts)


class Swelling(Sum):
    """A sum whose state has as many bytes as it says."""

    def dump(self, state: float) -> bytes:
        return repr(state).encode().ljust(int(state))


class Forgetful(Sum):
    """A sum that cannot read what it wrote."""

    def load(self, key: tuple[str, str], state: bytes | None) -> float:
        if state is not None:
            raise ValueError("this is no sum")
        return super().load(key, state)


def run(stage: Sum, *batches: list[Event], table: Table | None = None, guard: Guard | None = None) -> Journal:
    journal = Journal()
    table = Table(journal) if table is None else table
    table.journal = journal
    shell = Shell(stage=stage, table=table, writer=journal, guard=guard or Guard())
    asyncio.run(shell.run(Stream(journal, list(batches))))
    return journal


def letters(journal: Journal) -> list[DeadLetter]:
    return [record for topic, record in journal.sent if topic is DEAD_LETTERS and isinstance(record, DeadLetter)]


def prices(journal: Journal) -> list[float]:
    return [record.close for topic, record in journal.sent if topic is BARS]


def acknowledged(journal: Journal) -> list[int]:
    return [int(step.split()[1]) for step in journal.happened if step.startswith("ack")]


def test_the_rows_that_a_stage_fails_on_are_found_and_all_others_are_folded() -> None:
    journal = run(Touchy(), [event(0, 1.0, 666.0, 2.0), event(1, 3.0), event(2, 13.0, 17.0, 4.0, 666.0)])
    assert prices(journal) == [1.0, 2.0, 3.0, 4.0]
    assert sorted((one.offset, one.row, one.reason) for one in letters(journal)) == [
        (0, 1, "ValueError: scale inf is not a positive number"),
        (2, 0, "KeyError: 'no check of 13'"),
        (2, 1, "IndexError"),
        (2, 3, "ValueError: scale inf is not a positive number"),
    ]
    assert json.loads(letters(journal)[-1].value)["price"] == 666.0
    assert acknowledged(journal) == [0, 1, 2]


def test_the_state_is_as_if_the_record_had_never_come() -> None:
    tables = []
    for batch in ([event(0, 1.0, 666.0, 2.0), event(1, 3.0)], [event(0, 1.0, 2.0), event(1, 3.0)]):
        tables.append(Table(Journal()))
        run(Touchy(), batch, table=tables[-1])
    assert tables[0] == tables[1]


def test_a_state_that_cannot_be_read_begins_anew() -> None:
    table = Table(Journal())
    run(Sum(), [event(0, 1.0)], table=table)
    journal = run(Forgetful(), [event(1, 2.0)], table=table)
    assert prices(journal) == [2.0]
    table[b"BTCUSDT|1m"] = b"\xc1 no entry"
    journal = run(Sum(), [event(2, 3.0)], table=table)
    assert prices(journal) == [3.0]
    assert letters(journal) == []


def test_what_makes_a_state_too_large_is_refused_and_the_state_before_stays() -> None:
    table = Table(Journal())
    run(Swelling(), [event(0, 100.0)], table=table)
    before = dict(table)
    journal = run(
        Swelling(), [event(1, 900.0), event(2, 50.0)], table=table, guard=Guard(max_state_bytes=512, records=1)
    )
    assert [one.offset for one in letters(journal)] == [1]
    assert "FORETICK_MAX_STATE_KB" in letters(journal)[0].reason
    assert prices(journal) == [50.0]
    assert before != table


def test_symbols_beyond_the_limit_are_told_and_known_ones_go_on() -> None:
    def of(symbol: str, offset: int) -> Event:
        result = event(offset, 1.0)
        result.message.value = result.message.value.replace(b"BTCUSDT", symbol.encode())
        return result

    table, guard = Table(Journal()), Guard(max_symbols=2)
    journal = run(Sum(), [of("A", 0), of("B", 1), of("C", 2)], [of("A", 3), of("D", 4)], table=table, guard=guard)
    assert sorted(table) == [b"A|1m", b"B|1m"]
    assert [one.offset for one in letters(journal)] == [2, 4]
    assert "FORETICK_MAX_SYMBOLS" in letters(journal)[0].reason
    assert acknowledged(journal) == [0, 1, 2, 3, 4]


def test_too_many_records_that_fail_are_a_defect_but_each_start_gets_further() -> None:
    guard, journal = Guard(name="sum", records=2), Journal()
    shell = Shell(stage=Touchy(), table=Table(journal), writer=journal, guard=guard)
    batches = [[event(offset, 666.0, 666.0)] for offset in range(4)]
    with pytest.raises(DefectError, match=r"sum: 3 Kafka records failed within 5 minutes, the last ticks.*a defect"):
        asyncio.run(shell.run(Stream(journal, batches)))
    assert acknowledged(journal) == [0, 1, 2]
    assert len(letters(journal)) == 6


def test_a_frame_that_fails_in_every_row_is_one_record_and_not_split_for_ever() -> None:
    journal = run(Touchy(), [event(0, *[666.0] * 5_000), event(1, 1.0)])
    assert 100 <= len(letters(journal)) <= 120
    assert prices(journal) == [1.0]


def test_a_dead_letter_fits_a_message_whatever_its_record() -> None:
    value = b"\x00" * 3_200_000
    large = event(7)
    large.message.value, large.message.key = value, b"k" * 1_000_000
    one = of_event("bars", large, 0, value, "why " * 10_000)
    assert (len(one.value), one.size, len(one.key or b""), len(one.reason)) == (
        VALUE_BYTES,
        3_200_000,
        KEY_BYTES,
        REASON_LENGTH,
    )
    frames = list(encoded([one] * 300 + [of_event("bars", large, 0, b"", "short")]))
    assert max(map(len, frames)) <= MOST_BYTES
    assert sum(len(codec.decode(frame, DeadLetter).records) for frame in frames) == 301


def test_of_many_letters_of_one_record_the_last_tells_how_many_more() -> None:
    journal = run(Sum(), [event(0, *["no price"] * 5_000, 1.0)])
    assert len(letters(journal)) == 100
    assert "and 4900 more parts of this value" in letters(journal)[-1].reason
    assert prices(journal) == [1.0]


def test_offsets_that_are_skipped_become_dead_letters_at_once(tmp_path: Path) -> None:
    path = tmp_path / "skips.json"
    guard = Guard(skips=Skips(path, "worker"))
    skipped_records.change(
        path,
        [
            Skip(group="worker", topic="ticks", partition=0, offset=1, why="skipped: no good", time=0),
            Skip(group="persist", topic="ticks", partition=0, offset=2, why="other", time=0),
        ],
    )
    journal = run(Sum(), [event(0, 1.0), event(1, 2.0), event(2, 4.0)], guard=guard)
    assert prices(journal) == [1.0, 4.0]
    assert [(one.offset, one.reason) for one in letters(journal)] == [(1, "skipped: no good")]
    assert acknowledged(journal) == [0, 1, 2]
    skipped_records.change(path, remove=[Skip(group="worker", topic="ticks", partition=0, offset=1, why="", time=0)])
    assert prices(run(Sum(), [event(1, 2.0)], guard=guard)) == [2.0]


def test_skips_that_cannot_be_read_change_nothing(tmp_path: Path) -> None:
    path = tmp_path / "skips.json"
    known = Skips(path, "worker")
    skipped_records.change(path, [Skip(group="worker", topic="ticks", partition=0, offset=1, why="why", time=0)])
    assert known.of("ticks") == {(0, 1): "why"}
    path.write_text("{")
    assert known.of("ticks") == {(0, 1): "why"}
    with pytest.raises(ValueError, match=r"skips\.json"):
        skipped_records.change(path, [Skip(group="worker", topic="ticks", partition=0, offset=1, why="why", time=0)])


def test_a_note_counts_deaths_at_one_place_in_a_row(tmp_path: Path) -> None:
    path = tmp_path / "0"
    for deaths in range(3):
        note = Note(path)
        assert note.suspect == (Suspect(deaths, 10 - deaths + 1, 20) if deaths else None)
        note.begin(10 - deaths, 20)
    Note(path)  # dies before it folds: that counts nothing
    note = Note(path)
    assert note.suspect == Suspect(3, 8, 20)
    note.begin(8, 15)
    note.end(15)
    assert note.suspect is not None
    note.begin(16, 20)
    note.end(20)
    assert Note(path).suspect is None


KILLER = """
import asyncio, json, os, sys
from pathlib import Path
from shell_fakes import Journal, Stream, Sum, Table, event
from stream.poison_records import Guard
from stream.in_flight import Notes
from stream.shell import Shell
from broker.skipped_records import Skips
class Deadly(Sum):
    def step(self, state, parts):
        for part in parts:
            if any(tick.price in (666.0, 667.0) for tick in part.records):
                os._exit(9)
        return super().step(state, parts)
home = Path(sys.argv[1])
guard = Guard(name="sum", skips=Skips(home / "skips.json", "worker"), notes=Notes(home / "notes"))
journal = Journal()
events = [event(number, price) for number, price in enumerate([1.0, 2.0, 666.0, 4.0, 667.0, 6.0])]
shell = Shell(stage=Deadly(), table=Table(journal), writer=journal, guard=guard)
asyncio.run(shell.run(Stream(journal, [events])))
print(json.dumps([(topic.name, getattr(record, "close", None) or record.offset) for topic, record in journal.sent]))
"""


@pytest.mark.slow
def test_a_record_that_kills_the_process_is_found_and_passed_over(tmp_path: Path) -> None:
    environment = {"PYTHONPATH": f"{ROOT}:{Path(__file__).parent}"}
    ended = []
    for _ in range(12):
        command = [sys.executable, "-c", KILLER, str(tmp_path)]
        done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
        ended.append(done.returncode)
        if done.returncode != 9:
            break
    assert ended[-1] == 0, done.stderr
    sent = json.loads(done.stdout)
    assert [made for topic, made in sent if topic == "bars"] == [1.0, 2.0, 4.0, 6.0]
    assert sorted(made for topic, made in sent if topic == "dead-letters") == [2, 4]
    assert 4 <= len(ended) <= 9  # three deaths, one more record by record, and fewer for the second
    assert "quarantined after" in (tmp_path / "skips.json").read_text()


class Full(Sum):
    """A sum on a machine whose disk is full."""

    def step(self, state: float, parts: Sequence[Part[Tick]]) -> tuple[float, list[Output]]:  # noqa: ARG002 - as every stage
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_machine_without_room_is_no_records_fault_however_often_the_process_ends(tmp_path: Path) -> None:
    for _ in range(5):
        guard = Guard(skips=Skips(tmp_path / "skips.json", "worker"), notes=Notes(tmp_path / "notes"))
        with pytest.raises(OSError, match="No space left"):
            run(Full(), [event(0, 1.0), event(1, 2.0)], guard=guard)
    guard = Guard(skips=Skips(tmp_path / "skips.json", "worker"), notes=Notes(tmp_path / "notes"))
    journal = run(Sum(), [event(0, 1.0), event(1, 2.0)], guard=guard)
    assert letters(journal) == []
    assert not (tmp_path / "skips.json").exists()


class Database:
    """Takes records in transactions, refuses some by their time, and cannot lay one out at all."""

    def __init__(self, away: bool = False) -> None:
        self.taken: list[tuple[int, str]] = []
        self.away = away

    async def write(self, records: Sequence[Struct], origins: Sequence[str]) -> None:
        times = [record.time for record in records if isinstance(record, Tick)]
        if self.away:
            raise StorageError("the database is away")
        if 3 in times:
            raise RefusedError("out of range")
        if 5 in times:
            raise OverflowError("too large for a column")
        self.taken += zip(times, origins, strict=True)


def test_a_row_that_the_database_refuses_does_not_hold_back_the_others() -> None:
    ticks = [Tick("A", time, 1.0, 1.0) for time in range(9)]
    origins = [f"0-{time}-0" for time in range(9)]
    database = Database()
    refused = asyncio.run(store(database.write, ticks, origins))
    assert refused == {3: "out of range", 5: "OverflowError: too large for a column"}
    assert sorted(database.taken) == [(time, f"0-{time}-0") for time in range(9) if time not in (3, 5)]


def test_a_database_that_is_away_is_no_records_fault() -> None:
    with pytest.raises(StorageError, match="away"):
        asyncio.run(store(Database(away=True).write, [Tick("A", 1, 1.0, 1.0)] * 2, ["a", "b"]))


def test_a_disk_that_is_full_is_no_records_fault() -> None:
    async def write(_records: Sequence[Struct], _origins: Sequence[str]) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        asyncio.run(store(write, [Tick("A", 1, 1.0, 1.0)] * 2, ["a", "b"]))


TRIES = """
import os, stamina
from settings import Settings
from observability import logs
logs.configure("persist", Settings())
tries = 0
for attempt in stamina.retry_context(KeyError, attempts=3, wait_initial=0.01):
    with attempt:
        tries += 1
        if tries < 3:
            raise KeyError
os._exit(tries)
"""


def test_a_log_on_a_full_disk_does_not_end_what_is_tried_again() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([sys.executable, "-c", TRIES], cwd=ROOT, check=False, stdout=full, stderr=full)
    assert done.returncode == 3
