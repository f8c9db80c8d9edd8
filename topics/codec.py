"""Records to bytes and back. A value on the wire is a *frame*: one JSON object, or an array of them in time order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct

VERSION_HEADER = "foretick-version"
VERSION = b"1"
HEADERS: list[tuple[str, bytes]] = [(VERSION_HEADER, VERSION)]

R = TypeVar("R", bound=Struct)
_encoder = msgspec.json.Encoder()
_raw_decoder = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(frozen=True)
class Rejected:
    """A part of a frame that is no record: its place in the frame, its bytes, and why."""

    row: int
    value: bytes
    reason: str


@dataclass(frozen=True)
class Frame(Generic[R]):
    """What a value held: the records that could be read, in order, and the parts that could not."""

    records: list[R]
    rejected: list[Rejected]


@cache
def _decoders(record: type[Struct]) -> tuple[msgspec.json.Decoder[Any], msgspec.json.Decoder[Any]]:
    return msgspec.json.Decoder(record), msgspec.json.Decoder(list[record])  # type: ignore[valid-type]


def encode(records: Sequence[Struct]) -> bytes:
    """Return a frame: one record as an object, several as an array. NaN becomes null."""
    return _encoder.encode(records[0] if len(records) == 1 else records)


def encode_one(record: Struct) -> bytes:
    """Return one record as an object."""
    return _encoder.encode(record)


def decode(value: bytes | None, record: type[R], headers: Iterable[tuple[str, bytes]] | None = None) -> Frame[R]:
    """Read a frame of that record; never raises. What cannot be read is in `rejected`, and holds nothing else back."""
    version = dict(headers or ()).get(VERSION_HEADER, VERSION)
    if version != VERSION:
        reason = f"version {version.decode(errors='replace')} of the format is not {VERSION.decode()}"
        return Frame([], [Rejected(0, value or b"", reason)])
    if not value:
        return Frame([], [Rejected(0, b"", "the value is empty")])
    one, many = _decoders(record)
    try:
        return Frame(many.decode(value) if value.lstrip()[:1] == b"[" else [one.decode(value)], [])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return _decode_each(value, one, str(error))


def _decode_each(value: bytes, one: msgspec.json.Decoder[R], whole_reason: str) -> Frame[R]:
    try:
        parts = _raw_decoder.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Frame([], [Rejected(0, value, whole_reason)])
    frame: Frame[R] = Frame([], [])
    for row, part in enumerate(parts):
        try:
            frame.records.append(one.decode(part))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            frame.rejected.append(Rejected(row, bytes(part), str(error)))
    return frame


def schema(record: type[Struct]) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a value that carries this record: one object, or an array of them."""
    _, components = msgspec.json.schema_components([record], ref_template="#/$defs/{name}")
    ref = {"$ref": f"#/$defs/{record.__name__}"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": record.__name__,
        "anyOf": [ref, {"type": "array", "items": ref, "minItems": 1}],
        "$defs": components,
    }
