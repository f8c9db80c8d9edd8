"""Records to bytes and back. A value on the wire is a *frame*: one JSON object, or an array of them in time order."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from operator import attrgetter
from typing import Any, Generic, Self, TypeVar

import msgspec
from msgspec import Struct

from topics.bounds import BOUNDS, Bounds
from topics.limits import LONGEST_NAME, PLAIN
from topics.reach import Reach, clocks, patterns, unbounded

VERSION_HEADER = "foretick-version"
VERSION = b"1"
ARRIVED_HEADER = "foretick-arrived"
"""When the tick or bar behind a record was appended to its topic, epoch ms in digits: how long a record took."""
HEADERS: list[tuple[str, bytes]] = [(VERSION_HEADER, VERSION)]
LONGEST_REASON = 500
"""Characters of a reason: what was wrong may be as long as the value."""

R = TypeVar("R", bound=Struct)
_encoder = msgspec.json.Encoder()
_raw_decoder = msgspec.json.Decoder(list[msgspec.Raw])
_UNREADABLE = (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError)
"""What reading can raise: msgspec's errors, UnicodeDecodeError among them; and where brackets are nested too deep."""


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
    """What a value held: the records that could be read, in order, with their places, and the parts that could not."""

    records: list[R]
    rejected: list[Rejected]
    rows: Sequence[int] = ()


class _Texts:
    """The texts in one place of a record, and the pattern that each of them must match as a whole."""

    def __init__(self, place: str, pattern: str, reach: Reach) -> None:
        self.place, self.pattern, self.reach = place, pattern, reach
        # Nearly all are names that were met before; whoever writes to the topics makes them up.
        self._fits = lru_cache(4_096)(re.compile(pattern).fullmatch)

    def check(self, records: Iterable[Any]) -> None:
        """Raise msgspec.ValidationError where a text does not match."""
        for text in set(self.reach(records)):
            if text is not None and not self._fits(text):
                raise msgspec.ValidationError(f"Expected `str` matching regex {self.pattern!r} - at `${self.place}`")


@dataclass(frozen=True)
class _Reader(Generic[R]):
    """Reads one record or many of a type; raises one of `_UNREADABLE`.

    msgspec sees to types, lengths and numbers. What it would look at record by record in Python is looked at once a
    frame: its different names, and, where the bytes tell that there can be any, whether control characters are in it.
    """

    one: msgspec.json.Decoder[R]
    many: msgspec.json.Decoder[list[R]]
    named: tuple[_Texts, ...]
    plain: tuple[_Texts, ...]
    keys: tuple[tuple[str, Reach], ...]
    clocks: tuple[Reach, ...]
    series: Reach | None

    def read(self, value: bytes | msgspec.Raw, latest: int | None, bounds: Bounds) -> list[R]:
        """Return the records of an array, or the one that is the value."""
        data = bytes(value)
        array = data is value and data.lstrip()[:1] == b"["
        records = self.many.decode(value) if array else [self.one.decode(value)]
        if len(records) > bounds.rows:
            raise _TooMuchError(f"{len(records)} rows in one value; {bounds.rows} are the most")
        for place, reach in self.keys:  # first: what is looked at below is remembered
            if any(len(key) > LONGEST_NAME for key in set(reach(records))):
                raise msgspec.ValidationError(f"Expected `str` of length <= {LONGEST_NAME} - at `${place}`")
        for texts in self.named:
            texts.check(records)
        if not data.isascii() or b"\\" in data or b"\x7f" in data:  # JSON itself allows no other control characters
            for texts in self.plain:
                texts.check(records)
        if len(records) > bounds.series:
            self.count_series(records, bounds)
        if latest is not None:
            for reach in self.clocks:
                newest = max(filter(None, reach(records)), default=0)
                if newest > latest:
                    raise ValueError(f"time {newest} is {(newest - latest) / 1000:,.0f} s later than may be by now")
        return records

    def count_series(self, records: list[R], bounds: Bounds) -> None:
        """Refuse the records of too many symbols and intervals: a state is kept of each."""
        found = set(self.series(records)) if self.series is not None else ()
        if len(found) > bounds.series:
            raise _TooMuchError(f"{len(found)} symbols and intervals in one value; {bounds.series} are the most")


class _TooMuchError(ValueError):
    """The whole value is refused, whatever its parts are."""


@cache
def _reader(record: type[R]) -> _Reader[R]:
    found = [_Texts(*one) for one in patterns(record)]
    keys = [name for name in ("symbol", "interval") if name in record.__struct_fields__]
    return _Reader(
        msgspec.json.Decoder(record),
        msgspec.json.Decoder(list[record]),  # type: ignore[valid-type]
        tuple(texts for texts in found if texts.pattern != PLAIN),
        tuple(texts for texts in found if texts.pattern == PLAIN),
        tuple(unbounded(record)),
        tuple(clocks(record)),
        partial(map, attrgetter(*keys)) if keys else None,
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
) -> Frame[R]:
    """Read a frame of that record; never raises. What cannot be read is in `rejected`, and holds nothing else back.

    Where `latest` (epoch ms) is given, a record of a later time is none. At most `bounds.rejected` parts are listed one
    by one; the last that is tells how many more there are.
    """
    version = dict(headers or ()).get(VERSION_HEADER, VERSION) or b""
    if version != VERSION:
        reason = f"version {version[:40].decode(errors='replace')} of the format is not {VERSION.decode()}"
        return Frame([], [Rejected(0, value or b"", reason)])
    if not value:
        reason = value.reason if isinstance(value, Unread) else "the value is empty"
        return Frame([], [Rejected(0, b"", reason)])
    if len(value) > bounds.bytes:
        return Frame([], [Rejected(0, value, f"{len(value)} bytes; {bounds.bytes} are the most")])
    reader = _reader(record)
    try:
        records = reader.read(value, latest, bounds)
    except _TooMuchError as error:
        return Frame([], [Rejected(0, value, str(error))])
    except _UNREADABLE as error:
        return _decode_each(value, reader, _said(error), latest, bounds)
    return Frame(records, [], range(len(records)))


def _decode_each(value: bytes, reader: _Reader[R], whole_reason: str, latest: int | None, bounds: Bounds) -> Frame[R]:
    try:
        parts = _raw_decoder.decode(value)
    except _UNREADABLE:
        return Frame([], [Rejected(0, value, whole_reason)])
    if len(parts) > bounds.rows:
        reason = f"{len(parts)} rows in one value; {bounds.rows} are the most ({whole_reason})"
        return Frame([], [Rejected(0, value, reason[:LONGEST_REASON])])
    records: list[R] = []
    rows: list[int] = []
    rejected: list[Rejected] = []
    more = 0
    for row, part in enumerate(parts):
        try:
            records += reader.read(part, latest, bounds)
            rows.append(row)
        except _UNREADABLE as error:
            if len(rejected) < bounds.rejected:
                rejected.append(Rejected(row, bytes(part), _said(error)))
            else:
                more += 1
    if more:
        last = rejected[-1]
        reason = f"{last.reason} (and {more} more parts of this value are no records: they are not listed)"
        rejected[-1] = Rejected(last.row, last.value, reason)
    try:
        reader.count_series(records, bounds)
    except _TooMuchError as error:
        return Frame([], [Rejected(0, value, str(error))])
    return Frame(records, rejected, rows)


def _said(error: Exception) -> str:
    """Return in a line why something could not be read."""
    text = "its brackets are nested too deep" if isinstance(error, RecursionError) else str(error)
    return text if len(text) <= LONGEST_REASON else f"{text[: LONGEST_REASON - 1]}…"


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
