"""What is fetched from Kafka: a batch that cannot be unpacked or read keeps nobody from what follows.

aiokafka raises at such a batch, and loses what it had unpacked before it in the same answer; asked again it meets the
batch again. Here a record stands in for it, with an empty value that says why (`topics.codec.Unread`): whoever
reads makes a dead letter of it, and goes on behind it.
"""

from dataclasses import replace
from typing import Any

import aiokafka.consumer.fetcher
from aiokafka.structs import ConsumerRecord

from sources import unpacking
from topics.catalog import MAX_MESSAGE_BYTES
from topics.codec import Unread


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


class Records(aiokafka.consumer.fetcher.PartitionRecords):  # type: ignore[misc, unused-ignore]
    """The records of a partition in an answer, with one that stands in for each batch that cannot be read."""

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
        self._records_iterator = self._unpack_records()  # goes on with the next batch
        reason = f"offsets {first} to {last} cannot be read: {error}" if first < last else str(error)
        time, kind = max(batch.max_timestamp, 0), batch.timestamp_type or 0
        return ConsumerRecord(
            self._tp.topic, self._tp.partition, last, time, kind, None, Unread(reason), None, -1, 0, ()
        )

    def _consumer_record(self, tp: Any, record: Any) -> ConsumerRecord:
        found: ConsumerRecord = super()._consumer_record(tp, record)
        if found.serialized_value_size > MAX_MESSAGE_BYTES:
            reason = f"the value has {found.serialized_value_size} bytes, more than {MAX_MESSAGE_BYTES}"
            return replace(found, value=Unread(reason), serialized_value_size=0)
        return found


def install() -> None:
    """Have every consumer of the process read through this, Faust's too."""
    unpacking.install()
    aiokafka.consumer.fetcher.PartitionRecords = Records
