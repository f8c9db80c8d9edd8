"""Rows of a JSON file, in blocks: an array of arrays or objects, an object a line, or a venue's answer with rows in it.

Python writes NaN, for which JSON has no word: that is an empty cell.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

import msgspec

from sources.errors import SourceError, UnknownFormatError
from sources.formats import plain, trades
from sources.markets.file_name import symbol_of
from sources.markets.market import in_category
from sources.times.zone_column import COLUMNS as ZONE_COLUMNS
from sources.times.zone_column import UTC_NAMES
from topics.markets import canonical

BLOCK_BYTES = 4 << 20
HEAD_BYTES = 1 << 18
"""The first block is small: a file is recognised by it."""
MOST_BYTES = 256 << 20
"""A document that is not an array is read whole."""
_CUTS = 64
"""How often it is tried to end a block a row earlier: rows may hold rows."""
_TAIL = 1 << 16
_SYMBOLS = ("symbol", "instrument", "instrument_name", "pair", "ticker")
_STAMP = re.compile(r"\d{4}-\d{2}-\d{2}")
MESSAGES = ("msg", "message", "retmsg", "err-msg", "error message", "error", "note", "information")
"""What venues call the message of an answer, in lower case."""
_HOLDERS = frozenset({"data", "result", "list", "rows", "candles", "trades", "values", "candlesticks", "results"})
"""What venues call the array of rows in their answers."""
_KNOWN = frozenset(
    {name for fields in (plain.FIELDS, trades.FIELDS) for names in fields.values() for name in names}
) | {
    *plain.TIMES,
    *trades.TIMES,
}
"""Names of columns that are read."""
_CATEGORIES = ("category", "instType", "productType", "contractType")
_NUMBERED = re.compile(r"^\d+\. ")
_END = re.compile(rb"[\]}]\s*,")
Row = tuple[str | None, ...]


@dataclass(frozen=True)
class Block:
    """Rows as they were decoded, all arrays or all objects, and what the file calls their symbol.

    `names` are their columns, where the file has any.
    """

    names: tuple[str, ...] | None
    values: list[Any]
    symbol: str | None = None

    @property
    def width(self) -> int:
        """The number of columns: that of most rows where they have no names."""
        return len(self.names) if self.names else Counter(map(len, self.values)).most_common(1)[0][0]

    def of_width(self, width: int) -> list[int]:
        """Return the places of the rows with so many columns."""
        if self._are_objects:
            return list(range(len(self.values))) if len(self.names or ()) == width else []
        return [at for at, value in enumerate(self.values) if len(value) == width]

    @property
    def _are_objects(self) -> bool:
        return bool(self.values) and isinstance(self.values[0], dict)

    def row(self, value: Any) -> Row:
        """Return a row as text."""
        cells = map(value.get, self.names or ()) if isinstance(value, dict) else value
        return tuple(map(_text, cells))

    def column(self, rows: Sequence[int], place: int) -> Sequence[str | None]:
        """Return the cells of those rows at that place as text."""
        if self._are_objects:
            key = (self.names or ())[place]
            return _texts([self.values[row].get(key) for row in rows])
        return _texts([self.values[row][place] for row in rows])


def json_rows(stream: IO[bytes], name: str) -> Iterator[Block]:
    """Yield the rows in blocks. What is an object or an array within a row is left out.

    The columns are all that the objects of the first block have. Raises SourceError if the text is not of such rows.
    """
    start = stream.read(min(HEAD_BYTES, BLOCK_BYTES)).lstrip()
    keys: tuple[str, ...] | None = None
    blocks = _arrays(stream, start[1:], name) if start[:1] == b"[" else _objects(stream, start, name)
    for results, names, symbol in blocks:
        values = _flat(results)
        if values and all(isinstance(value, dict) for value in values):
            _check_no_book(values[0], name)
            keys = keys or _keys(values)
            if late := _late(values, keys):
                raise UnknownFormatError(
                    f"{name}: its later rows have keys that the first have not ({', '.join(late)}): save the rows of "
                    "each kind in a file of their own"
                )
            yield Block(keys, values, symbol)
        elif values and all(isinstance(value, list) for value in values):
            yield Block(names, values, symbol)
        elif values:
            raise UnknownFormatError(f"{name}: unknown format, the JSON is no array of rows, and no object a line")


def _check_no_book(value: dict[str, Any], name: str) -> None:
    """Raise where an object, or one in it, holds the two sides of an order book."""
    inner = [value, *(one for one in value.values() if isinstance(one, dict))]
    for sides in (("bids", "asks"), ("b", "a")):
        if any(all(isinstance(one.get(side), list) for side in sides) for one in inner):
            raise UnknownFormatError(f"{name}: this is an order book; only bars and trades are read")


Found = tuple[list[Any], tuple[str, ...] | None, str | None]


def _keys(values: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    """Return the keys of all objects in the order in which they come, without those that never hold a single value."""
    flat: dict[str, bool] = {}
    for value in values:
        for key, cell in value.items():
            flat[key] = flat.get(key, False) or not isinstance(cell, list | dict)
    return tuple(key for key, is_flat in flat.items() if is_flat) or tuple(flat)


def _late(values: Sequence[dict[str, Any]], keys: tuple[str, ...]) -> list[str]:
    """Return the keys of objects that are read and are none of the first objects'."""
    if not set().union(*values) - set(keys):  # nearly always
        return []
    return sorted({key for key in _keys(values) if key.strip().lower() in _KNOWN} - set(keys))


def _texts(cells: Sequence[object]) -> Sequence[str | None]:
    """Return the cells of a column as text: those of one type at once, as a call for each is half of a file's time."""
    types = set(map(type, cells))
    if types == {float}:
        return [None if text == "nan" else text for text in map(repr, cells)]
    return list(map(str, cells)) if types <= {int, str} else list(map(_text, cells))


def _text(cell: object) -> str | None:
    if isinstance(cell, float):
        return repr(cell) if cell == cell else None  # noqa: PLR0124 - NaN
    return None if cell is None or isinstance(cell, list | dict) else str(cell)


def _arrays(stream: IO[bytes], rest: bytes, name: str) -> Iterator[Found]:
    """Yield the rows of an array, a block at a time."""
    while True:
        # Where no row ends within a block, twice as much is read: the time is in proportion to the text.
        more = stream.read(max(BLOCK_BYTES, len(rest)))
        ends = _ends(rest) if more else [rest.rfind(b"]")]
        end, values = _cut(rest, [end for end in reversed(ends) if end > 0], name, last=not more)
        if values:
            yield values, None, None
            rest = rest[end:].lstrip().removeprefix(b",")
        if not more:
            return
        rest += more
        if len(rest) > MOST_BYTES:
            raise SourceError(f"{name}: the JSON has a row of more than {MOST_BYTES >> 20} MiB")


def _ends(text: bytes) -> list[int]:
    """Return where the last objects and arrays of a text end."""
    begin = max(0, len(text) - _TAIL)
    results = [match.start() + 1 for match in _END.finditer(text, begin)] or [
        match.start() + 1 for match in _END.finditer(text)
    ]
    return results[-_CUTS:]


def _cut(text: bytes, ends: Sequence[int], name: str, *, last: bool) -> tuple[int, list[Any]]:
    """Return the last end at which whole rows lie before, and those rows; none if there is no such end."""
    problem: SourceError | None = None
    odd = last or b"NaN" in text or b"Infinity" in text
    for decode in (msgspec.json.decode, json.loads) if odd else (msgspec.json.decode,):
        for tried, end in enumerate(ends):
            try:
                whole = b"[" + text[:end] + b"]"
                if tried and decode is msgspec.json.decode:
                    msgspec.json.decode(whole, type=list[msgspec.Raw])  # tells without making what is in the rows
                return end, list(decode(whole))
            except (msgspec.DecodeError, ValueError, RecursionError) as error:
                problem = problem or _unreadable(name, error)
    if last and problem is not None:
        raise problem
    return 0, []


def _objects(stream: IO[bytes], start: bytes, name: str) -> Iterator[Found]:
    """Yield the rows of a file that begins with an object: one a line, or one that holds them."""
    line, _, rest = start.partition(b"\n")
    try:
        first = _decode(line, name)
    except SourceError:
        first = None
    if isinstance(first, dict) and rest.strip():
        yield from _lines(stream, start, name)
        return
    text = start + stream.read(MOST_BYTES)
    if len(text) > MOST_BYTES:
        raise SourceError(f"{name}: the JSON is one document of more than {MOST_BYTES >> 20} MiB, not rows")
    yield _within(_decode(text, name), name)


def _lines(stream: IO[bytes], rest: bytes, name: str) -> Iterator[Found]:
    while rest:
        more = stream.read(BLOCK_BYTES)
        end = rest.rfind(b"\n") + 1 if more else len(rest)
        if end:
            rows = b"[" + b",".join(line for line in rest[:end].splitlines() if line.strip()) + b"]"
            yield _decode(rows, name), None, None
        rest = rest[end:] + more


def _within(document: Any, name: str) -> Found:
    """Return the rows that a document holds: its one array of rows, columns of one length, or itself as a row."""
    if isinstance(document, dict):
        _check_no_book(document, name)
    if isinstance(document, dict) and isinstance(document.get("schema"), dict) and "data" in document:
        document = {"data": document["data"]}  # pandas' orient="table"
    if rows := _of_pandas(document):
        return rows, None, None
    arrays = list(_nested(document))
    if len(arrays) == 1:
        key, rows, beside = arrays[0]
        columns = beside.get("columns") if isinstance(beside.get("columns"), list) else None
        names = columns if columns != list(range(len(columns or ()))) else None
        symbol = _told(beside) or _told(document) or (key if _is_symbol(key) else None)
        if zone := _zone(document):
            rows = [{**row, "timezone": zone} if isinstance(row, dict) else row for row in rows]
        if category := _category(beside):
            rows = [_in_category(row, category) for row in rows]
        return rows, None if names is None else tuple(map(str, names)), symbol
    if {"prices", "market_caps"} <= {key for key, _, _ in arrays}:
        raise UnknownFormatError(
            f"{name}: these are prices of moments (CoinGecko's market_chart), not bars; save its ohlc"
        )
    if arrays and all(_is_symbol(key) and isinstance(rows[0], dict) for key, rows, _ in arrays):
        return [{"symbol": key, **row} for key, rows, _ in arrays for row in rows if isinstance(row, dict)], None, None
    if arrays:
        raise UnknownFormatError(
            f"{name}: unknown format, the JSON holds {len(arrays)} arrays of rows; save each in a file"
        )
    columns = _columns(document)
    if columns:
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        return rows, None, _told(document)
    if isinstance(document, dict) and (rows := _by_time(document)):
        return rows, None, _of_alpha_vantage(document, name)
    return _alone(document, name), None, None


def _alone(document: Any, name: str) -> list[Any]:
    """Return the one row that a document is. Raises UnknownFormatError if it is none, or an answer without any."""
    if not isinstance(document, dict) or all(isinstance(cell, list | dict) for cell in document.values()):
        raise UnknownFormatError(f"{name}: unknown format, the JSON holds no array of rows")
    if _is_empty(document):
        raise UnknownFormatError(f"{name}: this is an answer without rows")
    return [document]


def _is_empty(document: dict[str, Any]) -> bool:
    """Return whether an object has an empty array, or nothing, where an answer has its rows, and does not say why."""
    if any(cell and key.lower() in MESSAGES for key, cell in document.items()):
        return False
    inner = [document, *(value for value in document.values() if isinstance(value, dict))]
    return any(key in _HOLDERS and value in ([], {}, None) for one in inner for key, value in one.items())


def _of_pandas(document: Any) -> list[dict[str, Any]]:
    """Return the rows of an object of objects with the same keys: columns of rows, or rows of columns.

    What a row is called by is its index: a time, where it is no number of the row.
    """
    if not isinstance(document, dict) or not all(isinstance(one, dict) and one for one in document.values()):
        return []
    outer, inner = list(document), list(next(iter(document.values()), {}))
    if len(outer) < 2 or any(list(one) != inner for one in document.values()):
        return []
    if any(isinstance(cell, list | dict) for one in document.values() for cell in one.values()):
        return []
    named = [{name.lower() for name in names} >= {word} for names in (outer, inner) for word in ("close", "price")]
    if any(named[:2]):
        rows = {key: {name: document[name][key] for name in outer} for key in inner}
    elif any(named[2:]):
        rows = document
    else:
        return []
    numbered = list(rows) == [str(place) for place in range(len(rows))]
    return [row if numbered else {"index": key, **row} for key, row in rows.items()]


def _flat(values: list[Any]) -> list[Any]:
    """Return rows with those of each symbol taken out of its object: Coinalyze's history."""
    if not all(isinstance(value, dict) and set(value) == {"symbol", "history"} for value in values):
        return values
    return [{"symbol": value["symbol"], **row} for value in values for row in value["history"]]


def _is_symbol(key: str | None) -> bool:
    return bool(key) and symbol_of(canonical(key or "").partition(":")[0]) is not None


def _category(document: dict[str, Any]) -> str:
    """Return what an object calls the market that it is of; empty if it does not say."""
    return next((document[name] for name in _CATEGORIES if isinstance(document.get(name), str)), "")


def _in_category(row: Any, category: str) -> Any:
    """Return a row whose own symbol is of the market that is told beside all rows (Bybit's trades)."""
    if not isinstance(row, dict) or not isinstance(row.get("symbol"), str):
        return row
    return {**row, "symbol": in_category(canonical(row["symbol"]), category)}


def _told(document: Any) -> str | None:
    """Return the symbol that an object tells, one in it (TwelveData's meta, Kaiko's query), or HTX's channel."""
    if not isinstance(document, dict):
        return None
    for one in (document, *(value for value in document.values() if isinstance(value, dict))):
        result = next((one[name] for name in _SYMBOLS if isinstance(one.get(name), str)), None)
        if result is not None:
            category = _category(one)
            return in_category(canonical(str(result)), category) if category else str(result)
    channel = document.get("ch")
    return channel.split(".")[1] if isinstance(channel, str) and channel.startswith("market.") else None


def _zone(document: Any) -> str | None:
    """Return the zone that an answer tells beside its rows, as TwelveData's meta does of an exchange."""
    inner = [document, *document.values()] if isinstance(document, dict) else []
    results = (one[key] for one in inner if isinstance(one, dict) for key in one if key.strip().lower() in ZONE_COLUMNS)
    return next((zone for zone in results if isinstance(zone, str) and zone.lower() not in UTC_NAMES), None)


def _by_time(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of an object of objects that are called by their times, as Alpha Vantage has them.

    Its columns are numbered, in text: "1. open".
    """
    for value in document.values():
        if isinstance(value, dict) and value and all(_STAMP.match(key) for key in value):
            rows = [(time, row) for time, row in value.items() if isinstance(row, dict)]
            return [{"timestamp": time} | {_NUMBERED.sub("", key): row[key] for key in row} for time, row in rows]
    return []


def _of_alpha_vantage(document: dict[str, Any], name: str) -> str | None:
    """Return the symbol that Alpha Vantage's metadata tell. Raises where they tell another zone than UTC."""
    meta = {_NUMBERED.sub("", key): str(value) for key, value in (document.get("Meta Data") or {}).items()}
    zone = meta.get("Time Zone", "UTC")
    if zone.split(" ")[0] not in ("UTC", "GMT"):
        raise SourceError(f"{name}: its times are of {zone}: save it as csv, and give the zone with --zone")
    code, market = meta.get("Digital Currency Code"), meta.get("Market Code")
    return f"{code}{market}" if code and market else meta.get("Symbol")


def _nested(document: Any) -> Iterator[tuple[str | None, list[Any], dict[str, Any]]]:
    """Yield each array of arrays or objects below an object, with its key and the object that holds it."""
    for name, value in document.items() if isinstance(document, dict) else ():
        if isinstance(value, dict):
            yield from _nested(value)
        elif isinstance(value, list) and value and all(isinstance(row, list | dict) for row in value):
            yield name, value, document


def _columns(document: Any) -> dict[str, list[Any]]:
    """Return the arrays of single values that are the most of one length: the columns of a table."""
    objects = [document]
    for one in objects:
        objects += [value for value in one.values() if isinstance(value, dict)] if isinstance(one, dict) else []
    for one in objects:
        arrays = {key: value for key, value in one.items() if isinstance(value, list) and value} if one else {}
        lengths = {len(value) for value in arrays.values()}
        if len(arrays) > 2 and len(lengths) == 1:
            return arrays
    return {}


def _decode(text: bytes, name: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            raise _unreadable(name, error) from error


def _unreadable(name: str, error: Exception) -> SourceError:
    return SourceError(f"{name}: the JSON cannot be read: {error}")
