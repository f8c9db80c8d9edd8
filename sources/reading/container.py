"""Containers: csv, gzip, zip, parquet, feather, JSON, recognised by their first bytes. Read in chunks."""

import codecs
import gzip
import io
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO, Any, Self, cast

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from sources.errors import SourceError, UnknownFormatError
from sources.reading.json_rows import MESSAGES, Block, json_rows
from sources.reading.parse import LONGEST_CELL, Chunk
from sources.reading.unpack_limits import MOST_DEPTH, Unpacked, most_bytes, too_large
from sources.reading.unreadable_files import LOOKED, foreign, foreign_zip
from sources.tables.cells import texts
from sources.tables.head import EMPTY, HEAD_ROWS, Dialect, read_head
from sources.tables.layout import Head

Opener = Callable[[], AbstractContextManager[IO[bytes]]]
Reader = Callable[[Sequence[str] | None], Iterator[Chunk]]

BLOCK_BYTES = 8 << 20
"""Text that is parsed at a time."""
BATCH_ROWS = 65_536
"""Rows of a binary table that are read at a time."""
_HEAD_BYTES = 65_536
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SIDE_TABLES = ("asset_details.csv",)
"""Tables that are read for the sake of the one beside them."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table in a file: its name, the folder of the file, its beginning, and `read`, which yields its chunks anew at
    each call; given names of columns, only those are read.
    """

    name: str
    folder: Path
    head: Head
    read: Reader
    packed: bool = False


@dataclass(frozen=True, kw_only=True)
class _File:
    """The file that is opened: how many bytes it may become, and within how many archives this part of it lies."""

    folder: Path
    scratch: Path
    passed_over: dict[str, str]
    most: int
    depth: int = 0

    def deeper(self, name: str) -> Self:
        """Return the same, within one archive more. Raises SourceError if these are too many."""
        if self.depth == MOST_DEPTH:
            raise SourceError(f"{name}: more than {MOST_DEPTH} archives lie within each other: unpack the outer ones")
        return replace(self, depth=self.depth + 1)


def tables(path: Path, scratch: Path, passed_over: dict[str, str]) -> Iterator[Table]:
    """Yield the tables in a file: one, or each in a zip. What must be unpacked to be read lies in the folder `scratch`.

    Members of a zip that are no tables are recorded in `passed_over`, with the reason. Raises SourceError if the file
    cannot be read.
    """
    if path.is_dir():
        raise SourceError(f"{path}: is a folder: give the files in it")
    if not path.is_file():
        raise SourceError(f"{path}: no such file")
    if path.name in _SIDE_TABLES:
        return
    with _said(path.name):
        file = _File(folder=path.parent, scratch=scratch, passed_over=passed_over, most=most_bytes(path.stat().st_size))
        for table in _open(path.name, file, path, lambda: path.open("rb")):
            yield replace(table, read=partial(_read, table))


def _read(table: Table, wanted: Sequence[str] | None) -> Iterator[Chunk]:
    with _said(table.name):
        yield from table.read(wanted)


@contextmanager
def _said(name: str) -> Iterator[None]:
    """Turn errors of a file into one line."""
    try:
        yield
    except (
        *(OSError, EOFError, zlib.error, zipfile.BadZipFile, pa.ArrowException, UnicodeError),
        *(NotImplementedError, RuntimeError),  # of a zip with a password, or packed in another way
    ) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        if isinstance(error, UnicodeError):
            reason = "it is no UTF-8; save it as UTF-8"
        raise SourceError(f"{name}: cannot be read: {reason}") from error


def _open(name: str, file: _File, path: Path | None, opener: Opener) -> Iterator[Table]:
    with opener() as stream:
        start = stream.read(LOOKED)
    if not start:
        raise UnknownFormatError(f"{name}: the file is empty")
    if (what := foreign(start)) is not None:
        raise UnknownFormatError(f"{name}: {what}")
    if start[:2] == b"\x1f\x8b":
        yield from _open(name.removesuffix(".gz"), file.deeper(name), None, _unzipped(name, opener, file.most))
    elif start[:2] == b"PK":
        within = file.deeper(name)
        yield from _open_zip(name, _on_disk(name, path, opener, file.scratch), within)
    elif start[:4] == b"PAR1":
        yield _parquet(name, file.folder, _on_disk(name, path, opener, file.scratch))
    elif start[:6] == b"ARROW1":
        yield _feather(name, file.folder, _on_disk(name, path, opener, file.scratch))
    elif _plain_start(start)[:1] in (b"[", b"{"):
        yield _json(name, file.folder, opener)
    else:
        yield from _text(name, file.folder, opener)


def _plain_start(start: bytes) -> bytes:
    """Return the beginning of a text in UTF-8, without a mark of its encoding."""
    if start[:2] in _UTF16:
        return start.decode("utf-16", errors="ignore").lstrip().encode()
    return start.removeprefix(codecs.BOM_UTF8).lstrip()


@contextmanager
def _utf8(opener: Opener) -> Iterator[Any]:
    """Open a text as UTF-8 without a mark of its encoding."""
    with opener() as stream:
        mark = stream.read(3)
    with opener() as stream:
        if mark[:2] in _UTF16:
            yield codecs.EncodedFile(stream, "utf-8", "utf-16")
            return
        if mark == codecs.BOM_UTF8:
            stream.read(3)
        yield stream


def _on_disk(name: str, path: Path | None, opener: Opener, scratch: Path) -> Path:
    """Return a path of the bytes: a binary table is read from many places, which no compressed stream can give."""
    if path is None:
        path = scratch / f"{len(list(scratch.iterdir()))}-{Path(name).name}"
        with opener() as source, path.open("wb") as target:
            shutil.copyfileobj(source, target)
    return path


def _open_zip(name: str, path: Path, file: _File) -> Iterator[Table]:
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    names = [member.filename for member in members]
    if (what := foreign_zip(names)) is not None:
        raise UnknownFormatError(f"{name}: {what}")
    if sum(member.file_size for member in members) > file.most:
        raise too_large(name, file.most)
    for inner in names:
        folders = not inner or inner.endswith("/") or inner.startswith("__MACOSX")
        if folders or Path(inner).name in _SIDE_TABLES:
            continue
        member = f"{name}:{inner}"
        opener = _member(path, inner, member, file.most)
        try:
            with _said(member):
                results = list(_open(member, file, None, opener))
        except SourceError as error:
            file.passed_over[member] = str(error)
            continue
        yield from (replace(table, packed=True, read=partial(_read, table)) for table in results)


def _member(path: Path, inner: str, member: str, most: int) -> Opener:
    @contextmanager
    def opener() -> Iterator[IO[bytes]]:
        with zipfile.ZipFile(path) as archive, archive.open(inner) as stream:
            yield cast("IO[bytes]", Unpacked(stream, member, most))

    return opener


def _unzipped(name: str, packed: Opener, most: int) -> Opener:
    @contextmanager
    def opener() -> Iterator[IO[bytes]]:
        with packed() as raw, gzip.open(raw) as stream:
            yield cast("IO[bytes]", Unpacked(stream, name, most))

    return opener


def _text(name: str, folder: Path, opener: Opener) -> Iterator[Table]:
    with opener() as stream:
        start = stream.read(_HEAD_BYTES)
    encoding = "utf-16" if start[:2] in _UTF16 else "utf-8-sig"
    lines = start.decode(encoding, errors="replace").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    head, dialect = read_head(lines[:-1] if len(start) == _HEAD_BYTES else lines, name)

    def read(wanted: Sequence[str] | None) -> Iterator[Chunk]:
        with opener() as stream:
            text = codecs.EncodedFile(stream, "utf-8", encoding) if encoding == "utf-16" else stream
            yield from _read_text(Utf8(text), head, dialect, wanted)

    if not head.beside:
        yield Table(name=name, folder=folder, head=head, read=read)
    for symbol, columns in head.beside.items():
        yield Table(name=name, folder=folder, head=head.of(symbol), read=partial(_side, read, columns))


def _side(read: Reader, columns: Mapping[str, str], wanted: Sequence[str] | None) -> Iterator[Chunk]:
    """Read the columns of one of the symbols that stand side by side, called as they are for it."""
    names = list(columns if wanted is None else wanted)
    for chunk in read([columns[name] for name in names]):
        yield replace(chunk, table=chunk.table.select([columns[name] for name in names]).rename_columns(names))


class Utf8(io.RawIOBase):
    """A stream whose bytes are looked at: Arrow calls back with each broken row, and prints where that is no text."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Read. Raises UnicodeDecodeError if the bytes are no UTF-8."""
        block: bytes = self._stream.read(size)
        self._decoder.decode(block, final=not block)
        return block


def _read_text(stream: Any, head: Head, dialect: Dialect, wanted: Sequence[str] | None) -> Iterator[Chunk]:
    """Read every cell as text: columns become numbers later, and a cell that is none can be shown as it stands."""
    names = head.names
    broken: list[tuple[int, str]] = []

    def keep(row: Any) -> str:
        broken.append((row.number - dialect.skip, row.text))
        return "skip"

    reader = pa.csv.open_csv(
        stream,
        # One thread: with more, pyarrow does not tell the numbers of broken rows.
        read_options=pa.csv.ReadOptions(
            use_threads=False, block_size=BLOCK_BYTES, column_names=names, skip_rows=dialect.skip, encoding="utf8"
        ),
        parse_options=pa.csv.ParseOptions(delimiter=dialect.delimiter, invalid_row_handler=keep),
        convert_options=pa.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            include_columns=list(wanted) if wanted is not None else None,
            strings_can_be_null=True,
            null_values=sorted(EMPTY),
        ),
    )
    row = 1
    for batch in reader:
        rows = np.arange(row, row + len(batch) + len(broken), dtype=np.int64)
        rows = rows[~np.isin(rows, [number for number, _ in broken])][: len(batch)]
        row = int(rows[-1]) + 1 if len(rows) else row
        now = [entry for entry in broken if entry[0] < row]
        broken[:] = broken[len(now) :]
        yield Chunk(batch, rows, now)
    if broken:
        yield Chunk(
            pa.table({name: pa.array([], pa.string()) for name in wanted or names}), np.empty(0, np.int64), broken
        )


def _numbered(batches: Iterator[Any]) -> Iterator[Chunk]:
    row = 1
    for batch in batches:
        yield Chunk(batch, np.arange(row, row + len(batch), dtype=np.int64), [])
        row += len(batch)


def _binary_head(name: str, names: Sequence[str], first: Any) -> Head:
    twice = next((column for place, column in enumerate(names) if column in names[:place]), None)
    if twice is not None:
        raise SourceError(f"{name}: two columns are called {twice!r}; rename one of them")
    rows = tuple(zip(*(texts(column) for column in first.columns), strict=True))
    return Head(name=name, header=tuple(names), rows=rows)


def _parquet(name: str, folder: Path, path: Path) -> Table:
    def read(wanted: Sequence[str] | None) -> Iterator[Chunk]:
        with pa.parquet.ParquetFile(path) as file:
            columns = list(wanted) if wanted is not None else None
            yield from _numbered(file.iter_batches(batch_size=BATCH_ROWS, columns=columns, use_threads=False))

    with pa.parquet.ParquetFile(path) as file:
        first = next(file.iter_batches(batch_size=HEAD_ROWS), file.schema_arrow.empty_table())
        return Table(name=name, folder=folder, head=_binary_head(name, file.schema_arrow.names, first), read=read)


def _feather(name: str, folder: Path, path: Path) -> Table:
    def read(wanted: Sequence[str] | None) -> Iterator[Chunk]:
        with pa.memory_map(str(path)) as source:
            file = pa.ipc.open_file(source)
            batches = (file.get_batch(place) for place in range(file.num_record_batches))
            parts = (batch.slice(at, BATCH_ROWS) for batch in batches for at in range(0, len(batch), BATCH_ROWS))
            yield from _numbered(part.select(list(wanted)) if wanted is not None else part for part in parts)

    with pa.memory_map(str(path)) as source:
        file = pa.ipc.open_file(source)
        first = file.get_batch(0).slice(0, HEAD_ROWS) if file.num_record_batches else file.schema.empty_table()
        return Table(name=name, folder=folder, head=_binary_head(name, file.schema.names, first), read=read)


def _said_by(answer: dict[str, str | None]) -> str | None:
    """Return the message of a venue's answer that has no rows."""
    names = {key.lower(): cell for key, cell in answer.items()}
    if "time" in names or "open" in names or "price" in names:
        return None
    return next((names[name] for name in MESSAGES if names.get(name)), None)


def _json(name: str, folder: Path, opener: Opener) -> Table:
    def blocks() -> Iterator[Block]:
        with _utf8(opener) as stream:
            yield from json_rows(stream, name)

    first = next(blocks(), Block(None, []))
    if not first.values:
        raise UnknownFormatError(f"{name}: the file has no rows")
    only = first.row(first.values[0]) if len(first.values) == 1 else ()
    if text := _said_by(dict(zip(first.names or (), only, strict=False))):
        raise UnknownFormatError(f"{name}: this is an answer without rows, which says {text[:LONGEST_CELL]!r}")
    width = first.width
    whole = (row for value in first.values if len(row := first.row(value)) == width)
    head = Head(name=name, header=first.names, rows=tuple(islice(whole, HEAD_ROWS)), symbol=first.symbol)
    columns = {column: place for place, column in enumerate(head.names)}

    def read(wanted: Sequence[str] | None) -> Iterator[Chunk]:
        row = 1
        for block in blocks():
            good = block.of_width(width)
            broken = [] if len(good) == len(block.values) else _broken(block, good, row)
            cells = {name: block.column(good, columns[name]) for name in (columns if wanted is None else wanted)}
            table = pa.table({name: pa.array(column, pa.string()) for name, column in cells.items()})
            yield Chunk(table, row + np.array(good, dtype=np.int64), broken)
            row += len(block.values)

    return Table(name=name, folder=folder, head=head, read=read)


def _broken(block: Block, good: Sequence[int], first: int) -> list[tuple[int, str]]:
    """Return the rows of another width, and their text; `first` is the number of the block's first row."""
    others = sorted(set(range(len(block.values))) - set(good))
    return [(first + at, str(list(block.row(block.values[at])))) for at in others]
