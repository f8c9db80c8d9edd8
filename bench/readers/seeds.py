"""Small files of every layout and container, from which the fuzzer begins."""

import gzip
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet

from settings import ROOT
from sources.formats.headerless import ORDERS
from sources.formats.known_headers import WRITERS, Writer

CORPUS = ROOT / "tests" / "sources" / "corpus"
"""Files that gave a new kind of answer, each under a number and the name that it had."""
T = 1_704_067_200_000
ROWS = 6
VALUES = {"open": "10", "high": "12", "low": "9", "close": "11", "price": "11", "vwap": "11", "symbol": "BTC-USDT"}
VALUES |= {
    "instrument_name": "BTC-USDT",
    "ticker": "X:BTC-USD",
    "side": "buy",
    "trades": "7",
    "count": "7",
    "finished": "1",
}
VALUES |= {
    "is_buyer_maker": "True",
    "is_best_match": "True",
    "quote volume": "60.5",
    "quote_volume": "60.5",
    "volumeto": "60.5",
    "vol.": "5.50K",
}
VALUES |= {"quote_asset_volume": "60.5", "exchange": "binance", "timeframe": "1m", "turnover": "60.5"}
VALUES |= {"lots": "5500"}
DAILY = ("CoinMarketCap", "Yahoo (yfinance before 2024)", "investing.com")
"""Writers whose bars are of a day; those of the others are of a minute."""
STAMPS = (
    "open_time",
    "open time",
    "datetime",
    "gmt time",
    "timestamp",
    "timeopen",
    "date",
    "ts_event",
    "window_start",
    "trade_time",
    "created_time",
)
FORMS = {"s": 1e-3, "ms": 1, "us": 1_000, "ns": 1_000_000}
WRITTEN = {"dots": "%Y.%m.%d", "strokes": "%m/%d/%Y", "iso": "%Y-%m-%dT%H:%M:%SZ"}


def seeds() -> Iterator[tuple[str, bytes]]:
    """Yield names and contents."""
    for writer in WRITERS:
        yield writer.file, text_of(writer).encode()
    for order in ORDERS:
        if "clock" in order.columns:
            continue  # a date and a time of day: what unix times make no file of
        rows = [",".join(_cell(name, at) for name in order.columns) for at in range(ROWS)]
        market = "XBTUSDTM" if "lots" in order.columns else "BTCUSDT"
        yield f"{order.venue}_{market}_1m.csv", ("\n".join(rows) + "\n").encode()
        yield f"{order.venue}_{market}_1m.json", json.dumps([row.split(",") for row in rows]).encode()
    yield from _containers()


def kept() -> Iterator[tuple[str, bytes]]:
    """Yield the names and contents of the corpus."""
    for path in sorted(CORPUS.glob("*")):
        yield path.name.partition("-")[2], path.read_bytes()


def times(writer: Writer, rows: int = ROWS) -> list[int]:
    """Return the times (epoch ms) of the rows of a writer's file."""
    begin = T + (12 * 86_400_000 if writer.time == "strokes" else 0)  # a day over 12 is no month
    return [begin + (86_400_000 if writer.name in DAILY else 60_000) * at for at in range(rows)]


def text_of(writer: Writer, rows: int = ROWS) -> str:
    """Return a file as a tool or venue writes it: bars of 10, 12, 9, 11 or trades at 11, of 5.5 and more."""
    delimiter = next(mark for mark in "\t;," if mark in writer.header)
    names = [name.lower().strip("<>") for name in writer.header.split(delimiter)]
    lines = [
        delimiter.join(_stamped(name, names, time, writer.time) or _cell(name, at) for name in names)
        for at, time in enumerate(times(writer, rows))
    ]
    return "\n".join([writer.header, *lines]) + "\n"


def _stamped(name: str, names: list[str], time: int, form: str) -> str | None:
    """Return a time in a writer's form, None if a column holds none."""
    moment = datetime.fromtimestamp(time / 1_000, UTC)
    if name == "time" and "date" in names:
        return f"{moment:%H:%M:%S}"
    if name not in (*STAMPS, "time"):
        return None
    return str(int(time * FORMS[form])) if form in FORMS else f"{moment:{WRITTEN[form]}}"


def _cell(name: str, at: int) -> str:
    if name in ("time", "close_time"):
        return str(T + 60_000 * (at + (name == "close_time")))
    if name in ("quote_volume", "usdt_volume"):
        return str(11 * (5.5 + at))
    return VALUES.get(name, str(5.5 + at))


def _containers() -> Iterator[tuple[str, bytes]]:
    rows = [
        {"time": T + 60_000 * at, "open": 10.0, "high": 12.0, "low": 9.0, "close": 11.0, "volume": 5.5}
        for at in range(ROWS)
    ]
    names = list(rows[0])
    text = "\n".join([",".join(names), *(",".join(map(str, row.values())) for row in rows)]).encode()
    yield "BTCUSDT.csv", text
    yield "BTCUSDT.csv.gz", gzip.compress(text)
    yield "BTCUSDT.csv", text.decode().encode("utf-16")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("BTCUSDT.csv", text)
        archive.writestr("notes.txt", "words\n")
    yield "all.zip", packed.getvalue()
    yield "BTCUSDT.json", json.dumps(rows).encode()
    yield "BTCUSDT.jsonl", "\n".join(map(json.dumps, rows)).encode()
    yield "BTCUSDT.json", json.dumps({"columns": names, "data": [list(row.values()) for row in rows]}).encode()
    yield (
        "BTCUSDT.json",
        json.dumps({"error": [], "result": {"XXBTZUSD": [list(row.values()) for row in rows]}}).encode(),
    )
    yield "BTCUSDT.json", json.dumps({name[0]: [row[name] for row in rows] for name in names}).encode()
    for table in (
        pa.Table.from_pylist(rows),
        pa.Table.from_pylist([{**row, "time": datetime.fromtimestamp(row["time"] / 1_000, UTC)} for row in rows]),
    ):
        for write, name in ((pa.parquet.write_table, "BTCUSDT.parquet"), (pa.feather.write_feather, "BTCUSDT.feather")):
            sink = io.BytesIO()
            write(table, sink)
            yield name, sink.getvalue()
