"""Rows of the database as records."""

from collections.abc import Sequence
from typing import TypeVar

import msgspec

S = TypeVar("S", bound=msgspec.Struct)


def record_of(kind: type[S], row: Sequence[object]) -> S:
    """Return the record whose first fields are a row's columns, in that order; the others have their defaults.

    Raises ValueError where the row has more columns than the record has fields.
    """
    if len(row) > len(kind.__struct_fields__):
        raise ValueError(f"{len(row)} columns for the {len(kind.__struct_fields__)} fields of {kind.__name__}")
    return kind(**dict(zip(kind.__struct_fields__, row, strict=False)))
