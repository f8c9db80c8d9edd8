"""Small Kafka records that reach an agent as one Faust event: what comes of them is what would come of each alone."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.structs import ConsumerRecord
from faust.types import TP
from shell_fakes import ARRIVED, Event, Journal, Stream, Sum, Table

from stream.bars import Bars
from stream.coalesced import MOST_RECORDS, SMALL_BYTES, Coalesced, Piece, coalesced, pieces
from stream.dead_letters import decode_event, decode_events
from stream.shell import Shell
from topics import codec
from topics.catalog import DEAD_LETTERS, TICKS
from topics.value_size import BOUNDS

PARTITION = TP("ticks", 0)


def record(offset: int, value: bytes | None, headers: Any = (), timestamp: int = ARRIVED) -> ConsumerRecord:
    return ConsumerRecord("ticks", 0, offset, timestamp, 0, b"BTCUSDT", value, None, 7, len(value or b""), headers)


def tick(number: int, price: float = 100.0, symbol: str = "BTCUSDT") -> bytes:
    return json.dumps({"symbol": symbol, "time": ARRIVED + number, "price": price, "amount": 1.0}).encode()


def event(fetched: Any) -> Event:
    """Return what Faust makes of a fetched record."""
    message = SimpleNamespace(
        topic="ticks",
        partition=0,
        offset=fetched.offset,
        timestamp=fetched.timestamp / 1000,
        key=fetched.key,
        value=fetched.value,
        headers=fetched.headers,
        generation_id=1,
    )
    return Event(message=message)


def worked(records: list[ConsumerRecord], together: bool, table: dict[bytes, bytes] | None = None) -> tuple[Any, ...]:
    """Return what a shell sends, stores and acknowledges of these records."""
    journal = Journal()
    kept = Table(journal)
    dict.update(kept, table or {})
    fetched = coalesced(PARTITION, records) if together else records
    stream = Stream(journal, [[event(one) for one in fetched]])
    asyncio.run(Shell(stage=Sum(), table=kept, writer=journal).run(stream))
    return journal.sent, dict(kept), [text for text in journal.happened if text.startswith("ack")][-1:]


HOSTILE = [
    tick(0),
    tick(1, -1.0),
    b"{",
    b"",
    b"null",
    b'{"symbol":"BTCUSDT"},{"symbol":"BTCUSDT"}',
    b"[" + tick(2) + b"," + tick(3, 2_000.0) + b"]",
    tick(4, 2_000.0),
    tick(5, symbol="ETHUSDT"),
    tick(90_000_000_000),
    json.dumps({"symbol": "BTC\u0007", "time": 1, "price": 1, "amount": 1}).encode(),
    tick(6),
]


def test_only_runs_of_small_records_with_consecutive_offsets_become_one() -> None:
    small = [record(offset, tick(offset)) for offset in (3, 4, 5, 9, 10)]
    large = record(11, b"[" + b" " * SMALL_BYTES + b"]")
    nothing = record(12, None)
    results = coalesced(PARTITION, [*small, large, nothing, record(13, b"{}")])
    assert [one.offset for one in results] == [5, 10, 11, 12, 13]
    assert [isinstance(one.value, Coalesced) for one in results] == [True, True, False, False, False]
    assert [part.offset for part in results[0].value.records] == [3, 4, 5]
    many = coalesced(PARTITION, [record(offset, b"{}") for offset in range(2 * MOST_RECORDS + 1)])
    assert [one.offset for one in many] == [MOST_RECORDS - 1, 2 * MOST_RECORDS - 1, 2 * MOST_RECORDS]


def test_each_record_keeps_its_offset_time_key_and_headers() -> None:
    headers = (("a", b"1"),)
    first, second = pieces([event(coalesced(PARTITION, [record(3, b"{}", headers, 5_000), record(4, b"[]")])[0])])
    assert first.message[1:7] == (0, 3, 5.0, b"BTCUSDT", b"{}", headers)
    assert (second.message.offset, second.message.value, first.last, second.last) == (4, b"[]", False, True)


@pytest.mark.parametrize("turn", range(len(HOSTILE)))
def test_coalesced_records_give_what_each_gives_alone(turn: int) -> None:
    values = HOSTILE[turn:] + HOSTILE[:turn]
    headers = [(codec.VERSION_HEADER, b"9")]
    records = [record(offset, value, headers if value == tick(6) else ()) for offset, value in enumerate(values)]
    (sent, states, ends), (one_by_one, others, ends_too) = worked(records, True), worked(records, False)
    key = lambda row: (row[0].name, str(row[1]))  # noqa: E731 - dead letters come before the rest of their slice
    assert sorted(sent, key=key) == sorted(one_by_one, key=key)
    assert (states, ends) == (others, ends_too)
    assert {letter.offset for topic, letter in sent if topic is DEAD_LETTERS} >= {values.index(b"{")}


def test_after_a_crash_in_the_middle_only_the_rest_is_folded() -> None:
    records = [record(offset, tick(offset)) for offset in range(6)]
    _, states, _ = worked(records[:4], True)
    sent, states, acked = worked(records, True, states)
    assert [row.time for _, row in sent] == [0, 0]  # two bars of the fake stage, for the offsets 4 and 5
    assert worked(records, False)[1] == states
    assert acked == ["ack 5"]


def test_records_decoded_together_equal_those_decoded_alone() -> None:
    some = [Piece(event(one), event(one).message, last=True) for one in map(record, range(len(HOSTILE)), HOSTILE)]
    good = some[:1] * 700
    each_with_one_wrong = [[*good[:3], wrong, *good[:3]] for wrong in some[1:]]
    for events in (some, good, *each_with_one_wrong):
        results = [(piece, tuple(rows), *others) for piece, (rows, *others) in decode_events(TICKS, events)]
        alone = [(piece, *decode_event(TICKS, piece, BOUNDS)) for piece in events]
        assert results == [(piece, tuple(rows), *others) for piece, rows, *others in alone]


def test_a_late_tick_among_coalesced_ones_is_a_dead_letter_with_its_own_offset() -> None:
    minutes = [record(minute, tick(minute * 60_000)) for minute in range(5)]
    late = record(5, tick(0, 7.0))
    journal = Journal()
    stream = Stream(journal, [[event(one) for one in coalesced(PARTITION, [*minutes, late])]])
    asyncio.run(Shell(stage=Bars("1m", 0), table=Table(journal), writer=journal).run(stream))
    (letter,) = [row for topic, row in journal.sent if topic is DEAD_LETTERS]
    assert (letter.offset, letter.row, json.loads(letter.value)["price"]) == (5, 0, 7.0)
