"""A date beside a time of day: read where it is certain, and refused where the day alone would be taken."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from sources.errors import SourceError
from sources.reading.request import ReadRequest

T = 1_704_067_200_000
"""2024-01-01 00:00 UTC"""
M, H = 60_000, 3_600_000
P = "10,12,9,11"


def _lines(folder: Path, header: str, rows: list[str], name: str = "BTCUSD_1m.csv") -> Path:
    path = folder / name
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


@pytest.mark.parametrize(
    "clock",
    [
        "{h:02}:{m:02}:00Z",
        "{h:02}:{m:02}:00 UTC",
        "{h:02}:{m:02}+00:00",
        "{h:02}:{m:02}:00 p.m.",
        "{h}:{m:02} P.M.",
        "{h:02}h{m:02}",
        "{h:02}.{m:02}.00",
        "1899-12-30 {h:02}:{m:02}:00",
        "0 days {h:02}:{m:02}:00",
        "{h:02}:{m:02}:00.000000000",
    ],
)
def test_a_time_of_day_as_tools_write_it(clock: str, tmp_path: Path, replayed) -> None:
    rows = [f"2024-01-01,{clock.format(h=3, m=place)},{P}" for place in range(4)]
    late = 12 * H if "m." in clock.lower().replace("{m", "") else 0
    bars = replayed(_lines(tmp_path, "Date,Time,open,high,low,close", rows)).bars
    assert [bar.time for bar in bars] == [T + 3 * H + late + place * M for place in range(4)]


def test_a_time_of_day_as_a_spreadsheets_part_of_a_day(tmp_path: Path, replayed) -> None:
    rows = [f"2024-01-01,{place / 1_440:.9g},{P}" for place in range(4)]
    bars = replayed(_lines(tmp_path, "Date,Time,open,high,low,close", rows)).bars
    assert [bar.time for bar in bars] == [T + place * M for place in range(4)]


@pytest.mark.parametrize("name", ["Time (UTC)", "Zeit", "time_of_day", "Timestamp", "TIME"])
def test_a_column_that_is_called_as_a_time_of_day(name: str, tmp_path: Path, replayed) -> None:
    rows = [f"2024-01-01,00:0{place},{P}" for place in range(4)]
    bars = replayed(_lines(tmp_path, f"Date,{name},open,high,low,close", rows)).bars
    assert [bar.time for bar in bars] == [T + place * M for place in range(4)]


@pytest.mark.parametrize(("name", "form"), [("Hour", "{}"), ("hours", "{:02}"), ("HOUR", "{}.0")])
def test_a_number_in_a_column_of_hours_counts_hours(name: str, form: str, tmp_path: Path, replayed) -> None:
    rows = [f"2024-01-0{1 + place // 24},{form.format(place % 24)},{P}" for place in range(30)]
    bars = replayed(_lines(tmp_path, f"Date,{name},open,high,low,close", rows, "BTCUSD.csv")).bars
    assert [bar.time for bar in bars] == [T + place * H for place in range(30)]


@pytest.mark.parametrize("header", ["Hour,Minute", "hour,min", "Hour,minutes"])
def test_hours_and_minutes_in_two_columns(header: str, tmp_path: Path, replayed) -> None:
    rows = [f"2024-01-01,{place // 60},{place % 60},{P}" for place in range(90)]
    bars = replayed(_lines(tmp_path, f"Date,{header},open,high,low,close", rows)).bars
    assert [bar.time for bar in bars] == [T + place * M for place in range(90)]


@pytest.mark.parametrize(
    ("name", "cell"), [("Time", "13.00"), ("Time", "13:00:00+01:00"), ("Timestamp", "noon"), ("Bar start", "00:01")]
)
def test_a_time_of_day_that_is_not_read_is_not_lost(name: str, cell: str, tmp_path: Path, replayed) -> None:
    path = _lines(tmp_path, f"Date,{name},open,high,low,close", [f"2024-01-01,{cell},{P}"] * 4)
    with pytest.raises(SourceError, match="time of day") as error:
        replayed(path)
    assert repr(cell) in str(error.value)
    assert name in str(error.value)


def test_a_daily_table_may_tell_when_its_high_was(tmp_path: Path, replayed) -> None:
    rows = [f"2024-01-0{1 + place},13:0{place},{P}" for place in range(4)]
    bars = replayed(_lines(tmp_path, "Date,high at,open,high,low,close", rows, "BTCUSD_1d.csv")).bars
    assert [bar.time for bar in bars] == [T + 24 * place * H for place in range(4)]


@pytest.mark.parametrize("kind", [pa.time64("ns"), pa.time64("us"), pa.time32("s")])
def test_a_time_of_day_in_a_binary_table(kind: pa.DataType, tmp_path: Path, replayed) -> None:
    unit = {"time64[ns]": 60_000_000_000, "time64[us]": 60_000_000, "time32[s]": 60}[str(kind)]
    counted = pa.array([place * unit for place in range(4)], pa.int32() if unit == 60 else pa.int64())
    prices = {
        name: [float(price)] * 4 for name, price in zip(("open", "high", "low", "close"), P.split(","), strict=True)
    }
    path = tmp_path / "BTCUSD_1m.parquet"
    pa.parquet.write_table(pa.table({"Date": ["2024-01-01"] * 4, "Time": counted.cast(kind), **prices}), path)
    assert [bar.time for bar in replayed(path).bars] == [T + place * M for place in range(4)]


def test_a_clock_of_utc_is_not_moved_by_a_zone(tmp_path: Path, replayed) -> None:
    rows = [f"2024-01-01,03:0{place}:00Z,{P}" for place in range(4)]
    path = _lines(tmp_path, "Date,Time,open,high,low,close", rows)
    assert replayed(path, ReadRequest(zone="Europe/Berlin")).bars[0].time == T + 3 * H


@pytest.mark.parametrize("name", ["BTCUSD-1m.csv", "BTCUSD_1h.csv"])
def test_a_header_without_rows_is_no_success(name: str, tmp_path: Path, replayed) -> None:
    counts = replayed(_lines(tmp_path, "time,open,high,low,close", [], name)).counts
    assert counts.problem(5.0) == f"{name} has a header and no rows"


def test_trades_without_rows_are_no_success(tmp_path: Path, replayed) -> None:
    assert replayed(_lines(tmp_path, "time,price,amount", [], "BTCUSD.csv")).counts.problem(5.0) is not None


def test_a_file_without_rows_is_told_as_such(tmp_path: Path, replayed) -> None:
    with pytest.raises(SourceError, match="a header and no rows"):
        replayed(_lines(tmp_path, "time,open,high,low,close", [], "BTCUSD.csv"))


def test_rows_of_one_time_are_not_told_as_one_row(tmp_path: Path, replayed) -> None:
    with pytest.raises(SourceError, match="no two of its 3 rows"):
        replayed(_lines(tmp_path, "time,open,high,low,close", [f"{T},{P}"] * 3, "BTCUSD.csv"))
