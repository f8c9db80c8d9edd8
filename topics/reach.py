"""Where in a record texts with a pattern lie, and times that a clock bounds: found from its type, once."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from operator import attrgetter
from typing import Any

from msgspec import Struct, inspect

Reach = Callable[[Iterable[Any]], Iterable[Any]]
"""Returns what lies in one place of many records; None where a record has nothing there."""


def patterns(record: type[Struct]) -> Iterator[tuple[str, str, Reach]]:
    """Yield the place (``.forecasts[].weights``), the pattern and the reach of each text that has a pattern."""
    for place, kind, reach in _parts(inspect.type_info(record)):
        text = (kind.extra_json_schema or {}).get("pattern")
        if text is not None:
            yield place, text, reach


def unbounded(record: type[Struct]) -> Iterator[tuple[str, Reach]]:
    """Yield the place and the reach of each text that has a pattern and no length of its own: the keys of mappings."""
    for place, kind, reach in _parts(inspect.type_info(record)):
        told = kind.extra_json_schema or {}
        if "pattern" in told and isinstance(kind.type, inspect.StrType) and kind.type.max_length is None:
            yield place, reach


def clocks(record: type[Struct]) -> Iterator[Reach]:
    """Yield the reach of each time that must not be ahead of the clock."""
    for _, kind, reach in _parts(inspect.type_info(record)):
        if (kind.extra or {}).get("clock"):
            yield reach


def _parts(kind: inspect.Type) -> Iterator[tuple[str, inspect.Metadata, Reach]]:
    """Yield each place below a type that is annotated."""
    match kind:
        case inspect.Metadata():
            yield "", kind, _same
            yield from _parts(kind.type)
        case inspect.UnionType():
            for part in kind.types:
                for place, found, reach in _parts(part):
                    yield place, found, reach if reach is _same else _then(_some, reach)
        case inspect.ListType():
            for place, found, reach in _parts(kind.item_type):
                yield f"[]{place}", found, _then(chain.from_iterable, reach)
        case inspect.DictType():
            for place, found, reach in _parts(kind.key_type):  # going through a dict gives its keys
                yield place, found, _then(chain.from_iterable, reach)
        case inspect.StructType():
            for field in kind.fields:
                for place, found, reach in _parts(field.type):
                    yield f".{field.name}{place}", found, _then(_of(field.name), reach)


def _same(values: Iterable[Any]) -> Iterable[Any]:
    return values


def _some(values: Iterable[Any]) -> Iterable[Any]:
    return (value for value in values if value is not None)


def _of(name: str) -> Reach:
    get = attrgetter(name)
    return lambda values: map(get, values)


def _then(first: Reach, second: Reach) -> Reach:
    return first if second is _same else lambda values: second(first(values))
