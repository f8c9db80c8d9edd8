"""Changes to a file: to its bytes, to its cells, to what it is packed in, to the types of its columns."""

import gzip
import io
import zipfile
from collections.abc import Callable
from random import Random

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet

from bench.fuzz.mutate import NUMBERS, TEXTS, cut, flipped

CELLS = (
    *NUMBERS,
    *TEXTS,
    *("42,000", "42,000.5", "1.234,5", "$5", "1.5K", "20240101", "45292.5", "2024-01-01", "31.12.2023 10:00"),
    *("13/01/2024", "01/13/2024", "2024-01-01 00:00 EST", "12:30", "0930", "true", "b", "nan", "None", '"'),
    *("1704067200", "99e99"),
)
HEADERS = (
    *("time", "date", "open", "high", "low", "close", "volume"),
    *("price", "amount", "symbol", "side", "", "Ticker", "count"),
)
NOTES = ("# a note", "sep=;", "", "Exported by a tool", "//", "a,b", "\ufeff", "time,open,high,low,close,volume")


def mutated(name: str, content: bytes, chance: Random) -> tuple[str, bytes]:
    """Return a file that is a little different."""
    kinds: tuple[Callable[[bytes, Random], bytes], ...] = (
        _cells,
        _cells,
        _cells,
        _lines,
        _columns,
        flipped,
        cut,
        _packed,
    )
    if content[:4] == b"PAR1" or content[:6] == b"ARROW1":
        kinds = (_typed, _typed, flipped, cut, _packed)
    for _ in range(chance.choice((1, 1, 2, 3, 6))):
        content = chance.choice(kinds)(content, chance) if content else b"1"
        if content[:2] in (b"PK", b"\x1f\x8b"):
            kinds = (flipped, cut)
    stem = chance.choice((name, name, name, "table.csv", "BTCUSDT_1h.csv", "x.json", "ETH-1440.csv", "1.csv"))
    return stem, content[:200_000]


def _split(content: bytes) -> tuple[list[str], str]:
    text = content.decode("utf-8", "replace")
    return text.split("\n"), max(",;\t", key=text.count)


def _cells(content: bytes, chance: Random) -> bytes:
    lines, mark = _split(content)
    place = chance.randrange(len(lines))
    cells = lines[place].split(mark)
    at = chance.randrange(len(cells))
    cells[at] = chance.choice(HEADERS if place == 0 and chance.random() < 0.5 else CELLS)
    if chance.random() < 0.2:  # the whole column
        lines = [
            mark.join([*row[:at], cells[at], *row[at + 1 :]]) if len(row := line.split(mark)) > at else line
            for line in lines
        ]
    lines[place] = mark.join(cells)
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def _lines(content: bytes, chance: Random) -> bytes:
    lines, _ = _split(content)
    place, kind = chance.randrange(len(lines)), chance.random()
    if kind < 0.3:
        lines.insert(place, chance.choice(NOTES))
    elif kind < 0.5:
        lines.insert(place, lines[chance.randrange(len(lines))])
    elif kind < 0.7:
        del lines[place]
    elif kind < 0.8:
        lines[place] += chance.choice((",", ",,", ";", '"', " ", "\r"))
    elif kind < 0.9:
        chance.shuffle(lines)
    else:
        lines *= chance.choice((2, 50))
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def _columns(content: bytes, chance: Random) -> bytes:
    lines, mark = _split(content)
    rows = [line.split(mark) for line in lines]
    order = list(range(max(map(len, rows))))
    kind = chance.random()
    if kind < 0.4:
        chance.shuffle(order)
    elif kind < 0.7:
        order.pop(chance.randrange(len(order)))
    else:
        order.insert(chance.randrange(len(order) + 1), chance.choice(order))
    other = chance.choice((mark, mark, mark, ",", ";", "\t", "|", " "))
    return "\n".join(other.join(row[at] for at in order if at < len(row)) for row in rows).encode(
        "utf-8", "surrogatepass"
    )


def _packed(content: bytes, chance: Random) -> bytes:
    kind = chance.random()
    if kind < 0.4:
        return gzip.compress(content)
    if kind < 0.5:
        return content.decode("utf-8", "replace").encode("utf-16", "surrogatepass")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("BTCUSDT.csv", "b/ETHUSDT-1m.csv")[: chance.choice((1, 2))]:
            archive.writestr(name, content)
        archive.writestr(
            chance.choice(("README.md", "../up.csv", "/root.csv", "a" * 300, "asset_details.csv")), b"words, more\n"
        )
    return packed.getvalue()


def _typed(content: bytes, chance: Random) -> bytes:
    """Return a binary table with another type, name, order or number of columns and rows."""
    feather = content[:6] == b"ARROW1"
    try:
        source = io.BytesIO(content)
        table = pa.feather.read_table(source) if feather else pa.parquet.read_table(source)
        names = table.column_names
    except (pa.ArrowException, OSError, ValueError):
        return flipped(content, chance)
    if names:
        at = chance.randrange(len(names))
        made: tuple[Callable[[], object], ...] = (
            lambda: pa.array([chance.choice(CELLS) for _ in range(len(table))]),
            lambda: pa.nulls(len(table)),
            lambda: pa.array([chance.random() < 0.5 for _ in range(len(table))]),
            lambda: pa.array([[1.0, 2.0]] * len(table)),
            lambda: pa.array([{"a": 1}] * len(table)),
            lambda: pa.array([b"\xff\x00"] * len(table)),
            lambda: pa.array(
                [chance.choice((float("nan"), float("inf"), -1.0, 0.0, 1e300, 5e-324)) for _ in range(len(table))]
            ),
            lambda: pa.array([chance.randrange(-(2**63), 2**63) for _ in range(len(table))]),
            lambda: pa.array(
                [chance.randrange(2**40) for _ in range(len(table))], pa.timestamp("s", tz="Asia/Kolkata")
            ),
            lambda: pa.array(list(map(str, range(len(table))))).dictionary_encode(),
            lambda: pa.array([chance.randrange(86_400) for _ in range(len(table))], pa.time32("s")),
            lambda: pa.array([chance.randrange(20_000) for _ in range(len(table))], pa.date32()),
        )
        name = chance.choice((names[at], names[at], *HEADERS))
        table = table.set_column(at, name, chance.choice(made)())
    if chance.random() < 0.2:
        table = table.slice(0, chance.choice((0, 1)))
    sink = io.BytesIO()
    try:
        pa.feather.write_feather(table, sink) if feather else pa.parquet.write_table(table, sink)
    except (pa.ArrowException, OSError, ValueError):
        return flipped(content, chance)
    return sink.getvalue()
