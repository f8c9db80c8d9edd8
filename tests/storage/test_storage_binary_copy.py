"""The binary COPY format, against one written row by row from its documentation."""

import struct
from collections.abc import Callable, Sequence
from math import isnan
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import binary_copy

Pack = Callable[[Any], bytes]

floats = st.floats()
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
milliseconds = st.integers(0, 9_999_999_999_999)


def unknown(value: Any) -> bool:
    return value is None or (isinstance(value, float) and isnan(value))


def field(value: Any, pack: Pack) -> bytes:
    body = b"" if unknown(value) else pack(value)
    return struct.pack(">i", -1 if unknown(value) else len(body)) + body


def array(values: Sequence[float | None]) -> bytes:
    if not values:
        return struct.pack(">iii", 0, 0, 701)
    elements = b"".join(field(value, lambda number: struct.pack(">d", number)) for value in values)
    return struct.pack(">iiiii", 1, 0, 701, len(values), 1) + elements


KINDS: dict[str, tuple[Callable[..., binary_copy.Column], st.SearchStrategy[Any], Pack]] = {
    "float8": (binary_copy.float8, st.none() | floats, lambda value: struct.pack(">d", value)),
    "int4": (binary_copy.int4, st.none() | st.integers(-(2**31), 2**31 - 1), lambda value: struct.pack(">i", value)),
    "int8": (binary_copy.int8, st.none() | st.integers(-(2**63), 2**63 - 1), lambda value: struct.pack(">q", value)),
    "boolean": (binary_copy.boolean, st.none() | st.booleans(), lambda value: struct.pack("?", value)),
    "char": (binary_copy.char, st.binary(min_size=1, max_size=1), bytes),
    "timestamptz": (
        binary_copy.timestamptz,
        milliseconds,
        lambda value: struct.pack(">q", (value - 946_684_800_000) * 1_000),
    ),
    "text": (binary_copy.text, st.none() | texts, lambda value: value.replace("\0", "\ufffd").encode()),
    "bytea": (binary_copy.bytea, st.none() | st.binary(max_size=12), bytes),
    "float8_array": (binary_copy.float8_array, st.lists(st.none() | floats, max_size=5), array),
}


@given(st.data(), st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=5), st.integers(1, 8))
def test_columns_give_the_rows_of_the_documented_format(data: st.DataObject, kinds: list[str], count: int) -> None:
    values = [data.draw(st.lists(KINDS[kind][1], min_size=count, max_size=count)) for kind in kinds]
    columns = [KINDS[kind][0](column) for kind, column in zip(kinds, values, strict=True)]
    expected = b"".join(
        struct.pack(">h", len(kinds))
        + b"".join(field(value, KINDS[kind][2]) for kind, value in zip(kinds, row, strict=True))
        for row in zip(*values, strict=True)
    )
    assert binary_copy.rows(columns) == expected


def test_no_rows_are_no_bytes() -> None:
    assert (
        binary_copy.rows([binary_copy.float8([]), binary_copy.int4(np.array([], dtype=np.int64)), binary_copy.text([])])
        == b""
    )


@pytest.mark.parametrize(("value", "stored"), [("a\0b", "a\ufffdb"), ("\ud800", "?"), ("żółw 🐢", "żółw 🐢")])
def test_text_that_postgres_cannot_hold_is_replaced(value: str, stored: str) -> None:
    assert binary_copy.storable(value) == stored
