"""Times that name no zone, with --zone: read as that zone's, refused where its clock does not tell the moment."""

import json
import zoneinfo
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cli.errors import UserError
from cli.replay import replay
from sources.errors import SourceError
from sources.reading.request import ReadRequest
from sources.times import zones

T = 1_704_067_200_000
"""2024-01-01 00:00 UTC"""
H = 3_600_000
PRICES = "10,12,9,11"


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    app.command()(replay)
    return app


def _file(folder: Path, cells: list[str], name: str = "BTCUSD_1h.csv", header: str = "date") -> Path:
    path = folder / name
    path.write_text("\n".join([f"{header},open,high,low,close", *(f"{cell},{PRICES}" for cell in cells)]) + "\n")
    return path


@pytest.mark.parametrize(
    ("zone", "hours"),
    [("UTC", 0), ("Europe/Berlin", 1), ("America/New_York", -5), ("+02:00", 2), ("-0300", -3), ("Etc/GMT-2", 2)],
)
@pytest.mark.parametrize(
    "cells", ["2024-01-01 {:02}:00", "01.01.2024 {:02}:00", "20240101{:02}00", "2024-01-01,{:02}:00"]
)
def test_a_time_without_a_zone_is_of_the_zone_that_is_given(
    zone: str, hours: int, cells: str, tmp_path: Path, replayed
) -> None:
    header = "date,time" if "," in cells else "date"
    path = _file(tmp_path, [cells.format(hour) for hour in (8, 9, 10)], header=header)
    result = replayed(path, ReadRequest(zone=zone))
    assert [bar.time for bar in result.bars] == [T + (hour - hours) * H for hour in (8, 9, 10)]
    assert result.counts.understood[0].zone == f"{zone} where a time names none"


@pytest.mark.parametrize("cells", ["2024-01-01T{:02}:00Z", "2024-01-01 {:02}:00 UTC", "2024-01-01 {:02}:00:00+00:00"])
def test_a_time_with_a_zone_is_of_its_own(cells: str, tmp_path: Path, replayed) -> None:
    path = _file(tmp_path, [cells.format(hour) for hour in (8, 9)])
    assert [bar.time for bar in replayed(path, ReadRequest(zone="Asia/Tokyo")).bars] == [T + 8 * H, T + 9 * H]


def test_unix_times_are_not_moved_and_that_is_said(tmp_path: Path, replayed) -> None:
    path = _file(tmp_path, [str(T), str(T + H)])
    result = replayed(path, ReadRequest(zone="Asia/Tokyo"))
    assert [bar.time for bar in result.bars] == [T, T + H]
    assert result.counts.understood[0].zone == "UTC, as all unix times: --zone does not move them"


@pytest.mark.parametrize(
    ("day", "hours", "read"),
    [("2024-03-10", (1, 2, 3), [6, 7]), ("2024-11-03", (0, 1, 1, 2), [4, 7])],
    ids=["skipped", "twice"],
)
def test_an_hour_that_a_clock_skips_or_shows_twice_is_impossible_with_its_reason(
    day: str, hours: tuple[int, ...], read: list[int], tmp_path: Path, replayed
) -> None:
    path = _file(tmp_path, [f"{day} {hour:02}:00" for hour in hours])
    result = replayed(path, ReadRequest(zone="America/New_York"))
    assert [bar.time // H % 24 for bar in result.bars] == read
    assert result.counts.impossible == len(hours) - 2
    assert list(result.counts.refused) == [
        "the clock of America/New_York never shows that time, or shows it twice, on the day when it is changed"
    ]


def test_days_of_another_zone_are_no_days_of_ours(tmp_path: Path, replayed) -> None:
    path = _file(tmp_path, ["2024-01-01", "2024-01-02", "2024-01-03"], "BTCUSD_1d.csv")
    with pytest.raises(SourceError, match="bars of 1d begin 5 h 0 min after those of UTC, and are not served"):
        replayed(path, ReadRequest(zone="America/New_York"))
    assert len(replayed(path, ReadRequest(zone="Europe/London")).bars) == 3


def test_a_row_stamped_with_the_end_of_its_day_is_of_its_own_zone_s_day(tmp_path: Path, replayed) -> None:
    path = tmp_path / "coin_Bitcoin.csv"
    rows = [f"{day},Bitcoin,BTC,2024-01-0{day} 23:59:59,12,9,10,11,5,1" for day in (1, 2, 3)]
    path.write_text("\n".join(["SNo,Name,Symbol,Date,High,Low,Open,Close,Volume,Marketcap", *rows]))
    assert [bar.time for bar in replayed(path, ReadRequest(zone="UTC")).bars] == [T, T + 24 * H, T + 48 * H]
    with pytest.raises(SourceError, match="begin 15 h 0 min after"):
        replayed(path, ReadRequest(zone="Asia/Tokyo"))


def test_the_times_of_lean_files_are_of_the_zone_that_is_given(tmp_path: Path, replayed) -> None:
    path = tmp_path / "20240101_btcusd_minute_trade.csv"
    path.write_text("".join(f"{36_000_000 + 60_000 * at},10,12,9,11,5\n" for at in range(3)))
    assert replayed(path).bars[0].time == T + 10 * H
    assert replayed(path, ReadRequest(zone="America/New_York")).bars[0].time == T + 15 * H


def test_the_option_moves_the_times_and_the_dry_run_says_so(app: typer.Typer, tmp_path: Path) -> None:
    path = _file(tmp_path, ["2024-01-01 08:00", "2024-01-01 09:00"])
    result = CliRunner().invoke(app, [str(path), "--dry-run", "--zone", "Asia/Kolkata", "--interval", "1m", "--json"])
    counts = json.loads(result.stdout)
    assert counts["first"] == T + 8 * H - 5 * H - H // 2
    output = " ".join(CliRunner().invoke(app, [str(path), "--dry-run", "--zone", "Europe/Berlin"]).stdout.split())
    assert "Europe/Berlin where a time names none" in output


@pytest.mark.parametrize(
    ("zone", "nearest"),
    [
        ("Kolkata", "Asia/Kolkata"),
        ("new york", "America/New_York"),
        ("europe/berlin", "Europe/Berlin"),
        ("PST", "PST8PDT"),
        ("../etc/passwd", None),
        ("+25:00", None),
        ("", None),
    ],
)
def test_a_zone_that_there_is_not_is_said_with_the_nearest(
    app: typer.Typer, tmp_path: Path, zone: str, nearest: str | None
) -> None:
    path = _file(tmp_path, ["2024-01-01 08:00", "2024-01-01 09:00"])
    error = CliRunner().invoke(app, [str(path), "--dry-run", "--zone", zone]).exception
    assert isinstance(error, UserError)
    text = f"; the nearest is {nearest}" if nearest else ""
    assert str(error) == f"--zone: there is no time zone {zone!r}{text}: write Europe/Berlin, +05:30 or UTC"


def test_zones_are_known_where_the_system_has_no_files_of_them(tmp_path: Path, replayed) -> None:
    path = _file(tmp_path, ["2024-01-01 08:00", "2024-01-01 09:00"])
    before = zoneinfo.TZPATH
    zoneinfo.reset_tzpath(())
    try:
        zoneinfo.ZoneInfo.clear_cache()
        zones._spans.cache_clear()
        assert replayed(path, ReadRequest(zone="America/Denver")).bars[0].time == T + 15 * H
    finally:
        zoneinfo.reset_tzpath(before)
