"""Any table of bars, however its columns are named and ordered and its times written, reads to the same bars."""

import bz2
import gzip
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from sources.formats.plain import FIELDS
from sources.reading.request import ReadRequest
from topics.records import Bar

T = 1_704_067_200_000
M = 60_000
PRICES = ("open", "high", "low", "close")
NAMES = {name: [one for one in FIELDS[name] if len(one) > 1] for name in (*PRICES, "volume", "quote_volume", "trades")}
TIMES = ("unix", "timestamp", "time", "date", "datetime", "open_time", "ts")


def _at(time: int, zone: timezone = UTC) -> datetime:
    return datetime.fromtimestamp(time / 1_000, zone)


FORMS: dict[str, Callable[[int], object]] = {
    "s": lambda time: time // 1_000,
    "ms": lambda time: time,
    "us": lambda time: time * 1_000,
    "ns": lambda time: time * 1_000_000,
    "iso": lambda time: _at(time).isoformat(),
    "zone": lambda time: _at(time, timezone(timedelta(hours=5, minutes=30))).isoformat(),
    "blank": lambda time: f"{_at(time):%Y-%m-%d %H:%M:%S} UTC",
    "dots": lambda time: f"{_at(time):%d.%m.%Y %H:%M}",
    "digits": lambda time: int(f"{_at(time):%Y%m%d%H%M}"),
    "days": lambda time: round(time / 86_400_000 + 25_569, 8),
}
LOCAL: dict[str, Callable[[int, ZoneInfo], object]] = {
    "text": lambda time, zone: f"{datetime.fromtimestamp(time / 1_000, zone):%Y-%m-%d %H:%M:%S}",
    "dots": lambda time, zone: f"{datetime.fromtimestamp(time / 1_000, zone):%d.%m.%Y %H:%M}",
    "digits": lambda time, zone: int(f"{datetime.fromtimestamp(time / 1_000, zone):%Y%m%d%H%M}"),
    "typed": lambda time, zone: datetime.fromtimestamp(time / 1_000, zone).replace(tzinfo=None),
    "ms": lambda time, _: time,
    "named": lambda time, zone: datetime.fromtimestamp(time / 1_000, zone).isoformat(),
}
ZONES = ("UTC", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Apia")
CHANGES = (1_710_037_800_000, 1_730_610_000_000, 1_704_067_200_000, 1_712_401_200_000, 1_317_369_600_000)
"""Times near which some of these clocks are changed (New York, Lord Howe, Apia), and one near which none is."""
CONTAINERS = ("csv", "tsv", "semicolons", "csv.gz", "zip", "json", "rows.json", "jsonl", "parquet", "feather")


@st.composite
def bars(draw: st.DrawFn) -> list[dict[str, float]]:
    """Bars of some minutes, not all of which have a row."""
    minutes = sorted(draw(st.sets(st.integers(0, 40), min_size=3, max_size=15)) | {0, 1})
    rows = []
    for minute in minutes:
        low = draw(st.integers(1, 10_000)) / 8
        opening, close = (low + draw(st.integers(0, 64)) / 8 for _ in range(2))
        high = max(opening, close) + draw(st.integers(0, 16)) / 8
        volume = draw(st.integers(0, 1_000)) / 8
        rows.append(
            {"time": T + minute * M, "open": opening, "high": high, "low": low, "close": close, "volume": volume}
            | {"quote_volume": volume * close, "trades": float(draw(st.integers(0, 99 if volume else 0)))}
        )
    return rows


@pytest.mark.slow
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), rows=bars(), form=st.sampled_from(sorted(FORMS)), container=st.sampled_from(CONTAINERS))
def test_the_same_bars_come_of_every_way_of_writing_them(
    data: st.DataObject, rows: list[dict[str, float]], form: str, container: str, tmp_path_factory, replayed
) -> None:
    names = {name: data.draw(st.sampled_from(spellings)) for name, spellings in NAMES.items()}
    names["time"] = data.draw(st.sampled_from(TIMES))
    names = {name: data.draw(st.sampled_from([text, text.upper(), text.title()])) for name, text in names.items()}
    order = data.draw(st.permutations(list(names)))
    table = [
        {names[name]: FORMS[form](int(row["time"])) if name == "time" else row[name] for name in order} for row in rows
    ]
    path = tmp_path_factory.mktemp("table") / f"BTCUSDT_1m.{container}"
    _write(table, container, path)
    result = replayed(path)
    assert result.counts.impossible == 0
    assert result.bars == [_bar(row, gap) for row, gap in zip(rows, _gaps(rows), strict=True)]


@pytest.mark.slow
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=bars(),
    form=st.sampled_from(sorted(LOCAL)),
    container=st.sampled_from(("csv", "parquet", "json")),
    zone=st.sampled_from(ZONES),
    moved=st.sampled_from(CHANGES),
    hours=st.integers(-4, 4),
)
def test_what_a_clock_of_any_zone_shows_once_is_read_as_that_moment_and_all_else_is_refused(
    rows: list[dict[str, float]],
    form: str,
    container: str,
    zone: str,
    moved: int,
    hours: int,
    tmp_path_factory,
    replayed,
) -> None:
    clock, begin = ZoneInfo(zone), moved // (60 * M) * 60 * M + hours * 60 * M
    rows = [row | {"time": row["time"] - T + begin} for row in rows]
    table = [row | {"time": LOCAL[form](int(row["time"]), clock)} for row in rows]
    if container != "parquet":
        table = [row | {"time": str(row["time"]) if form == "typed" else row["time"]} for row in table]
    path = tmp_path_factory.mktemp("table") / f"BTCUSDT_1m.{container}"
    _write(table, container, path)
    once = [row for row in rows if form in ("ms", "named") or _once(int(row["time"]), clock)]
    assume(once)
    result = replayed(path, ReadRequest(zone=zone))
    assert [bar.time for bar in result.bars] == [row["time"] for row in once]
    assert result.counts.impossible == len(rows) - len(once)
    assert all(f"the clock of {zone}" in letter.reason for letter in result.dead)


def _once(time: int, zone: ZoneInfo) -> bool:
    """Return whether a clock shows what it shows at that moment at no other."""
    shown = datetime.fromtimestamp(time / 1_000, zone).replace(tzinfo=None)
    return shown.replace(tzinfo=zone, fold=0).timestamp() == shown.replace(tzinfo=zone, fold=1).timestamp()


def _gaps(rows: list[dict[str, float]]) -> list[int]:
    times = [int(row["time"]) for row in rows]
    return [0, *((after - before) // M - 1 for before, after in pairwise(times))]


def _bar(row: dict[str, float], gap: int) -> Bar:
    return Bar(
        "BTCUSDT",
        "1m",
        int(row["time"]),
        *(row[name] for name in PRICES),
        row["volume"],
        int(row["trades"]),
        quote_volume=row["quote_volume"],
        gap=gap,
    )


def _write(table: list[dict[str, object]], container: str, path: Path) -> None:
    names = list(table[0])
    if container in ("parquet", "feather"):
        written = pa.table({name: [row[name] for row in table] for name in names})
        pa.parquet.write_table(written, path) if container == "parquet" else pa.feather.write_feather(
            written, str(path)
        )
        return
    if container == "json":
        text = json.dumps(table)
    elif container == "jsonl":
        text = "\n".join(map(json.dumps, table))
    elif container == "rows.json":
        text = json.dumps({"columns": names, "data": [list(row.values()) for row in table]})
    else:
        delimiter = {"tsv": "\t", "semicolons": ";"}.get(container, ",")
        lines = [delimiter.join(str(cell) for cell in row.values()) for row in table]
        text = "\n".join([delimiter.join(names), *lines]) + "\n"
    if container == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("BTCUSDT_1m.csv", text)
    else:
        path.write_bytes(gzip.compress(text.encode()) if container == "csv.gz" else text.encode())


@pytest.mark.parametrize("pack", [bz2.compress])
def test_a_container_that_is_not_known_is_said(pack: Callable[[bytes], bytes], tmp_path: Path, replayed) -> None:
    (tmp_path / "BTCUSDT.csv.bz2").write_bytes(pack(b"time,open,high,low,close\n1704067200000,1,1,1,1\n"))
    with pytest.raises(ValueError, match="is packed with bzip2") as error:
        replayed(tmp_path / "BTCUSDT.csv.bz2")
    assert "\n" not in str(error.value)
