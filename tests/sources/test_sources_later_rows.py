"""What the first rows of a file do not tell: later keys, newest rows first, a second time, answers without rows."""

import json
from pathlib import Path

import pytest

from sources.errors import UnknownFormatError
from sources.reading import json_rows, sort
from sources.reading.request import ReadRequest

T = 1_704_067_200_000
HEADER = "time,open,high,low,close,volume\n"


@pytest.mark.parametrize("rows_of_a_run", [4, 500_000])
def test_of_a_file_that_is_newest_first_the_upper_row_of_a_bar_stays(
    tmp_path: Path, replayed, monkeypatch: pytest.MonkeyPatch, rows_of_a_run: int
) -> None:
    monkeypatch.setattr(sort, "RUN_ROWS", rows_of_a_run)
    rows = [
        f"{T + i * 60_000},42000,42010,41990,{42_001 + state},{state + 1}\n" for i in range(5) for state in range(3)
    ]
    path = tmp_path / "BTCUSDT-1m.csv"
    for lines in (rows, rows[::-1]):
        path.write_text(HEADER + "".join(lines))
        assert [bar.volume for bar in replayed(path).bars] == [3.0] * 5


@pytest.mark.parametrize("later", [{"volume": 2.0}, {"t": 1, "o": 1.0}])
def test_keys_that_only_later_rows_have_are_not_lost(
    tmp_path: Path, replayed, monkeypatch: pytest.MonkeyPatch, later: dict[str, float]
) -> None:
    monkeypatch.setattr(json_rows, "HEAD_BYTES", 600)
    rows = [{"time": T + i * 60_000, "open": 1.0, "high": 1.0, "low": 1.0, "close": 1.0} for i in range(40)]
    path = tmp_path / "BTCUSDT-1m.jsonl"
    path.write_text("\n".join(json.dumps(row | (later if i > 20 else {})) for i, row in enumerate(rows)))
    with pytest.raises(UnknownFormatError, match="later rows have keys that the first have not"):
        replayed(path)
    path.write_text("\n".join(json.dumps(row | ({"note": 1} if i > 20 else {})) for i, row in enumerate(rows)))
    assert len(replayed(path).bars) == 40


def test_two_time_columns_one_bar_apart_are_refused_where_no_name_says_start(tmp_path: Path, replayed) -> None:
    path = tmp_path / "BTCUSDT-1m.csv"
    rows = [f"{T + i * 60_000},{T + (i + 1) * 60_000},1,1,1,1\n" for i in range(6)]
    path.write_text("time,timestamp,open,high,low,close\n" + "".join(rows))
    with pytest.raises(UnknownFormatError, match="'time' and 'timestamp' are one bar apart"):
        replayed(path)
    path.write_text("open_time,timestamp,open,high,low,close\n" + "".join(rows))
    assert replayed(path).bars[0].time == T


def test_a_zone_that_an_answer_tells_is_not_passed_over(tmp_path: Path, replayed) -> None:
    rows = [
        {"datetime": f"2024-01-01 00:0{i}:00", "open": "1", "high": "1", "low": "1", "close": "1"} for i in range(5)
    ]
    path = tmp_path / "BTCUSD.json"
    for zone, refused in (("America/New_York", True), ("UTC", False)):
        meta = {"symbol": "BTC/USD", "interval": "1min", "exchange_timezone": zone}
        path.write_text(json.dumps({"meta": meta, "values": rows}))
        if refused:
            with pytest.raises(UnknownFormatError, match="says the zone 'America/New_York'"):
                replayed(path)
        assert replayed(path, ReadRequest(zone="UTC")).bars[0].time == T


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ({"retCode": 0, "result": {"symbol": "BTCUSDT", "list": []}}, "without rows"),
        ({"data": None}, "without rows"),
        ({"code": 7, "msg": "no such pair", "data": []}, "which says 'no such pair'"),
    ],
)
def test_an_answer_without_rows_is_called_so(tmp_path: Path, replayed, answer: dict[str, object], text: str) -> None:
    path = tmp_path / "BTCUSDT-1m.json"
    path.write_text(json.dumps(answer))
    with pytest.raises(UnknownFormatError, match=text):
        replayed(path)
