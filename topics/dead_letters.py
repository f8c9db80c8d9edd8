"""Makes dead letters of bounded size."""

from topics.records import DeadLetter

VALUE_BYTES, KEY_BYTES, REASON_LENGTH = 65_536, 1_024, 500
"""The most bytes of the value in a dead letter. Its origin in Kafka is kept, where all of it can be read."""


def dead_letter(
    topic: str, partition: int, offset: int, time: int, key: bytes | None, row: int, value: bytes, reason: str
) -> DeadLetter:
    """Return the dead letter of a part of a record; `time` in epoch ms, 0 if unknown."""
    size = len(value) if len(value) > VALUE_BYTES else None
    text = " ".join(reason.split())
    if len(text) > REASON_LENGTH:
        text = text[: REASON_LENGTH - 1] + "…"
    shown_key = key[:KEY_BYTES] if key else None
    return DeadLetter(
        topic=topic,
        partition=partition,
        offset=offset,
        reason=text,
        value=bytes(value[:VALUE_BYTES]),
        time=max(time, 0),
        key=shown_key,
        row=row,
        size=size,
    )
