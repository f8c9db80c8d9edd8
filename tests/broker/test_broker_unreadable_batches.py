"""A batch that unpacks to too much, or cannot be read, is passed over with a record in its place."""

import gzip
import os
from typing import Any

import cramjam
import pytest
from aiokafka.codec import snappy_encode
from aiokafka.consumer import fetcher
from aiokafka.record._crc32c import crc
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import TopicPartition

from broker import decompression_limit, unreadable_batches
from topics.codec import UnreadableValue

unreadable_batches.install()

CODECS = {"gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
BOMB = b"x" * (40 << 20)


def batch(codec: int, *values: bytes, headers: list[tuple[Any, bytes]] | None = None) -> bytes:
    builder = DefaultRecordBatchBuilder(2, codec, False, -1, -1, -1, 1 << 30)
    for offset, value in enumerate(values):
        builder.append(offset, 1_000, b"key", value, headers or [])
    return bytes(builder.build())


def placed(data: bytes, offset: int) -> bytes:
    return offset.to_bytes(8, "big") + data[8:]  # the base offset is not under the checksum: the broker sets it


def read(*batches: bytes, at: int = 0) -> list[Any]:
    data, offset = b"", 0
    for one in batches:
        data += placed(one, offset)
        offset += int.from_bytes(one[23:27], "big") + 1
    records = MemoryRecords(data)
    partition = TopicPartition("bars", 1)
    return list(fetcher.PartitionRecords(partition, records, [], at, None, None, True, fetcher.READ_UNCOMMITTED))


def test_aiokafkas_fetcher_uses_our_records() -> None:
    assert fetcher.PartitionRecords is unreadable_batches.Records


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
def test_a_value_within_the_bound_is_unchanged(codec: int) -> None:
    values = [b"", b"one", os.urandom(100_000), b"abc" * 300_000]
    assert [record.value for record in read(batch(codec, *values))] == values


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
def test_a_decompression_bomb_is_one_unreadable_record_and_the_records_around_it_are_kept(codec: int) -> None:
    before, lost, last, after = read(batch(codec, b"1"), batch(codec, BOMB, b"2"), batch(0, b"3"), batch(codec, b"4"))
    assert [before.value, last.value, after.value] == [b"1", b"3", b"4"]
    assert [record.offset for record in (before, lost, last, after)] == [0, 2, 3, 4]
    assert isinstance(lost.value, UnreadableValue)
    assert lost.value == b""
    assert "offsets 1 to 2" in lost.value.reason
    assert "FORETICK_MAX_UNPACKED_MB=32" in lost.value.reason


def test_a_value_that_is_larger_than_a_message_may_be_is_not_taken_in() -> None:
    (one,) = read(batch(4, b"x" * (5 << 20)))
    assert isinstance(one.value, UnreadableValue)
    assert "5242880 bytes" in one.value.reason


def test_a_header_that_is_no_utf8_is_one_unreadable_record() -> None:
    wrong = batch(0, b"1", headers=[("name", b"x")]).replace(b"name", b"n\xffme")
    wrong = wrong[:17] + crc(wrong[21:]).to_bytes(4, "big") + wrong[21:]
    lost, after = read(wrong, batch(0, b"2"))
    assert isinstance(lost.value, UnreadableValue)
    assert (lost.offset, after.offset, after.value) == (0, 1, b"2")


def test_members_of_gzip_are_all_read_and_count_together() -> None:
    assert decompression_limit.DECODERS["gzip_decode"](gzip.compress(b"a") + gzip.compress(b"b")) == b"ab"
    with pytest.raises(decompression_limit.UnpackedSizeError):
        decompression_limit.DECODERS["gzip_decode"](gzip.compress(b"x" * (20 << 20)) * 2)


def test_snappy_blocks_count_together_and_a_wrong_length_is_an_error() -> None:
    with pytest.raises(decompression_limit.UnpackedSizeError):
        decompression_limit.DECODERS["snappy_decode"](snappy_encode(BOMB))
    with pytest.raises(cramjam.DecompressionError):
        decompression_limit.DECODERS["snappy_decode"](snappy_encode(b"x" * 9)[:16] + b"\xff\xff\xff\xfc" * 3)


def test_a_wrong_checksum_still_raises_so_that_the_fetch_is_repeated() -> None:
    with pytest.raises(Exception, match="Invalid CRC"):
        read(batch(0, b"1")[:-1] + b"9")
