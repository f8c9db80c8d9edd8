"""Fetches from Kafka: a batch that cannot be decompressed or read does not block the following ones.

aiokafka raises at such a batch, and loses the batches before it in the same answer; the next fetch returns it again.
Here a record replaces it, with an empty value and the reason (`topics.codec.UnreadableValue`): readers make a dead
letter of it, and continue after it.
"""

from dataclasses import replace
from typing import Any

import aiokafka.consumer.fetcher
from aiokafka.structs import ConsumerRecord

from broker import decompression_limit
from topics.catalog import MAX_MESSAGE_BYTES
from topics.codec import UnreadableValue


class _Batches:
    """The batches of an answer; `current` is the one that was given last."""

    def __init__(self, records: Any) -> None:
        self._records = records
        self.current: Any = None

    def has_next(self) -> bool:
        return bool(self._records.has_next())

    def next_batch(self) -> Any:
        self.current = None
        self.current = self._records.next_batch()
        return self.current


class Records(aiokafka.consumer.fetcher.PartitionRecords):  # type: ignore[misc, unused-ignore] # aiokafka has no types
    """The records of a partition in an answer, with one in place of each unreadable batch."""

    def __init__(self, tp: Any, records: Any, *others: Any, **named: Any) -> None:
        self._batches = _Batches(records)
        self.next_fetch_offset: int
        super().__init__(tp, self._batches, *others, **named)

    def __next__(self) -> ConsumerRecord:
        try:
            return super().__next__()
        except StopIteration:
            raise
        except Exception as error:
            batch = self._batches.current
            if batch is None or "Invalid CRC" in str(error):  # a fault on the way: it is fetched again
                raise
            return self._stand_in(batch, error)

    def _stand_in(self, batch: Any, error: Exception) -> ConsumerRecord:
        first, last = max(batch.base_offset, self.next_fetch_offset), batch.next_offset - 1
        self.next_fetch_offset = batch.next_offset
        self._records_iterator = self._unpack_records()  # continues with the next batch
        reason = f"offsets {first} to {last} cannot be read: {error}" if first < last else str(error)
        time, kind = max(batch.max_timestamp, 0), batch.timestamp_type or 0
        return ConsumerRecord(
            self._tp.topic, self._tp.partition, last, time, kind, None, UnreadableValue(reason), None, -1, 0, ()
        )

    def _consumer_record(self, tp: Any, record: Any) -> ConsumerRecord:
        result: ConsumerRecord = super()._consumer_record(tp, record)
        if result.serialized_value_size > MAX_MESSAGE_BYTES:
            reason = f"the value has {result.serialized_value_size} bytes, more than {MAX_MESSAGE_BYTES}"
            return replace(result, value=UnreadableValue(reason), serialized_value_size=0)
        return result


def install() -> None:
    """Have every consumer of the process read through this, Faust's too."""
    decompression_limit.install()
    aiokafka.consumer.fetcher.PartitionRecords = Records
