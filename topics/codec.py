"""Records to bytes and back. A value on the wire is a *frame*: one JSON object, or an array of them in time order."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import Any, Generic, Self, TypeVar

import msgspec
from msgspec import Struct

from topics.records import PATTERNS

VERSION_HEADER = "foretick-version"
VERSION = b"1"
ARRIVED_HEADER = "foretick-arrived"
"""When the tick or bar behind a record was appended to its topic, epoch ms in digits: how long a record took."""
HEADERS: list[tuple[str, bytes]] = [(VERSION_HEADER, VERSION)]

R = TypeVar("R", bound=Struct)
_encoder = msgspec.json.Encoder()
_raw_decoder = msgspec.json.Decoder(list[msgspec.Raw])


class Unread(bytes):
    """The empty value of a record that could not be fetched whole; `reason` says why."""

    reason: str

    def __new__(cls, reason: str) -> Self:
        """Return one for that reason."""
        made = super().__new__(cls)
        made.reason = reason
        return made


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


@dataclass(frozen=True)
class _Reader(Generic[R]):
    """Reads one record or many of a type; raises msgspec's errors."""

    one: msgspec.json.Decoder[R]
    many: msgspec.json.Decoder[list[R]]
    patterns: tuple[tuple[str, re.Pattern[str]], ...]

    def read(self, value: bytes | msgspec.Raw) -> list[R]:
        """Return the records of an array, or the one that is the value."""
        array = isinstance(value, bytes) and value.lstrip()[:1] == b"["
        records = self.many.decode(value) if array else [self.one.decode(value)]
        for name, pattern in self.patterns:
            for text in set(map(attrgetter(name), records)):
                if text is not None and not pattern.search(text):
                    raise msgspec.ValidationError(f"Expected `str` matching regex {pattern.pattern!r} - at `$.{name}`")
        return records


@cache
def _reader(record: type[R]) -> _Reader[R]:
    patterns = [(name, re.compile(text)) for name, text in PATTERNS.items() if name in record.__struct_fields__]
    return _Reader(msgspec.json.Decoder(record), msgspec.json.Decoder(list[record]), tuple(patterns))  # type: ignore[valid-type]


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
        reason = value.reason if isinstance(value, Unread) else "the value is empty"
        return Frame([], [Rejected(0, b"", reason)])
    reader = _reader(record)
    try:
        return Frame(reader.read(value), [])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return _decode_each(value, reader, str(error))


def _decode_each(value: bytes, reader: _Reader[R], whole_reason: str) -> Frame[R]:
    try:
        parts = _raw_decoder.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Frame([], [Rejected(0, value, whole_reason)])
    frame: Frame[R] = Frame([], [])
    for row, part in enumerate(parts):
        try:
            frame.records.extend(reader.read(part))
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
        "description": "A Kafka record's value is a frame, in UTF-8: one record as an object, or several of one "
        "key, in the order in which they were made, as an array. Fields that are not there have their default.",
        "anyOf": [ref, {"type": "array", "items": ref, "minItems": 1}],
        "$defs": components,
    }
