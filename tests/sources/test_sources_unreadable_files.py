"""What is no table, and tables whose header, numbers or zone can be taken for another: one line that says so."""

import bz2
import json
import lzma
import tarfile
import time
import zipfile
from pathlib import Path

import pytest

from sources.errors import SourceError
from sources.reading.request import ReadRequest

T = 1_704_067_200_000
M = 60_000
P = "10,12,9,11"
ROWS = [f"{T + place * M},{P}" for place in range(4)]
H = "time,open,high,low,close"


def _table(path: Path, header: str = H, rows: list[str] | None = None) -> Path:
    path.write_text("\n".join([header, *(ROWS if rows is None else rows)]) + "\n")
    return path


def _is_right(result) -> None:
    assert [(bar.time, bar.open, bar.close) for bar in result.bars] == [(T + at * M, 10.0, 11.0) for at in range(4)]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "is an Excel workbook"),
        (lzma.compress(b"time,open"), "is packed with xz"),
        (bz2.compress(b"time,open"), "is packed with bzip2"),
        (b"\x28\xb5\x2f\xfd" + bytes(9), "is packed with zstd"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(9), "is a 7z archive"),
        (b"Rar!\x1a\x07" + bytes(9), "is a rar archive"),
        (b"\x04\x22\x4d\x18" + bytes(9), "is packed with lz4"),
        (b"\x80\x04\x95" + bytes(9), "is a Python pickle"),
        (b"\x89HDF\r\n\x1a\n", "is an HDF5 file"),
        (b"SQLite format 3\x00", "is an SQLite database"),
        (b"\x93NUMPY\x01\x00", "is a NumPy array"),
        (b"%PDF-1.7", "is a PDF"),
        (b"FEA1" + bytes(9), "is a Feather file of version 1"),
        (b"\xff\xff\xff\xff" + bytes(9), "is an Arrow stream"),
        (b"<!DOCTYPE html><html>", "is a web page"),
        (b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>", "is an XML document"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "is a pointer of git-lfs"),
        (b'{"code": -1121, "msg": "Invalid symbol."}', "says 'Invalid symbol.'"),
        ("time,open,high,low,close,caf\xe9\n".encode("latin-1") * 2, "save it as UTF-8"),
    ],
)
def test_what_is_no_table_is_named_in_one_line(content: bytes, what: str, tmp_path: Path, replayed) -> None:
    path = tmp_path / "BTCUSD-1m.csv"
    path.write_bytes(content + (f"{T},{P},1\n".encode() if "UTF-8" in what else b""))
    with pytest.raises(SourceError) as error:
        replayed(path)
    assert what in str(error.value)
    assert len(str(error.value)) < 200
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("member", "what"), [("xl/workbook.xml", "Excel workbook"), ("content.xml", "OpenDocument")])
def test_a_workbook_is_no_zip_of_tables(member: str, what: str, tmp_path: Path, replayed) -> None:
    with zipfile.ZipFile(tmp_path / "BTCUSD.xlsx", "w") as archive:
        archive.writestr(member, "<a/>")
    with pytest.raises(SourceError, match=f"{what}.*save the sheet as csv"):
        replayed(tmp_path / "BTCUSD.xlsx")


def test_a_tar_archive_and_a_folder_are_named(tmp_path: Path, replayed) -> None:
    table = _table(tmp_path / "BTCUSD.csv")
    with tarfile.open(tmp_path / "BTCUSD.tar", "w") as archive:
        archive.add(table)
    with pytest.raises(SourceError, match="is a tar archive"):
        replayed(tmp_path / "BTCUSD.tar")
    with pytest.raises(SourceError, match="is a folder"):
        replayed(tmp_path)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("lines", [False, True])
def test_json_with_a_byte_order_mark_is_read(encoding: str, lines: bool, tmp_path: Path, replayed) -> None:
    rows = [dict(zip(H.split(","), map(float, row.split(",")), strict=True)) for row in ROWS]
    text = "\n".join(map(json.dumps, rows)) if lines else json.dumps(rows)
    (tmp_path / "BTCUSD.json").write_bytes(text.encode(encoding))
    _is_right(replayed(tmp_path / "BTCUSD.json"))


@pytest.mark.slow
def test_an_array_within_one_object_is_refused_in_proportion_to_its_length(tmp_path: Path, replayed) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps([{"symbol": "BTCUSDT", "data": [[T + at * M, 1, 2, 1, 2, 5] for at in range(300_000)]}]))
    begun = time.monotonic()
    with pytest.raises(SourceError):
        replayed(path)
    assert time.monotonic() - begun < 40


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("ETHUSD.json", b'[{"time": 1,'),
        ("ETHUSD-1m.parquet", b"PAR1" + bytes(40)),
        ("ETHUSD-1d.csv", b"time,open,high,low,close\n1,2"),
        ("data.csv", b"time,open,high,low,close\n1704067200000,10,12,9,11\n"),
        ("ETHUSD.csv", b"time,open,high,low,close\n"),
        ("ETHUSD.csv.gz", b"\x1f\x8b\x08\x00\x00\x00\x00\x00"),
    ],
)
def test_a_member_that_cannot_be_read_does_not_keep_the_others(
    name: str, content: bytes, tmp_path: Path, replayed
) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr(name, content)
        archive.writestr("BTCUSD-1m.csv", "\n".join([H, *ROWS]))
    result = replayed(tmp_path / "all.zip")
    assert len(result.bars) == 4
    assert all(why.startswith("all.zip:") for why in result.counts.passed_over.values())


@pytest.mark.parametrize("time_form", [str, lambda at: "2024-01-01 00:0" + str((at - T) // M)])
def test_a_header_without_a_name_for_the_index_is_read(time_form, tmp_path: Path, replayed) -> None:
    rows = [f"{time_form(T + place * M)},{P},5" for place in range(4)]
    result = replayed(_table(tmp_path / "BTCUSD-1m.csv", "open,high,low,close,volume", rows))
    _is_right(result)
    assert {bar.volume for bar in result.bars} == {5.0}


@pytest.mark.parametrize(
    "header", ["time,open,high,low,close,volume,x", "open,high,low,close", "time,open,high,low,close"]
)
def test_a_header_of_another_length_than_the_rows_is_refused(header: str, tmp_path: Path, replayed) -> None:
    rows = [f"{row},5" for row in ROWS]
    with pytest.raises(SourceError, match=r"the header has \d names"):
        replayed(_table(tmp_path / "BTCUSD-1m.csv", header, rows))


def test_a_header_may_end_with_a_comma(tmp_path: Path, replayed) -> None:
    _is_right(replayed(_table(tmp_path / "BTCUSD-1m.csv", f"{H},")))


def test_blanks_before_quotes_are_skipped(tmp_path: Path, replayed) -> None:
    header = ", ".join(f'"{name}"' for name in H.split(","))
    rows = [", ".join(f'"{cell}"' for cell in row.split(",")) for row in ROWS]
    _is_right(replayed(_table(tmp_path / "BTCUSD-1m.csv", header, rows)))


@pytest.mark.parametrize(
    ("prices", "opening"),
    [
        ("42.000;42.010,5;41.990;42.005", 42_000.0),
        ("1.234;1.235,5;1.233;1.234,5", 1_234.0),
        ("7.000;7.001;6.999;7.000,25", 7_000.0),
    ],
)
def test_one_decimal_comma_makes_the_points_of_all_columns_thousands(
    prices: str, opening: float, tmp_path: Path, replayed
) -> None:
    rows = [f"{T + place * M};{prices};1.234" for place in range(4)]
    bars = replayed(_table(tmp_path / "BTCEUR.csv", H.replace(",", ";") + ";volume", rows)).bars
    assert {(bar.open, bar.volume) for bar in bars} == {(opening, 1_234.0)}


@pytest.mark.parametrize(
    "prices", ["42.000;42.010;41.990;42.005", "1.000;1.010;1.000;1.005", "7.100;7.100;7.100;7.100"]
)
def test_points_before_three_digits_between_semicolons_are_refused(prices: str, tmp_path: Path, replayed) -> None:
    rows = [f"{T + place * M};{prices}" for place in range(4)]
    with pytest.raises(SourceError, match="can be read in two ways"):
        replayed(_table(tmp_path / "BTCEUR.csv", H.replace(",", ";"), rows))


@pytest.mark.parametrize(
    "cell", ["--", "\u2014", "\\N", "<NA>", "nil", "n.a.", "#DIV/0!", "#VALUE!", "undefined", "NaT"]
)
def test_a_cell_without_a_value_is_empty(cell: str, tmp_path: Path, replayed) -> None:
    result = replayed(_table(tmp_path / "BTCUSD.csv", f"{H},volume", [f"{row},{cell}" for row in ROWS]))
    _is_right(result)
    assert {bar.volume for bar in result.bars} == {None}


@pytest.mark.parametrize(
    ("above", "name", "cell"),
    [("", "timezone", "America/New_York"), ("", "Gmtoffset", "-18000"), ("# timezone: Asia/Tokyo\n", "note", "a")],
)
def test_a_zone_told_beside_the_times_is_not_guessed(
    above: str, name: str, cell: str, tmp_path: Path, replayed
) -> None:
    rows = [f"2024-01-01 00:0{place},{P},{cell}" for place in range(4)]
    path = _table(tmp_path / "BTCUSD.csv", f"{above}{H},{name}", rows)
    with pytest.raises(SourceError, match="give theirs with --zone"):
        replayed(path)
    _is_right(replayed(path, ReadRequest(zone="UTC")))


@pytest.mark.parametrize("header", ["start,timestamp", "timestamp,interval_begin", "time,start"])
def test_of_two_times_one_interval_apart_the_earlier_is_the_start(header: str, tmp_path: Path, replayed) -> None:
    first = header.startswith("start")
    begins = [T + place * M for place in range(4)]
    rows = [f"{begin},{begin + M},{P}" if first else f"{begin + M},{begin},{P}" for begin in begins]
    _is_right(replayed(_table(tmp_path / "BTCUSD.csv", f"{header},open,high,low,close", rows)))


@pytest.mark.parametrize("hour", [23, 5, 16])
def test_days_that_begin_in_another_zone_are_told_at_once(hour: int, tmp_path: Path, replayed) -> None:
    rows = [f"{T + (24 * place + hour) * 60 * M},{P}" for place in range(4)]
    with pytest.raises(SourceError, match=rf"its days begin at {hour:02}:00 UTC.*--zone"):
        replayed(_table(tmp_path / "BTCUSD-1d.csv", H, rows))


@pytest.mark.parametrize("header", ["time,close,open,high,low", "close,low,high,open,time", "Time,High,Open,Low,Close"])
def test_a_second_header_in_another_order_is_refused(header: str, tmp_path: Path, replayed) -> None:
    with pytest.raises(SourceError, match="second header with its columns in another order"):
        replayed(_table(tmp_path / "BTCUSD-1m.csv", H, [*ROWS, header, *ROWS]))


def test_a_zone_that_is_utc_and_unix_times_need_no_zone(tmp_path: Path, replayed) -> None:
    _is_right(replayed(_table(tmp_path / "BTCUSD.csv", f"{H},timezone", [f"{row},America/New_York" for row in ROWS])))
    rows = [f"2024-01-01 00:0{place},{P},UTC" for place in range(4)]
    _is_right(replayed(_table(tmp_path / "BTCUSD.csv", f"{H},timezone", rows)))
