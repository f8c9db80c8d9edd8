"""A table of rows as Arrow: the type of each column follows from the row's model."""

from collections.abc import Sequence
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel

from api.rows import TIME

TYPES: dict[Any, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
    dict[str, float]: pa.map_(pa.string(), pa.float64()),
    dict[str, float | None]: pa.map_(pa.string(), pa.float64()),
    list[str]: pa.list_(pa.string()),
}
TIMES = pa.timestamp("ms", "UTC")


def arrow_type(hint: Any) -> pa.DataType:
    """Return Arrow's type for a field's."""
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        (hint,) = (part for part in get_args(hint) if part is not NoneType)
        return arrow_type(hint)
    if origin is Annotated:
        bare, *marks = get_args(hint)
        return TIMES if TIME in [mark for mark in marks if isinstance(mark, str)] else arrow_type(bare)
    return pa.string() if origin is Literal else TYPES[hint]


@cache
def schema(row: type[BaseModel]) -> pa.Schema:
    """Return the Arrow schema of a table of such rows."""
    hints = get_type_hints(row, include_extras=True)
    return pa.schema([(name, arrow_type(hints[name])) for name in row.model_fields])


def table(row: type[BaseModel], rows: Sequence[Sequence[Any]]) -> pa.Table:
    """Return rows, whose values are in the order of the model's fields, as an Arrow table; no number is null."""
    result = schema(row)
    columns = list(zip(*rows, strict=True)) or [()] * len(result)
    return pa.Table.from_arrays([array(c, f.type) for c, f in zip(columns, result, strict=True)], schema=result)


def array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Return a column."""
    if kind == TIMES:
        return pa.array(values, pa.int64()).cast(TIMES)
    if pa.types.is_map(kind):
        return pa.array([None if value is None else list(value.items()) for value in values], kind)
    column = pa.array(values, kind)
    return pc.if_else(pc.is_finite(column), column, None) if pa.types.is_floating(kind) else column
