"""Unreadable files, recognised by their first bytes, and what to do with each."""

_UNPACK = "unpack it, or pack it as gzip or zip"
_CSV = "save it as csv or parquet"
_SHEET = "save the sheet as csv"
LOOKED = 512
"""Bytes by which a file is known."""
_TAR = 257
"""Where a tar archive has its mark."""

KINDS: tuple[tuple[bytes, str, str], ...] = (
    (b"\xd0\xcf\x11\xe0", "an Excel workbook (xls)", _SHEET),
    (b"\xfd7zXZ", "packed with xz", _UNPACK),
    (b"BZh", "packed with bzip2", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "packed with zstd", _UNPACK),
    (b"\x04\x22\x4d\x18", "packed with lz4", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (b"Rar!", "a rar archive", _UNPACK),
    (b"\x89HDF", "an HDF5 file", _CSV),
    (b"SQLite format 3", "an SQLite database", _CSV),
    (b"\x93NUMPY", "a NumPy array", _CSV),
    (b"%PDF", "a PDF", "save its table as csv"),
    (b"FEA1", "a Feather file of version 1", "save it as Feather 2 (pyarrow.feather.write_feather)"),
    (b"\xff\xff\xff\xff", "an Arrow stream", "save it as an Arrow file (Feather) or parquet"),
    *((b"\x80" + bytes([version]), "a Python pickle", _CSV) for version in (2, 3, 4, 5)),
)
"""How a file begins, what it is, and what to do."""
_PAGES: tuple[tuple[bytes, str, str], ...] = (
    (b"<!doctype html", "a web page", "load the file itself"),
    (b"<html", "a web page", "load the file itself"),
    (b"<table", "a web page", "load the file itself"),
    (b"<?xml", "an XML document, such as a store answers where there is no such file", "load the file itself"),
    (b"<error>", "a store's answer that there is no such file", "load the file itself"),
    (b"version https://git-lfs", "a pointer of git-lfs", "fetch the file itself with git lfs pull"),
)
_BOOKS = (
    ("xl/workbook.", "an Excel workbook", _SHEET),
    ("content.xml", "an OpenDocument sheet (ods)", _SHEET),
)
"""Members that a zip has which is no archive of tables."""


def foreign(start: bytes) -> str | None:
    """Return the kind of a file with these first bytes, and what to do; None if it may be a table.

    >>> foreign(b"BZh91AY"), foreign(b"time,open")
    ('is packed with bzip2: unpack it, or pack it as gzip or zip', None)
    """
    if start[_TAR : _TAR + 5] == b"ustar":
        return f"is a tar archive: {_UNPACK}"
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    results = [kind for kind in KINDS if start.startswith(kind[0])] + [
        kind for kind in _PAGES if text.startswith(kind[0])
    ]
    return f"is {results[0][1]}: {results[0][2]}" if results else None


def foreign_zip(members: list[str]) -> str | None:
    """Return what a zip with these members is where it is a workbook, and what to do; else None."""
    results = next(
        ((what, do) for begins, what, do in _BOOKS if any(member.startswith(begins) for member in members)), None
    )
    return f"is {results[0]}: {results[1]}" if results else None
