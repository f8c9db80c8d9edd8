"""What a new user meets: each message says what was seen, what was understood and what to type."""

import zipfile
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cli.errors import UserError
from cli.replay import replay
from sources.errors import SourceError

HEADER = "time,open,high,low,close,volume"
ROW = "10,12,9,11,5"


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    app.command()(replay)
    return app


def _said(app: typer.Typer, folder: Path, name: str, lines: list[str], *options: str) -> str:
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    error = CliRunner().invoke(app, [str(path), "--dry-run", *options]).exception
    assert isinstance(error, UserError)
    assert "\n" not in str(error)
    return str(error)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (
            ["when,o_p,high,low,c_p,v", f"2024-01-01 00:00,{ROW}"],
            [
                "the header is 'when,o_p,high,low,c_p,v'",
                "for bars it lacks time, open, close (high is 'high', low is 'low', volume is 'v')",
                "give the columns the names that docs/FORMATS.md has, or name one of its layouts with --layout",
            ],
        ),
        (
            ["time,price,amount,order", "1704067200,10,1,7", "1704067260,10,1,7"],
            ["no symbol in the file or in its name", "--symbol"],
        ),
        (
            ["time,price,amount,extra", "1704067200,10,1,7"],
            ["column 'extra' is not known", "--layout trades reads them without"],
        ),
        (
            ["1704067200,10,9,12,11,5"],
            [
                "the first row (there is no header) is '1704067200,10,9,12,11,5'",
                "it is no ohlcv (columns 2, 3, 4 and 5 are not always open, high, low and close)",
                " and no coinbase-candles (",
                "write a line such as time,open,high,low,close,volume above its rows",
            ],
        ),
        (
            ["1704067200,10,12,9,11,5,700.5"],
            ["it is no kraken-ohlcvt", "no bybit-klines (column 7 is no volume in the quote currency"],
        ),
        (["1704067200,10"], ["no layout without a header has 2 columns"]),
    ],
)
def test_an_unknown_layout_is_told_with_what_it_lacks(
    app: typer.Typer, lines: list[str], words: list[str], tmp_path: Path
) -> None:
    message = _said(app, tmp_path, "a.csv", lines)
    assert [part for part in words if part not in message] == [], message


@pytest.mark.parametrize("columns", ["extra", "extra,order_id", "maker,taker,venue_id,flags"])
def test_trades_with_unknown_columns_are_read_where_the_user_says_trades(
    app: typer.Typer, columns: str, tmp_path: Path
) -> None:
    lines = [
        f"time,price,amount,{columns}",
        *(f"170406720{at},10,{at + 1}" + ",x" * (columns.count(",") + 1) for at in range(3)),
    ]
    message = _said(app, tmp_path, "BTCUSDT.csv", lines)
    assert all(name in message for name in columns.split(",")[:3])
    result = CliRunner().invoke(app, [str(tmp_path / "BTCUSDT.csv"), "--dry-run", "--layout", "trades"])
    assert result.exit_code == 0
    assert f"columns left out: {columns.replace(',', ', ')}" in result.stdout


@pytest.mark.parametrize("width", [9, 10, 12, 15])
def test_rows_without_a_header_are_refused_in_two_sentences(app: typer.Typer, width: int, tmp_path: Path) -> None:
    message = _said(app, tmp_path, "BTCUSDT.csv", [",".join(["1704067200", "10", "9", "12", *"1" * (width - 4)])])
    assert message.count(": it is no ") + message.count(f"no layout without a header has {width} columns") == 1
    assert message.count(";") == 1


@pytest.mark.parametrize(
    ("cells", "options", "words"),
    [
        (["tomorrow", "soon"], [], ["'tomorrow'", "known are unix times", "--date-order", "--zone"]),
        (
            ["2024-01-01 00:00 EST", "2024-01-01 00:01 EST"],
            [],
            ["'2024-01-01 00:00 EST'", "the zone EST is not read", "give it with --zone"],
        ),
        (
            ["2024-01-01 00:00 Europe/Berlin", "2024-01-01 00:01 Europe/Berlin"],
            [],
            ["the zone Europe/Berlin is not read"],
        ),
        (
            ["2024-11-03 01:00", "2024-11-03 01:01"],
            ["--zone", "America/New_York"],
            ["'2024-11-03 01:00', which the clock of America/New_York never shows, or shows twice"],
        ),
        (
            ["13/01/2024", "01/14/2024"],
            [],
            ["such as 13/01/2024 and 01/14/2024", "write them as 2024-01-31", "say with --date-order which"],
        ),
    ],
)
def test_unreadable_times_are_told(
    app: typer.Typer, cells: list[str], options: list[str], words: list[str], tmp_path: Path
) -> None:
    message = _said(app, tmp_path, "BTCUSD.csv", [HEADER, *(f"{cell},{ROW}" for cell in cells)], *options)
    assert [part for part in words if part not in message] == [], message


def test_a_time_that_is_called_local_needs_its_zone(app: typer.Typer, tmp_path: Path) -> None:
    lines = ["Local time,Open,High,Low,Close,Volume", f"01.01.2024 00:00:00,{ROW}", f"01.01.2024 00:01:00,{ROW}"]
    message = _said(app, tmp_path, "BTCUSD.csv", lines)
    assert message == "BTCUSD.csv: column 'Local time' has '01.01.2024 00:00:00', of no zone; give it with --zone"
    result = CliRunner().invoke(app, [str(tmp_path / "BTCUSD.csv"), "--dry-run", "--zone", "Europe/Berlin"])
    assert result.exit_code == 0


@pytest.mark.parametrize("lines", [[HEADER, f"1704067200,{ROW}"], [f"1704067200,{ROW}"]])
def test_a_missing_symbol_is_told_with_what_to_do(app: typer.Typer, lines: list[str], tmp_path: Path) -> None:
    message = _said(app, tmp_path, "prices.csv", lines)
    layout = "plain OHLCV" if lines[0] == HEADER else "OHLCV without a header"
    assert message == (
        f"prices.csv: read as {layout}, but no symbol in the file or in its name; give it with --symbol BTCUSDT, or "
        "call the file such as BTCUSDT-1m.csv"
    )


def test_alpha_vantage_s_times_of_another_zone_are_not_taken_for_utc(app: typer.Typer, tmp_path: Path) -> None:
    text = (
        '{"Meta Data":{"2. Symbol":"BTCUSD","6. Time Zone":"US/Eastern"},"Time Series (5min)":'
        '{"2024-01-01 00:00:00":{"1. open":"10","2. high":"12","3. low":"9","4. close":"11"}}}'
    )
    assert "its times are of US/Eastern" in _said(app, tmp_path, "series.json", [text])


def test_the_name_of_a_member_of_a_zip_breaks_no_line(tmp_path: Path, replayed) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("BTC\nUSDT\x1b[31m.csv", "a,b\n1,2\n")
    with pytest.raises(SourceError) as error:
        replayed(path)
    assert "BTC?USDT?[31m.csv" in str(error.value)
    assert str(error.value).isprintable()
