"""Rows in PostgreSQL's binary COPY format, built from whole columns: about ten times cheaper than row by row.

Every field is laid out at its widest in one byte matrix [rows, width]; a mask drops the bytes that a NULL or a shorter
text does not have. Format: https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format".
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
POSTGRES_EPOCH_MS = 946_684_800_000  # 2000-01-01
FLOAT8_OID = 701
NULL = -1


@dataclass(frozen=True)
class Column:
    """One field of n rows: `data` [n, w] at its widest, `lengths` [n] (-1 is NULL), `keep` [n, w] or None for all."""

    data: Bytes
    lengths: Ints
    keep: Mask | None = None

    def __getitem__(self, chosen: Mask) -> "Column":
        """Return the rows that a mask [n] chooses."""
        return Column(self.data[chosen], self.lengths[chosen], None if self.keep is None else self.keep[chosen])


def _fixed(values: npt.NDArray[np.generic], null: Mask | None = None) -> Column:
    """Return big-endian `values` [n] of one width; NULL where `null`."""
    data = values.view(np.uint8).reshape(len(values), values.dtype.itemsize)
    lengths = np.full(len(values), values.dtype.itemsize, dtype=np.int64)
    if null is None or not null.any():
        return Column(data, lengths)
    lengths[null] = NULL
    return Column(data, lengths, np.broadcast_to(~null[:, None], data.shape))


def _nulls(values: Sequence[object]) -> Mask | None:
    return np.array([value is None for value in values], dtype=np.bool_) if None in values else None


def float8(values: Sequence[float | None] | npt.NDArray[np.float64]) -> Column:
    """Return a float8 column; None and NaN are NULL."""
    array = np.array(values, dtype=np.float64)
    return _fixed(array.astype(">f8"), np.isnan(array))


def _integers(values: Sequence[int | None] | Ints, dtype: str) -> Column:
    null = None if isinstance(values, np.ndarray) else _nulls(values)
    if null is not None:
        values = [0 if value is None else value for value in values]
    return _fixed(np.array(values, dtype=np.int64).astype(dtype), null)


def int4(values: Sequence[int | None] | Ints) -> Column:
    """Return an int4 column."""
    return _integers(values, ">i4")


def int8(values: Sequence[int | None] | Ints) -> Column:
    """Return an int8 column."""
    return _integers(values, ">i8")


def boolean(values: Sequence[bool | None] | npt.NDArray[np.float64]) -> Column:
    """Return a boolean column; None and NaN are NULL."""
    array = np.array(values, dtype=np.float64)  # None becomes NaN
    return _fixed((array == 1).astype(np.uint8), np.isnan(array))


def char(values: Sequence[bytes]) -> Column:
    """Return a "char" column of single bytes."""
    return _fixed(np.frombuffer(b"".join(values), dtype=np.uint8).copy())


def timestamptz(values: Sequence[int | None] | Ints) -> Column:
    """Return a timestamptz column from epoch milliseconds."""
    null = None if isinstance(values, np.ndarray) else _nulls(values)
    if null is not None:
        values = [0 if value is None else value for value in values]
    return _fixed(((np.array(values, dtype=np.int64) - POSTGRES_EPOCH_MS) * 1_000).astype(">i8"), null)


def bytea(values: Sequence[bytes | None]) -> Column:
    """Return a bytea column (jsonb and text are written as bytes too)."""
    place = {value: row for row, value in enumerate(dict.fromkeys(values))}
    distinct = [value or b"" for value in place]
    width = max(map(len, distinct), default=0)
    table = np.frombuffer(b"".join(value.ljust(width, b"\0") for value in distinct), dtype=np.uint8)
    sizes = np.array([NULL if value is None else len(value) for value in place], dtype=np.int64)
    rows = np.array([place[value] for value in values], dtype=np.intp)
    lengths = sizes[rows]
    data = table.reshape(len(distinct), width)[rows]
    return Column(data, lengths, None if (lengths == width).all() else np.arange(width) < lengths[:, None])


def nulls(count: int) -> Column:
    """Return a column of NULLs, of whichever type."""
    return Column(np.empty((count, 0), dtype=np.uint8), np.full(count, NULL, dtype=np.int64))


def storable(value: str) -> str:
    """Return the text as PostgreSQL can hold it: it knows no NUL (here U+FFFD) and no lone surrogate (here ?)."""
    return value.replace("\0", "\ufffd").encode(errors="replace").decode()


def text(values: Sequence[str | None]) -> Column:
    """Return a text column."""
    encoded = {value: None if value is None else storable(value).encode() for value in set(values)}
    return bytea([encoded[value] for value in values])


def float8_array(values: Sequence[Sequence[float | None]]) -> Column:
    """Return a float8[] column; None and NaN are NULL elements. The rows may be of different lengths."""
    sizes = np.array([len(row) for row in values], dtype=np.int64)
    width = int(sizes.max(initial=0))
    if not (sizes == width).all():
        values = [[*row, *[None] * (width - len(row))] for row in values]
    array = np.array(values, dtype=np.float64).reshape(len(values), width)
    element = np.dtype([("size", ">i4"), ("value", ">f8")])
    layout = np.dtype([("head", ">i4", (3,)), ("shape", ">i4", (2,)), ("elements", element, (width,))])
    data = np.zeros(len(values), dtype=layout)
    data["head"][:, 0] = sizes > 0  # the number of dimensions: an empty array has none, and no shape
    data["head"][:, 2] = FLOAT8_OID
    data["shape"][:, 0] = sizes
    data["shape"][:, 1] = 1  # the index of the first element
    null = np.isnan(array)
    data["elements"]["size"] = np.where(null, NULL, element["value"].itemsize)
    data["elements"]["value"] = array
    matrix = data.view(np.uint8).reshape(len(values), layout.itemsize)
    if width and (sizes == width).all():
        keep = np.ones(matrix.shape, dtype=np.bool_)
        keep[:, 20:].reshape(len(values), width, element.itemsize)[:, :, 4:] = ~null[:, :, None]
        return Column(matrix, layout.itemsize - 8 * null.sum(axis=1), keep if null.any() else None)
    elements = np.ones((len(values), width, element.itemsize), dtype=np.bool_)
    elements[:, :, 4:] = ~null[:, :, None]
    elements &= (np.arange(width) < sizes[:, None])[:, :, None]
    head = np.ones((len(values), 20), dtype=np.bool_)
    head[:, 12:] = (sizes > 0)[:, None]
    keep = np.hstack([head, elements.reshape(len(values), -1)])
    return Column(matrix, keep.sum(axis=1), keep)


def rows(columns: Sequence[Column]) -> bytes:
    """Return the rows of a COPY, without header and trailer, from columns of one length."""
    count = len(columns[0].lengths)
    width = 2 + sum(4 + column.data.shape[1] for column in columns)
    matrix = np.empty((count, width), dtype=np.uint8)
    matrix[:, :2] = np.frombuffer(len(columns).to_bytes(2, "big"), dtype=np.uint8)
    keep: Mask | None = None
    start = 2
    for column in columns:
        matrix[:, start : start + 4] = column.lengths.astype(">i4").view(np.uint8).reshape(count, 4)
        end = start + 4 + column.data.shape[1]
        matrix[:, start + 4 : end] = column.data
        if column.keep is not None:
            keep = np.ones((count, width), dtype=np.bool_) if keep is None else keep
            keep[:, start + 4 : end] = column.keep
        start = end
    return (matrix if keep is None else matrix[keep]).tobytes()
