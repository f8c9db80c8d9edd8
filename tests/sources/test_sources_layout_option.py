"""The layout as the user says it: taken where the columns can be that, else refused in one line that says why."""

import contextlib
import json
import zipfile
from pathlib import Path

import pytest
import typer
from sources_samples import Sample
from sources_venues import ALL
from typer.testing import CliRunner

from cli.errors import UserError
from cli.replay import replay
from sources.errors import SourceError
from sources.formats import SOURCES
from sources.reading.detect import source_of
from sources.reading.request import ReadRequest

T = 1_600_000_020_000
M = 60_000
SHORT = {source.name: source.short for source in SOURCES}


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    app.command()(replay)
    return app


def _file(folder: Path, name: str, row: str, header: str = "", step: int = M) -> Path:
    path = folder / name
    rows = [row.replace("{t}", str(T + at * step)) for at in range(3)]
    path.write_text("\n".join([*([header] if header else []), *rows]) + "\n")
    return path


def test_layout_names_are_short_and_unique() -> None:
    assert len({source.short for source in SOURCES}) == len(SOURCES)
    assert all(source.short.replace("-", "").isalnum() and source.short.islower() for source in SOURCES)
    assert [source_of(source.short) for source in SOURCES] == list(SOURCES)


@pytest.mark.parametrize("sample", ALL, ids=lambda sample: sample.id)
def test_a_file_is_read_alike_where_its_layout_is_told(sample: Sample, tmp_path: Path, replayed) -> None:
    path = tmp_path / sample.name
    path.write_text(sample.text)
    result = replayed(path, ReadRequest(layout=SHORT[sample.source]))
    assert result.records[0] == sample.first
    assert "the layout is the one that --layout names" in result.counts.understood[0].remarks


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.short)
def test_no_layout_that_is_told_makes_trades_of_bars(source, tmp_path: Path, replayed) -> None:
    for sample in ALL:
        path = tmp_path / sample.name
        path.write_text(sample.text)
        with contextlib.suppress(SourceError):
            result = replayed(path, ReadRequest(layout=source.short, symbol="BTCUSD", interval="1m"))
            assert {type(record) for record in result.records} <= {type(sample.first)}


@pytest.mark.parametrize(("layout", "begins"), [("coingecko-ohlc", T - M), ("ohlc", T)])
def test_an_ambiguous_column_order_is_read_as_the_layout_option_says(
    app: typer.Typer, tmp_path: Path, layout: str, begins: int
) -> None:
    path = _file(tmp_path, "BTCUSD.json.csv", "{t},10,12,9,11")
    error = CliRunner().invoke(app, [str(path), "--dry-run"]).exception
    assert "it may be ohlc or coingecko-ohlc: choose with --layout" in str(error)
    result = CliRunner().invoke(app, [str(path), "--dry-run", "--layout", layout, "--json"])
    counts = json.loads(result.stdout)
    assert (counts["first"], counts["bars"], counts["impossible"]) == (begins, 3, 0)


def test_a_file_without_moves_that_fits_several_layouts_needs_the_layout_option(tmp_path: Path, replayed) -> None:
    path = _file(tmp_path, "BTCUSD.csv", "{t},10,10,10,10,5,50")
    with pytest.raises(SourceError, match="it may be kraken-ohlcvt or bybit-klines or kucoin-candles: choose"):
        replayed(path)
    assert replayed(path, ReadRequest(layout="kraken-ohlcvt")).bars[0].trades == 50
    assert replayed(path, ReadRequest(layout="kucoin-candles")).bars[0].quote_volume == 50


def test_purchases_alone_do_not_tell_the_price_from_the_amount(tmp_path: Path, replayed) -> None:
    path = _file(tmp_path, "BTCUSD.csv", "1,{t},2,10.5")
    with pytest.raises(SourceError, match="it may be bitfinex-trades: choose with --layout"):
        replayed(path)
    first = replayed(path, ReadRequest(layout="bitfinex-trades")).ticks[0]
    assert (first.price, first.amount, first.side) == (10.5, 2.0, "buy")


def test_a_table_in_a_zip_that_cannot_be_the_layout_is_passed_over(tmp_path: Path, replayed) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("BTCUSD.csv", "".join(f"{T + at * M},10,12,9,11,5\n" for at in range(3)))
        archive.writestr("ETHUSD.csv", "".join(f"{T + at * M},10,12,9,11,5,7\n" for at in range(3)))
    counts = replayed(tmp_path / "all.zip", ReadRequest(layout="ohlcv")).counts
    assert counts.symbols == {"BTCUSD": 3}
    assert "it cannot be ohlcv" in counts.passed_over["all.zip:ETHUSD.csv"]


@pytest.mark.parametrize(
    ("layout", "row", "header", "words"),
    [
        ("kraken-ohlcvt", "{t},10,12,9,11,5.5", "", "its rows have 6 columns"),
        ("kraken-ohlcvt", "{t},10,12,9,11,5.5,60.5", "", "column 7 holds '60.5', which is no number of trades"),
        ("bybit-klines", "{t},10,12,9,11,5.5,700", "", "column 7 is no volume in the quote currency"),
        (
            "bitfinex-candles",
            "{t},10,12,9,11,5.5",
            "",
            "columns 2, 4, 5 and 3 are not always open, high, low and close",
        ),
        ("kraken-ohlc", "{t},10,12,9,11,13,5.5,7", "", "column 6 is not between low and high"),
        ("mexc-klines", "{t},10,12,9,11,5.5,60.5,60.5", "", "column 7 is no time of the close"),
        ("ohlcv", "{t},10,12,9,11,5.5", "time,open,high,low,close,volume", "it has a header"),
        ("plain", "{t},10,12,9,11,5.5", "", "it has no header"),
        ("trades", "{t},10,12,9,11,5.5", "time,open,high,low,close,volume", "its columns are others"),
        ("gate-deals", "{t},1,10,2,buy", "", "column 5 holds 'buy', which is no side"),
        ("binance-trades", "1,10,2,20,{t},yes", "", "column 6 holds 'yes', which is no true or false"),
        ("ohlcv", "42000,10,12,9,11,5.5", "", "column 1 holds '42000', which is no time"),
    ],
)
def test_a_layout_that_the_columns_cannot_be_is_refused_with_the_reason(
    app: typer.Typer, layout: str, row: str, header: str, words: str, tmp_path: Path
) -> None:
    path = _file(tmp_path, "BTCUSD.csv", row, header)
    error = CliRunner().invoke(app, [str(path), "--dry-run", "--layout", layout]).exception
    assert isinstance(error, UserError)
    assert f"it cannot be {layout}, " in str(error)
    assert words in str(error)
    assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("layout", "nearest"),
    [("okx", "okx-candles"), ("Kraken-OHLCVT", "kraken-ohlcvt"), ("binance-kline", "binance-klines"), ("zzz", None)],
)
def test_a_layout_that_there_is_not_is_said_with_the_nearest_and_the_list(
    app: typer.Typer, layout: str, nearest: str | None, tmp_path: Path
) -> None:
    path = _file(tmp_path, "BTCUSD.csv", "{t},10,12,9,11,5.5")
    error = CliRunner().invoke(app, [str(path), "--dry-run", "--layout", layout]).exception
    assert isinstance(error, UserError)
    text = f"; the nearest is {nearest}" if nearest else ""
    assert str(error) == f"--layout: there is no layout {layout!r}{text}; docs/FORMATS.md lists them"


def test_coinbase_writes_the_makers_side(tmp_path: Path, replayed) -> None:
    rows = "time,trade_id,price,size,side\n" + "".join(f"{T + at},{at},10,1,buy\n" for at in range(1, 5))
    (coinbase := tmp_path / "coinbase_BTC-USD.csv").write_text(rows)
    (other := tmp_path / "BTC-USD.csv").write_text(rows)
    assert {tick.side for tick in replayed(coinbase).ticks} == {"sell"}
    assert "the maker's" in replayed(coinbase).counts.understood[0].remarks[0]
    assert {tick.side for tick in replayed(coinbase, ReadRequest(layout="trades")).ticks} == {"buy"}
    assert {tick.side for tick in replayed(other).ticks} == {"buy"}
