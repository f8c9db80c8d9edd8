"""The producer's compression: aiokafka has no setting for its level."""

import cramjam
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from broker.producer import ZSTD_LEVEL

ZSTD = 4


def test_records_are_compressed_at_our_level() -> None:
    value = b"".join(b'{"number":%d},' % (number * 7_919 % 10_007) for number in range(5_000))
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=ZSTD,
        is_transactional=False,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=1_000_000,
    )
    builder.append(0, timestamp=0, key=None, value=value, headers=[])
    sizes = {level: len(cramjam.zstd.compress(value, level=level)) for level in (1, 3)}
    assert abs(sizes[1] - sizes[3]) > 200
    assert abs(len(builder.build()) - sizes[ZSTD_LEVEL]) < 150
