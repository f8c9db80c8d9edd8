"""Rows of a JSON file, in blocks: an array of arrays or objects, an object a line, or a venue's answer with rows in it.

Python writes NaN where JSON has no word for it: that is an empty cell.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

import msgspec

from sources.errors import SourceError, UnknownFormatError
from sources.names import symbol_of

BLOCK_BYTES = 4 << 20
HEAD_BYTES = 1 << 18
"""The first block is small: a file is recognised by it."""
MOST_BYTES = 256 << 20
"""A document that is not an array is read whole."""
_CUTS = 64
"""How often it is tried to end a block a row earlier: rows may hold rows."""
_TAIL = 1 << 16
_END = re.compile(rb"[\]}]\s*,")
Row = list[str | None]


@dataclass(frozen=True)
class Block:
    """Rows as text, with the names of their columns where the file has any, and what the file calls their symbol."""

    names: tuple[str, ...] | None
    rows: list[Row]
    symbol: str | None = None


def json_rows(stream: IO[bytes], name: str) -> Iterator[Block]:
    """Yield the rows in blocks. What is an object or an array within a row is left out.

    The columns are all that the objects of the first block have. Raises SourceError where the text is not of such rows.
    """
    start = stream.read(min(HEAD_BYTES, BLOCK_BYTES)).lstrip()
    keys: tuple[str, ...] | None = None
    blocks = _arrays(stream, start[1:], name) if start[:1] == b"[" else _objects(stream, start, name)
    for values, names, symbol in blocks:
        if values and all(isinstance(value, dict) for value in values):
            keys = keys or _keys(values)
            yield Block(keys, [[_text(value.get(key)) for key in keys] for value in values], symbol)
        elif values and all(isinstance(value, list) for value in values):
            yield Block(names, [[_text(cell) for cell in value] for value in values], symbol)
        elif values:
            raise UnknownFormatError(f"{name}: unknown format, the JSON is no array of rows, and no object a line")


Found = tuple[list[Any], tuple[str, ...] | None, str | None]


def _keys(values: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    """Return the keys of all objects in the order in which they come, without those that never hold a single value."""
    flat: dict[str, bool] = {}
    for value in values:
        for key, cell in value.items():
            flat[key] = flat.get(key, False) or not isinstance(cell, list | dict)
    return tuple(key for key, is_flat in flat.items() if is_flat) or tuple(flat)


def _text(cell: object) -> str | None:
    if isinstance(cell, float):
        return repr(cell) if cell == cell else None  # noqa: PLR0124 - NaN
    if isinstance(cell, str):
        return cell
    return None if cell is None or isinstance(cell, list | dict) else str(cell)


def _arrays(stream: IO[bytes], rest: bytes, name: str) -> Iterator[Found]:
    """Yield the rows of an array, a block at a time."""
    while True:
        more = stream.read(BLOCK_BYTES)
        ends = _ends(rest) if more else [rest.rfind(b"]")]
        end, values = _cut(rest, [end for end in reversed(ends) if end > 0], name, last=not more)
        if values:
            yield values, None, None
            rest = rest[end:].lstrip().removeprefix(b",")
        if not more:
            return
        rest += more
        if len(rest) > MOST_BYTES:
            raise SourceError(f"{name}: the JSON has a row of more than {MOST_BYTES >> 20} MiB")


def _ends(text: bytes) -> list[int]:
    """Return where the last objects and arrays of a text end."""
    begin = max(0, len(text) - _TAIL)
    found = [match.start() + 1 for match in _END.finditer(text, begin)] or [
        match.start() + 1 for match in _END.finditer(text)
    ]
    return found[-_CUTS:]


def _cut(text: bytes, ends: Sequence[int], name: str, *, last: bool) -> tuple[int, list[Any]]:
    """Return the last end at which whole rows lie before, and those rows; none where there is no such end."""
    problem: SourceError | None = None
    for decode in (msgspec.json.decode, json.loads):
        for end in ends:
            try:
                return end, list(decode(b"[" + text[:end] + b"]"))
            except (msgspec.DecodeError, ValueError, RecursionError) as error:
                problem = problem or _unreadable(name, error)
    if last and problem is not None:
        raise problem
    return 0, []


def _objects(stream: IO[bytes], start: bytes, name: str) -> Iterator[Found]:
    """Yield the rows of a file that begins with an object: one a line, or one that holds them."""
    line, _, rest = start.partition(b"\n")
    try:
        first = _decode(line, name)
    except SourceError:
        first = None
    if isinstance(first, dict) and rest.strip():
        yield from _lines(stream, start, name)
        return
    text = start + stream.read(MOST_BYTES)
    if len(text) > MOST_BYTES:
        raise SourceError(f"{name}: the JSON is one document of more than {MOST_BYTES >> 20} MiB, not rows")
    yield _within(_decode(text, name), name)


def _lines(stream: IO[bytes], rest: bytes, name: str) -> Iterator[Found]:
    while rest:
        more = stream.read(BLOCK_BYTES)
        end = rest.rfind(b"\n") + 1 if more else len(rest)
        if end:
            rows = b"[" + b",".join(line for line in rest[:end].splitlines() if line.strip()) + b"]"
            yield _decode(rows, name), None, None
        rest = rest[end:] + more


def _within(document: Any, name: str) -> Found:
    """Return the rows that a document holds: its one array of rows, columns of one length, or itself as a row."""
    arrays = list(_nested(document))
    if len(arrays) == 1:
        key, rows, beside = arrays[0]
        names = beside.get("columns") if isinstance(beside.get("columns"), list) else None
        told = next((beside[one] for one in ("symbol", "instrument", "pair") if isinstance(beside.get(one), str)), None)
        symbol = told or (key if symbol_of(key or "") else None)
        return rows, None if names is None else tuple(map(str, names)), symbol
    if arrays:
        raise UnknownFormatError(
            f"{name}: unknown format, the JSON holds {len(arrays)} arrays of rows; save each in a file"
        )
    columns = _columns(document)
    if columns:
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)], None, None
    if isinstance(document, dict) and any(not isinstance(cell, list | dict) for cell in document.values()):
        return [document], None, None
    raise UnknownFormatError(f"{name}: unknown format, the JSON holds no array of rows")


def _nested(document: Any) -> Iterator[tuple[str | None, list[Any], dict[str, Any]]]:
    """Yield each array of arrays or objects below an object, with its key and the object that holds it."""
    for name, value in document.items() if isinstance(document, dict) else ():
        if isinstance(value, dict):
            yield from _nested(value)
        elif isinstance(value, list) and value and all(isinstance(row, list | dict) for row in value):
            yield name, value, document


def _columns(document: Any) -> dict[str, list[Any]]:
    """Return the arrays of single values that are the most of one length: the columns of a table."""
    objects = [document]
    for one in objects:
        objects += [value for value in one.values() if isinstance(value, dict)] if isinstance(one, dict) else []
    for one in objects:
        arrays = {key: value for key, value in one.items() if isinstance(value, list) and value} if one else {}
        lengths = {len(value) for value in arrays.values()}
        if len(arrays) > 2 and len(lengths) == 1:
            return arrays
    return {}


def _decode(text: bytes, name: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            raise _unreadable(name, error) from error


def _unreadable(name: str, error: Exception) -> SourceError:
    return SourceError(f"{name}: the JSON cannot be read: {error}")
