"""Rows of a JSON file, in blocks: an array of arrays, an array of objects, or an object a line."""

from collections.abc import Iterator
from typing import IO, Any

import msgspec

from sources.errors import SourceError

BLOCK_BYTES = 4 << 20
Row = list[str | None]


def json_rows(stream: IO[bytes], name: str) -> Iterator[tuple[tuple[str, ...] | None, list[Row]]]:
    """Yield blocks of rows as text, with the keys of the first row where rows are objects (else None).

    A row is flat: it holds no array and no object. Raises SourceError where the text is not of such rows.
    """
    keys: tuple[str, ...] | None = None
    for values in _blocks(stream, name):
        if values and isinstance(values[0], dict):
            keys = keys or tuple(values[0])
            yield keys, [[_text(value.get(key)) for key in keys] for value in values if isinstance(value, dict)]
        elif values and isinstance(values[0], list):
            yield None, [[_text(cell) for cell in value] for value in values if isinstance(value, list)]
        elif values:
            raise SourceError(f"{name}: the JSON is no array of rows, and no object a line")


def _text(cell: object) -> str | None:
    return None if cell is None else str(cell)


def _blocks(stream: IO[bytes], name: str) -> Iterator[list[Any]]:
    rest = stream.read(BLOCK_BYTES).lstrip()
    if rest[:1] != b"[":
        yield from _lines(stream, rest, name)
        return
    rest = rest[1:]
    while True:
        more = stream.read(BLOCK_BYTES)
        # A row ends where a bracket is closed before a comma; the last ones end with the array.
        end = max(rest.rfind(b"],"), rest.rfind(b"},")) + 1 if more else rest.rfind(b"]")
        if end > 0:
            yield _decode(b"[" + rest[:end] + b"]", name)
            rest = rest[end:].lstrip().removeprefix(b",")
        if not more:
            return
        rest += more


def _lines(stream: IO[bytes], rest: bytes, name: str) -> Iterator[list[Any]]:
    while rest:
        more = stream.read(BLOCK_BYTES)
        end = rest.rfind(b"\n") + 1 if more else len(rest)
        if end:
            yield _decode(b"[" + b",".join(line for line in rest[:end].splitlines() if line.strip()) + b"]", name)
        rest = rest[end:] + more


def _decode(text: bytes, name: str) -> list[Any]:
    try:
        return msgspec.json.decode(text, type=list)
    except msgspec.DecodeError as error:
        raise SourceError(f"{name}: the JSON cannot be read: {error}") from error
