"""The fields of a record with a pattern, and its times limited by the clock: derived once from its type."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from operator import attrgetter
from typing import Any

from msgspec import Struct, inspect

FieldPath = Callable[[Iterable[Any]], Iterable[Any]]
"""Returns the values of one field of many records; None if a record has none."""


def patterns(record: type[Struct]) -> Iterator[tuple[str, str, FieldPath]]:
    """Yield the path (``.forecasts[].weights``), the pattern and the getter of each text with a pattern."""
    for place, kind, reach in _parts(inspect.type_info(record)):
        text = (kind.extra_json_schema or {}).get("pattern")
        if text is not None:
            yield place, text, reach


def unbounded(record: type[Struct]) -> Iterator[tuple[str, FieldPath]]:
    """Yield the path and the getter of each text with a pattern and without a maximum length: the keys of mappings."""
    for place, kind, reach in _parts(inspect.type_info(record)):
        reporter = kind.extra_json_schema or {}
        if "pattern" in reporter and isinstance(kind.type, inspect.StrType) and kind.type.max_length is None:
            yield place, reach


def clocks(record: type[Struct]) -> Iterator[FieldPath]:
    """Yield the getter of each time that must not be ahead of the clock."""
    for _, kind, reach in _parts(inspect.type_info(record)):
        if (kind.extra or {}).get("clock"):
            yield reach


def _parts(kind: inspect.Type) -> Iterator[tuple[str, inspect.Metadata, FieldPath]]:
    """Yield the path of each annotated type below a type."""
    match kind:
        case inspect.Metadata():
            yield "", kind, _same
            yield from _parts(kind.type)
        case inspect.UnionType():
            for part in kind.types:
                for place, result, reach in _parts(part):
                    yield place, result, reach if reach is _same else _then(_some, reach)
        case inspect.ListType():
            for place, result, reach in _parts(kind.item_type):
                yield f"[]{place}", result, _then(chain.from_iterable, reach)
        case inspect.DictType():
            for place, result, reach in _parts(kind.key_type):  # iterating over a dict gives its keys
                yield place, result, _then(chain.from_iterable, reach)
        case inspect.StructType():
            for field in kind.fields:
                for place, result, reach in _parts(field.type):
                    yield f".{field.name}{place}", result, _then(_of(field.name), reach)


def _same(values: Iterable[Any]) -> Iterable[Any]:
    return values


def _some(values: Iterable[Any]) -> Iterable[Any]:
    return (value for value in values if value is not None)


def _of(name: str) -> FieldPath:
    get = attrgetter(name)
    return lambda values: map(get, values)


def _then(first: FieldPath, second: FieldPath) -> FieldPath:
    return first if second is _same else lambda values: second(first(values))
