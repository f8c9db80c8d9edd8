"""Containers, cleaning and merging of whole files, with every row accounted for."""

import gzip
import random
import time
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest
from msgspec.structs import replace

from features.suspect_prices import SuspectState, mark
from settings import ROOT
from sources.errors import SourceError
from sources.reading.request import ReadRequest

T = 1_600_000_020_000
M = 60_000
HEADER = "time,open,high,low,close,volume"


def _line(minute: int, volume: float = 5.0) -> str:
    return f"{T + minute * M},10,12,9,11,{volume}"


def _write(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join([HEADER, *lines]) + "\n")
    return path


def _minutes(bars) -> list[int]:  # a list of bars
    return [(bar.time - T) // M for bar in bars]


@pytest.fixture
def table() -> pa.Table:
    return pa.table(
        {
            "date": pa.array([T + minute * M for minute in range(5)], pa.timestamp("ms", tz="UTC")),
            **{name: [price] * 5 for name, price in {"open": 10.0, "high": 12.0, "low": 9.0, "close": 11.0}.items()},
            "volume": [1.0, 2.0, None, 4.0, 5.0],
        }
    )


@pytest.mark.parametrize("container", ["csv", "csv.gz", "zip", "parquet", "feather", "feather.gz", "misnamed"])
def test_each_container_gives_the_same_bars(container: str, table: pa.Table, tmp_path: Path, replayed) -> None:
    lines = [_line(minute, volume) for minute, volume in enumerate([1.0, 2.0, "", 4.0, 5.0])]
    plain = _write(tmp_path / "BTCUSDT.csv", lines)
    expected = replayed(plain).bars
    path = tmp_path / f"BTCUSDT.{container}"
    if container == "csv.gz":
        path.write_bytes(gzip.compress(plain.read_bytes()))
    elif container == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(plain, "folder/BTCUSDT.csv")
            archive.writestr("folder/asset_details.csv", "Asset_ID,Weight,Asset_Name\n")
    elif container == "parquet":
        pa.parquet.write_table(table, path)
    elif container.startswith("feather"):
        pa.feather.write_feather(table, str(path))
        if container.endswith("gz"):
            path.write_bytes(gzip.compress(path.read_bytes()))
    elif container == "misnamed":
        path = tmp_path / "BTCUSDT.csv.parquet"
        path.write_bytes(gzip.compress(plain.read_bytes()))
    assert replayed(path).bars == expected
    assert [bar.volume for bar in expected] == [1.0, 2.0, None, 4.0, 5.0]


def test_unsorted_repeated_missing_and_impossible_rows_are_counted(tmp_path: Path, replayed) -> None:
    good = [_line(minute) for minute in (0, 1, 2, 5, 6, 10)]
    bad = [
        f"{T + 7 * M},10,8,9,11,5",
        f"{T + 8 * M},10,12,9,11,-1",
        f"{T + 9 * M},ten,12,9,11,5",
        "soon,10,12,9,11,5",
        f"{T + 3 * M + 1},10,12,9,11,5",
        "only,two",
    ]
    empty = [f"{T + 4 * M},NaN,NaN,NaN,NaN,NaN", f"{T + 3 * M},,,,,"]
    lines = good + bad + empty + [_line(1, 99), _line(6, 99)]
    random.Random(7).shuffle(lines)  # noqa: S311 - no secret: an order that is always the same
    result = replayed(_write(tmp_path / "BTCUSDT.csv", lines), ReadRequest(interval="1m"))
    counts = result.counts
    assert _minutes(result.bars) == [0, 1, 2, 5, 6, 10]
    assert [bar.gap for bar in result.bars] == [0, 0, 0, 2, 0, 3]
    assert (counts.rows, counts.bars, counts.duplicates, counts.empty, counts.impossible) == (16, 6, 2, 2, 6)
    assert (counts.gaps, counts.missing_intervals) == (2, 5)
    reasons = {letter.offset: (letter.value.decode(), letter.reason) for letter in result.dead}
    assert {value for value, _ in reasons.values()} == set(bad)
    assert all(lines[row - 1] == value for row, (value, _) in reasons.items())
    assert all(letter.topic == "BTCUSDT.csv" and letter.partition == 0 and letter.reason for letter in result.dead)


def test_broken_rows_keep_their_numbers_across_blocks(
    tmp_path: Path, replayed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sources.reading.container.BLOCK_BYTES", 1_000)
    lines = ["broken" if minute % 37 == 5 else _line(minute) for minute in range(500)]
    result = replayed(_write(tmp_path / "BTCUSDT.csv", lines))
    assert [letter.offset for letter in result.dead] == [at for at, line in enumerate(lines, 1) if line == "broken"]
    assert result.counts.rows == 500


def test_a_table_that_is_newest_first_and_long_is_turned(
    tmp_path: Path, replayed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sources.reading.container.BLOCK_BYTES", 2_000)
    monkeypatch.setattr("sources.reading.sort.RUN_ROWS", 100)
    monkeypatch.setattr("sources.reading.sort.BLOCK_ROWS", 16)
    result = replayed(_write(tmp_path / "BTCUSDT.csv", [_line(minute) for minute in reversed(range(1_000))]))
    assert _minutes(result.bars) == list(range(1_000))


def test_files_of_one_symbol_are_one_series(tmp_path: Path, replayed) -> None:
    january = _write(tmp_path / "BTCUSDT-1m-2020-01.csv", [_line(minute, 1) for minute in range(6)])
    february = _write(tmp_path / "BTCUSDT-1m-2020-02.csv", [_line(minute, 2) for minute in (4, 5, 6, 9, 10)])
    result = replayed([january, february])
    assert _minutes(result.bars) == [0, 1, 2, 3, 4, 5, 6, 9, 10]
    # What the later file says of a bar stays.
    assert [bar.volume for bar in result.bars] == [1, 1, 1, 1, 2, 2, 2, 2, 2]
    assert (result.counts.duplicates, result.counts.conflicts) == (2, 2)
    assert [bar.gap for bar in result.bars][-2:] == [2, 0]


def test_symbols_go_forward_together(tmp_path: Path, replayed) -> None:
    files = [_write(tmp_path / f"{name}USDT.csv", [_line(minute) for minute in range(300)]) for name in ("BTC", "ETH")]
    bars = replayed(files, frame_rows=10).bars
    reached = {"BTCUSDT": -1, "ETHUSDT": -1}
    for bar, minute in zip(bars, _minutes(bars), strict=True):
        assert minute == reached[bar.symbol] + 1
        reached[bar.symbol] = minute
        assert abs(reached["BTCUSDT"] - reached["ETHUSDT"]) <= 10


@pytest.fixture
def long(tmp_path: Path) -> Path:
    path = tmp_path / "all.csv"
    rows = [f"{T + minute * M},{symbol},10,12,9,11,5" for minute in range(4) for symbol in ("btc/usd", "ETHUSD")]
    path.write_text("\n".join(["time,symbol,open,high,low,close,volume", *rows]))
    return path


def test_a_symbol_is_chosen_from_a_long_table(long: Path, replayed) -> None:
    result = replayed(long, ReadRequest(symbol="ETHUSD"))
    assert result.counts.symbols == {"ETHUSD": 4}
    assert result.counts.outside == 4


def test_a_symbol_is_written_as_people_write_it(long: Path, replayed) -> None:
    assert replayed(long, ReadRequest(symbol="btc/usd")).counts.symbols == {"BTCUSD": 4}


def test_a_table_of_assets_alone_is_nothing_to_replay(tmp_path: Path, replayed) -> None:
    (tmp_path / "asset_details.csv").write_text("Asset_ID,Weight,Asset_Name\n7,1.0,Monero\n")
    with pytest.raises(SourceError, match="no table to replay"):
        replayed(tmp_path / "asset_details.csv")


def test_a_symbol_that_is_not_there_is_said(long: Path, replayed) -> None:
    with pytest.raises(SourceError, match="no file holds XRPUSD; they hold BTCUSD, ETHUSD"):
        replayed(long, ReadRequest(symbol="XRPUSD"))


def test_the_only_symbol_is_renamed(tmp_path: Path, replayed) -> None:
    path = _write(tmp_path / "BTCUSDT.csv", [_line(0), _line(1)])
    assert {bar.symbol for bar in replayed(path, ReadRequest(symbol="MINE")).bars} == {"MINE"}


def test_a_file_without_a_symbol_asks_for_one_and_takes_it(tmp_path: Path, replayed) -> None:
    path = _write(tmp_path / "prices.csv", [_line(0), _line(1)])
    with pytest.raises(SourceError, match="--symbol"):
        replayed(path)
    assert {bar.symbol for bar in replayed(path, ReadRequest(symbol="MINE")).bars} == {"MINE"}


def test_from_and_to_bound_the_times(tmp_path: Path, replayed) -> None:
    path = _write(tmp_path / "BTCUSDT.csv", [_line(minute) for minute in range(10)])
    result = replayed(path, ReadRequest(start=T + 3 * M, end=T + 6 * M))
    assert _minutes(result.bars) == [3, 4, 5]
    assert result.counts.outside == 7


def test_one_row_does_not_tell_its_interval(tmp_path: Path, replayed) -> None:
    path = _write(tmp_path / "BTCUSDT.csv", [_line(0)])
    with pytest.raises(SourceError, match="--interval"):
        replayed(path)
    assert replayed(path, ReadRequest(interval="1m")).counts.bars == 1


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.csv", b"", "empty"),
        ("blank.csv", b"\n\n", "no rows"),
        ("broken.zip", b"PK\x03\x04 but not", "cannot be read"),
        ("broken.parquet", b"PAR1 but not", "cannot be read"),
        ("broken.gz", b"\x1f\x8b but not", "cannot be read"),
        ("broken.json", b"[[1,2,", "no rows"),
        ("object.json", b'{"a": {"b": 1}}', "unknown format"),
        ("other.json", b'[{"a": 1}]', "unknown format"),
        ("binary.csv", bytes(range(14, 256)), "unknown format"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_line(
    name: str, content: bytes, message: str, tmp_path: Path, replayed
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=message) as error:
        replayed(tmp_path / name)
    assert name in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_breaks_off_or_is_no_text_far_in_is_said_in_one_line(tmp_path: Path, replayed) -> None:
    text = "\n".join([HEADER, *(_line(minute, minute * 1.7) for minute in range(200_000))])
    packed = gzip.compress(text.encode())
    (tmp_path / "BTCUSDT.csv.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(SourceError, match=r"BTCUSDT\.csv: cannot be read"):
        replayed(tmp_path / "BTCUSDT.csv.gz")
    (tmp_path / "ETHUSDT.csv").write_bytes(text.encode() + b"\n\xff\xfe\xff,1,2,3,4,5\n")
    with pytest.raises(SourceError, match=r"ETHUSDT\.csv: cannot be read"):
        replayed(tmp_path / "ETHUSDT.csv")


def test_long_json_is_read_in_blocks(tmp_path: Path, replayed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sources.reading.json_rows.BLOCK_BYTES", 100)
    rows = [f"[{T + minute * M}, 10, 12, 9, 11, 5]" for minute in range(50)]
    (tmp_path / "BTCUSDT.json").write_text("[\n" + ",\n".join(rows) + "\n]\n")
    assert _minutes(replayed(tmp_path / "BTCUSDT.json").bars) == list(range(50))
    lines = [f'{{"time": {T + minute * M}, "open": 10, "high": 12, "low": 9, "close": 11}}' for minute in range(50)]
    (tmp_path / "ETHUSDT.json").write_text("\n".join(lines))
    assert _minutes(replayed(tmp_path / "ETHUSDT.json").bars) == list(range(50))


def test_a_row_that_is_dated_ahead_is_told_and_holds_nothing_back(tmp_path: Path, replayed) -> None:
    """Case 24: a row of the year 2100 went to the topic, and every later one of its symbol was skipped there."""
    ahead = (int(time.time() * 1_000) // M - T // M) + 2 * 24 * 60
    far = [ahead, ahead + 60, (4_102_444_800_000 - T) // M]
    first = replayed(_write(tmp_path / "FUTUSDT_part1.csv", [_line(minute) for minute in (*range(100), *far)]))
    second = replayed(_write(tmp_path / "FUTUSDT_part2.csv", [_line(minute) for minute in range(100, 200)]))
    assert _minutes(first.bars) + _minutes(second.bars) == list(range(200))
    assert [(letter.offset, "later than it may be by now" in letter.reason) for letter in first.dead] == [
        (row, True) for row in (101, 102, 103)
    ]
    assert (first.counts.impossible, first.counts.rows, second.counts.impossible) == (3, 103, 0)


def test_a_price_that_is_no_normal_number_is_impossible(tmp_path: Path, replayed) -> None:
    """Case 39: 6.9e-310 was a price, and the worker ended at its forecast, again and again."""
    lines = [_line(0), f"{T + M},6.9e-310,6.9e-310,6.9e-310,6.9e-310,1", f"{T + 2 * M},1e13,1e13,1e13,1e13,1", _line(3)]
    result = replayed(_write(tmp_path / "TINYUSDT.csv", lines), ReadRequest(interval="1m"))
    assert _minutes(result.bars) == [0, 3]
    assert ["from 1e-12 to 1e+12" in letter.reason for letter in result.dead] == [True, True]


def test_a_bar_with_a_wrong_price_is_kept_and_says_why(tmp_path: Path, replayed) -> None:
    closes = [100.0 + minute % 3 for minute in range(60)]
    closes[40] *= 0.1
    lines = [f"{T + minute * M},101,102,{min(close, 100)},{close},5" for minute, close in enumerate(closes)]
    lines[50] = f"{T + 50 * M},101,900,100,101,5"
    result = replayed(_write(tmp_path / "BTCUSDT.csv", lines))
    words = {minute: bar.suspect.split(",")[0] for minute, bar in enumerate(result.bars) if bar.suspect is not None}
    assert words == {40: "close is 0.101 times the close before", 50: "high is 8.9 times the closes beside it"}
    assert [bar.close for bar in result.bars] == [*closes[:50], 101, *closes[51:]]
    assert (result.counts.bars, result.counts.suspect) == (60, 2)
    bare = [replace(bar, suspect=None) for bar in result.bars]
    assert mark(SuspectState(), bare)[1] == result.bars  # as the stream would say of the same bars


def test_no_bar_of_the_sample_is_suspect(replayed) -> None:
    for symbol in ("BTCUSDT", "ETHUSDT"):
        assert replayed(ROOT / "sample" / f"{symbol}-1m.csv.gz").counts.suspect == 0
