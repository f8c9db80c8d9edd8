"""Records to bytes and back. A value on the wire is a *frame*: one JSON object, or an array of them in time order."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from operator import attrgetter
from typing import Any, Generic, Self, TypeVar

import msgspec
from msgspec import Struct

from topics.field_paths import FieldPath, clocks, patterns, unbounded
from topics.former import renewed
from topics.limits import LONGEST_NAME, PLAIN, SYMBOL
from topics.markets import canonical
from topics.value_size import BOUNDS, Bounds

VERSION_HEADER = "foretick-version"
VERSION = b"1"
ARRIVED_HEADER = "foretick-arrived"
"""The time at which a record's tick or bar was appended to its topic, epoch ms in digits: gives the record's
latency."""
TRACE_HEADER = "traceparent"
"""The span in which a record was made, if that is traced: W3C Trace Context."""
HEADERS: list[tuple[str, bytes]] = [(VERSION_HEADER, VERSION)]
LONGEST_REASON = 500
"""The most characters of a reason: the quoted value may be long."""

R = TypeVar("R", bound=Struct)
_encoder = msgspec.json.Encoder()
_raw_decoder = msgspec.json.Decoder(list[msgspec.Raw])
_UNREADABLE = (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError)
"""The errors of decoding: msgspec's, UnicodeDecodeError among them, and RecursionError for deep nesting."""


class UnreadableValue(bytes):
    """The empty value of a record that could not be fetched completely, with the `reason`."""

    reason: str

    def __new__(cls, reason: str) -> Self:
        """Return one with that reason."""
        made = super().__new__(cls)
        made.reason = reason
        return made


@dataclass(frozen=True)
class RejectedPart:
    """A part of a frame that is no record: its index in the frame, its bytes, and the reason."""

    row: int
    value: bytes
    reason: str


@dataclass(frozen=True)
class DecodedFrame(Generic[R]):
    """A decoded value: its valid records, in order, with their indices, and the rejected parts."""

    records: list[R]
    rejected: list[RejectedPart]
    rows: Sequence[int] = ()


class _Texts:
    """The texts in one field of a record, and the pattern that each must match completely."""

    def __init__(self, place: str, pattern: str, reach: FieldPath) -> None:
        self.place, self.pattern, self.reach = place, pattern, reach
        # Nearly all names have been checked before; the cache is bounded, since producers choose them.
        self._fits = lru_cache(4_096)(re.compile(pattern).fullmatch)

    def check(self, records: Iterable[Any]) -> None:
        """Raise msgspec.ValidationError if a text does not match."""
        for text in set(self.reach(records)):
            if text is None:
                continue
            if self.pattern == SYMBOL and canonical(text) != text and self._fits(canonical(text)):
                raise msgspec.ValidationError(f"symbol {text!r} is spelled {canonical(text)} - at `${self.place}`")
            if not self._fits(text):
                raise msgspec.ValidationError(f"Expected `str` matching regex {self.pattern!r} - at `${self.place}`")


@dataclass(frozen=True, kw_only=True)
class _Reader(Generic[R]):
    """Reads one record or many of a type; raises one of `_UNREADABLE`.

    msgspec checks types, lengths and numbers. Checks that it would call for each record in Python are made once a
    frame: the distinct names and, if the bytes can contain any, control characters.
    """

    one: msgspec.json.Decoder[R]
    many: msgspec.json.Decoder[list[R]]
    named: tuple[_Texts, ...]
    plain: tuple[_Texts, ...]
    keys: tuple[tuple[str, FieldPath], ...]
    clocks: tuple[FieldPath, ...]
    series: FieldPath | None
    record: type[R]

    def read(self, value: bytes | msgspec.Raw, latest: int | None, bounds: Bounds) -> list[R]:
        """Return the records of an array, or the single record."""
        data = renewed(bytes(value), self.record)
        array = not isinstance(value, msgspec.Raw) and data.lstrip()[:1] == b"["
        records = self.many.decode(data) if array else [self.one.decode(data)]
        if len(records) > bounds.rows:
            raise _TooMuchError(f"{len(records)} rows in one value; at most {bounds.rows} are allowed")
        self.check(records, data, latest)
        if len(records) > bounds.series:
            self.count_series(records, bounds)
        return records

    def check(self, records: list[R], data: bytes, latest: int | None) -> None:
        """Raise what `read` does if a record is not valid; `data` has the bytes that they were read from."""
        for place, reach in self.keys:  # first, since the checks below cache the texts
            if any(len(key) > LONGEST_NAME for key in set(reach(records))):
                raise msgspec.ValidationError(f"Expected `str` of length <= {LONGEST_NAME} - at `${place}`")
        for texts in self.named:
            texts.check(records)
        if not data.isascii() or b"\\" in data or b"\x7f" in data:  # JSON itself allows no other control characters
            for texts in self.plain:
                texts.check(records)
        if latest is not None:
            for reach in self.clocks:
                newest = max(filter(None, reach(records)), default=0)
                if newest > latest:
                    raise ValueError(f"time {newest} is {(newest - latest) / 1000:,.0f} s later than allowed")

    def count_series(self, records: list[R], bounds: Bounds) -> None:
        """Refuse the records of too many symbols and intervals: there is a state for each."""
        result = set(self.series(records)) if self.series is not None else ()
        if len(result) > bounds.series:
            raise _TooMuchError(
                f"{len(result)} symbols and intervals in one value; at most {bounds.series} are allowed"
            )


class _TooMuchError(ValueError):
    """The whole value is refused, whatever its parts."""


@cache
def _reader(record: type[R]) -> _Reader[R]:
    textses = [_Texts(*one) for one in patterns(record)]
    keys = [name for name in ("symbol", "interval") if name in record.__struct_fields__]
    return _Reader(
        one=msgspec.json.Decoder(record),
        many=msgspec.json.Decoder(list[record]),  # type: ignore[valid-type] # msgspec takes a type that is known only when it runs
        named=tuple(texts for texts in textses if texts.pattern != PLAIN),
        plain=tuple(texts for texts in textses if texts.pattern == PLAIN),
        keys=tuple(unbounded(record)),
        clocks=tuple(clocks(record)),
        series=partial(map, attrgetter(*keys)) if keys else None,
        record=record,
    )


def encode(records: Sequence[Struct]) -> bytes:
    """Return a frame: one record as an object, several as an array. NaN becomes null."""
    return _encoder.encode(records[0] if len(records) == 1 else records)


def encode_one(record: Struct) -> bytes:
    """Return one record as an object."""
    return _encoder.encode(record)


def decode(
    value: bytes | None,
    record: type[R],
    headers: Iterable[tuple[str, bytes | None]] | None = None,
    *,
    latest: int | None = None,
    bounds: Bounds = BOUNDS,
) -> DecodedFrame[R]:
    """Read a frame of that record; never raises. Unreadable parts are in `rejected`, and do not affect the others.

    If `latest` (epoch ms) is given, a record of a later time is rejected. At most `bounds.rejected` parts are listed
    one by one; the last of them has the number of the others.
    """
    version = dict(headers or ()).get(VERSION_HEADER, VERSION) or b""
    if version != VERSION:
        reason = f"version {version[:40].decode(errors='replace')} of the format is not {VERSION.decode()}"
        return DecodedFrame([], [RejectedPart(0, value or b"", reason)])
    if not value:
        reason = value.reason if isinstance(value, UnreadableValue) else "the value is empty"
        return DecodedFrame([], [RejectedPart(0, b"", reason)])
    if len(value) > bounds.bytes:
        return DecodedFrame([], [RejectedPart(0, value, f"{len(value)} bytes; at most {bounds.bytes} are allowed")])
    reader = _reader(record)
    try:
        records = reader.read(value, latest, bounds)
    except _TooMuchError as error:
        return DecodedFrame([], [RejectedPart(0, value, str(error))])
    except _UNREADABLE as error:
        return _decode_each(value, reader, _error_text(error), latest, bounds)
    return DecodedFrame(records, [], range(len(records)))


def decode_single(values: Sequence[bytes], record: type[R], *, latest: int | None = None) -> list[R] | None:
    """Return the one record of each value, as `decode` reads them one by one, but checked together.

    None if a value is not a single valid record: which, and why, `decode` tells.
    """
    reader, one = _reader(record), _reader(record).one.decode
    try:
        records = [one(renewed(value, record)) for value in values]
        reader.check(records, b"".join(values), latest)
    except _UNREADABLE:
        return None
    return records


def _decode_each(
    value: bytes, reader: _Reader[R], whole_reason: str, latest: int | None, bounds: Bounds
) -> DecodedFrame[R]:
    try:
        parts = _raw_decoder.decode(value)
    except _UNREADABLE:
        return DecodedFrame([], [RejectedPart(0, value, whole_reason)])
    if len(parts) > bounds.rows:
        reason = f"{len(parts)} rows in one value; at most {bounds.rows} are allowed ({whole_reason})"
        return DecodedFrame([], [RejectedPart(0, value, reason[:LONGEST_REASON])])
    records: list[R] = []
    rows: list[int] = []
    rejected: list[RejectedPart] = []
    more = 0
    for row, part in enumerate(parts):
        try:
            records += reader.read(part, latest, bounds)
            rows.append(row)
        except _UNREADABLE as error:
            if len(rejected) < bounds.rejected:
                rejected.append(RejectedPart(row, bytes(part), _error_text(error)))
            else:
                more += 1
    if more:
        last = rejected[-1]
        reason = f"{last.reason} (and {more} more parts of this value are invalid: they are not listed)"
        rejected[-1] = RejectedPart(last.row, last.value, reason)
    try:
        reader.count_series(records, bounds)
    except _TooMuchError as error:
        return DecodedFrame([], [RejectedPart(0, value, str(error))])
    return DecodedFrame(records, rejected, rows)


def _error_text(error: Exception) -> str:
    """Return the error's text in one line."""
    text = "its brackets are nested too deep" if isinstance(error, RecursionError) else str(error)
    return text if len(text) <= LONGEST_REASON else f"{text[: LONGEST_REASON - 1]}…"


def schema(record: type[Struct]) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a value with this record: one object, or an array of them."""
    _, components = msgspec.json.schema_components([record], ref_template="#/$defs/{name}")
    ref = {"$ref": f"#/$defs/{record.__name__}"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": record.__name__,
        "description": "A Kafka record's value is a frame, in UTF-8: one record as an object, or several of one "
        "key, in the order in which they were made, as an array. Missing fields have their default.",
        "anyOf": [ref, {"type": "array", "items": ref, "minItems": 1}],
        "$defs": components,
    }
