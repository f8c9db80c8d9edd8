"""Dead letters that are small enough to be sent, whatever they are about."""

from topics.records import DeadLetter

VALUE_BYTES, KEY_BYTES, REASON_LENGTH = 65_536, 1_024, 500
"""What a letter holds at most. Where it lies in Kafka stays, so that all of it can be read there."""


def letter(
    topic: str, partition: int, offset: int, time: int, key: bytes | None, row: int, value: bytes, reason: str
) -> DeadLetter:
    """Return the dead letter of a part of a record; `time` in epoch ms, 0 where it is unknown."""
    size = len(value) if len(value) > VALUE_BYTES else None
    said = " ".join(reason.split())
    if len(said) > REASON_LENGTH:
        said = said[: REASON_LENGTH - 1] + "…"
    shown_key = key[:KEY_BYTES] if key else None
    return DeadLetter(topic, partition, offset, said, bytes(value[:VALUE_BYTES]), max(time, 0), shown_key, row, size)
