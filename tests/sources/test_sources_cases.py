"""The files of ../shared/cases, each made after a public report: the right value, or a refusal in one line."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from settings import ROOT
from sources.errors import SourceError
from sources.reading.request import ReadRequest
from topics.prices import format_price
from topics.records import Bar, Tick


@dataclass(frozen=True, kw_only=True)
class Case:
    """A case's folder and files, what is given, and the symbols with their records; `first` are fields of the first."""

    folder: str
    files: str
    symbols: dict[str, int]
    interval: str | None = "1m"
    first: dict[str, object] | None = None
    symbol: str | None = None
    impossible: int = 0


FIRST = {"open": 42000.0, "high": 42010.0, "low": 41990.0, "close": 42005.0, "volume": 1.5}
AT = "2024-01-01T00:00"
USD, USDT = {"BTCUSD": 20}, {"BTCUSDT": 20}
TRADE = {"price": 42005.0, "amount": 1.5}
KNOWN = {"trades": 7, "quote_volume": 63007.5, "buy_volume": 0.75}
CASES = (
    Case(
        folder="08", files="BTC_USDT-1m.json BTC_USDT_USDT-1m-futures.json", symbols={"BTCUSDT": 20, "BTCUSDT:USDT": 30}
    ),
    Case(folder="01", files="BTCUSD_daily.csv", symbols=USD, interval="1d", first={"time": AT}),
    Case(folder="02", files="BTCUSD_M1.csv", symbols=USD, first={"time": AT, **FIRST}),
    Case(folder="02", files="BTCUSD_M1_numbers.csv", symbols=USD, first={"time": AT, **FIRST}),
    Case(folder="03", files="BTCUSD_utc.csv", symbols=USD, first={"time": AT, **FIRST}),
    Case(folder="04", files="BTCUSD_excel.csv", symbols=USD, first={"time": AT, **FIRST}),
    Case(folder="05", files="BTCUSD_dots.csv", symbols=USD, first={"time": AT, **FIRST}),
    Case(folder="06", files="candles_BTC_USDT_1m.csv", symbols=USDT, first={"time": AT, **FIRST}),
    Case(folder="07", files="DOGETRY-1m-2024-01.csv SHIBTRY-1m-2024-01.csv", symbols={"DOGETRY": 20, "SHIBTRY": 20}),
    Case(folder="09", files="BINANCE_BTCUSDT, 1.csv", symbols=USDT, first={"time": AT, **FIRST}),
    Case(folder="10", files="market.csv BTCUSDT-1m.csv", symbols={"BTCUSDT": 40}),
    Case(folder="11", files="ALGOEUR_1.csv", symbols={"ALGOEUR": 60}),
    Case(
        folder="13",
        files="Bitcoin_1_1_2024-1_20_2024_historical_data_coinmarketcap.csv",
        symbols=USD,
        interval="1d",
        first={"time": AT, "open": 42000.0, "close": 42005.0},
        symbol="BTCUSD",
    ),
    Case(folder="16", files="BTCUSD_thousands.csv", symbols=USD, first={"time": AT, **FIRST}),
    Case(folder="16", files="BTCUSD_dollars.csv", symbols=USD, first={"time": AT, **FIRST}),
    Case(
        folder="17",
        files="Venue_ETHUSD_1h.csv",
        symbols={"ETHUSD": 20},
        interval="1h",
        first={"volume": 100.0, "quote_volume": 200500.0},
    ),
    Case(folder="18", files="BTC-USDT.parquet", symbols=USDT, first=KNOWN),
    Case(folder="19", files="BTCUSD_cc.csv", symbols=USD, first={"volume": 1.5, "quote_volume": 63007.5}),
    Case(folder="20", files="BTCUSDT_count.csv", symbols=USDT),
    Case(folder="20", files="BTCUSDT_count_1e20.csv", symbols=USDT, first={"trades": None}),
    Case(folder="21", files="tBTCUSD.csv", symbols=USD, interval=None, first={"amount": 1.5, "side": "sell"}),
    Case(folder="23", files="BTCUSDT-1m-polled.csv", symbols=USDT, first={"close": 42005.0, "volume": 1.5}),
    Case(folder="25", files="BTCUSDT-1m-2024-01.csv", symbols=USDT),
    Case(
        folder="26",
        files="BTCUSD2024-01-01.csv",
        symbols=USD,
        interval=None,
        first={"amount": 0.00238067, "side": "buy", "trade_id": "m1704067200"},
    ),
    Case(folder="28", files="BTCUSD_blank.csv", symbols=USD, first={"time": AT, **FIRST}),
    Case(folder="28", files="Venue_BTCUSDT_minute.csv", symbols=USDT),
    Case(folder="29", files="trades.json.gz", symbols={"BTCUSDT": 20_000}, interval=None),
    Case(folder="30", files="BTCUSDT_1m.parquet", symbols=USDT, first={"time": AT, **FIRST}),
    Case(folder="31", files="BTCUSD_trailing.csv", symbols=USD, first={"time": AT, **FIRST}),
    Case(
        folder="32",
        files="BTC-USD.csv",
        symbols=USD,
        interval="1d",
        first={"time": AT, "open": 42000.0, "close": 42005.0},
    ),
    Case(folder="33", files="BTCUSD_comments.csv", symbols=USD, first={"time": AT, **FIRST}),
    Case(folder="34", files="BTCUSDT_nan.json", symbols=USDT),
    Case(folder="35", files="BTCUSDT.jsonl", symbols=USDT, first={"volume": None}),
    Case(folder="36", files="okx_BTC-USDT-trades-2024-01-01.csv", symbols=USDT, interval=None, first=TRADE),
    Case(folder="36", files="kucoin_BTCUSDT-trades-2024-01-01.csv", symbols=USDT, interval=None, first=TRADE),
    Case(folder="36", files="gate_BTC_USDT-202401-candlesticks.csv", symbols=USDT, first={"time": AT, **FIRST}),
    Case(
        folder="36", files="gate_BTC_USDT-202401-deals.csv", symbols=USDT, interval=None, first=TRADE | {"side": "sell"}
    ),
    Case(folder="36", files="kraken_XBTUSD_rest.json", symbols={"XBTUSD": 20}, first={"time": AT, **FIRST}),
    Case(folder="36", files="coinbase_BTC-USD_candles.json", symbols=USD, first={"time": AT, **FIRST}),
    Case(folder="36", files="metatrader5_BTCUSD_M1.csv", symbols=USD, first={"time": AT, **FIRST, "volume": None}),
    Case(folder="36", files="polygon_2024-01-01.csv", symbols=USD, first={"time": AT, **FIRST}),
    Case(folder="27", files="BTCUSDT-1m-with-checksum.zip", symbols=USDT),
    Case(folder="27", files="g-research-crypto-forecasting.zip", symbols={"BNBUSD": 20, "BTCUSD": 20}),
    Case(folder="14", files="Kraken_OHLCVT_sample.zip", symbols={"XBTUSD": 20, "NEWUSD": 1}, interval=None),
    Case(folder="15", files="BTCUSDT-1m-2018-02.csv", symbols=USDT),
)


@pytest.fixture(scope="session")
def cases() -> Path:
    """The folder of cases where it is there, else the copies of them that the tests carry."""
    folder = Path(os.environ.get("FORETICK_SHARED", ROOT.parent / "shared")) / "cases"
    return folder if folder.is_dir() else Path(__file__).parent / "cases"


def _fields(record: Bar | Tick, names: dict[str, object]) -> dict[str, object]:
    values = {name: getattr(record, name) for name in names}
    if "time" in values:
        values["time"] = f"{datetime.fromtimestamp(record.time / 1000, UTC):%Y-%m-%dT%H:%M}"
    return values


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.folder}-{case.files}")
def test_the_case_is_read_right(case: Case, cases: Path, replayed) -> None:
    folder = next(cases.glob(f"{case.folder}-*"))
    names = [case.files] if (folder / case.files).exists() else case.files.split()
    result = replayed([folder / name for name in names], ReadRequest(symbol=case.symbol))
    assert result.counts.symbols == case.symbols
    assert result.counts.impossible == case.impossible
    intervals = {bar.interval for bar in result.bars}
    assert not intervals or case.interval is None or intervals == {case.interval}
    if case.first is not None:
        assert _fields(result.records[0], case.first) == case.first


@pytest.mark.parametrize(
    ("folder", "name", "words"),
    [
        ("12", "BTCUSDT-1w-2024.csv", "bars of 7d are not served"),
        ("22", "binance_incremental_book_L2_2024-01-01_BTCUSDT.csv", "this is an order book"),
    ],
)
def test_the_case_is_refused_in_one_line(folder: str, name: str, words: str, cases: Path, replayed) -> None:
    with pytest.raises(SourceError, match=words) as error:
        replayed(next(cases.glob(f"{folder}-*")) / name)
    assert "\n" not in str(error.value)


def test_shifted_minutes_are_at_their_minute(cases: Path, replayed) -> None:
    result = replayed(next(cases.glob("15-*")) / "BTCUSDT-1m-2018-02.csv")
    assert f"{datetime.fromtimestamp(result.bars[-1].time / 1000, UTC):%Y-%m-%d %H:%M}" == "2018-02-09 09:37"
    assert result.counts.shifted == 10


def test_quiet_minutes_are_gaps(cases: Path, replayed) -> None:
    assert replayed(next(cases.glob("11-*")) / "ALGOEUR_1.csv").counts.missing_intervals == 82


def test_spot_and_perpetual_of_one_pair_are_two_series(cases: Path, replayed) -> None:
    result = replayed(sorted(next(cases.glob("08-*")).glob("*.json")))
    assert result.counts.duplicates == 0
    last = max((bar for bar in result.bars if bar.symbol == "BTCUSDT"), key=lambda bar: bar.time)
    first = min((bar for bar in result.bars if bar.symbol == "BTCUSDT:USDT"), key=lambda bar: bar.time)
    assert (last.close, first.close) == (42024.0, 42105.0)


def test_prices_below_1e_8_are_read_and_shown_with_their_digits(cases: Path, replayed) -> None:
    closes = [bar.close for bar in replayed(next(cases.glob("42-*")) / "SHIBBTC-1m.csv").bars]
    assert {format_price(close) for close in closes} >= {"2.301e-10", "2.307e-10"}
    assert not any(format_price(close).startswith("0.0000") for close in closes)


def test_one_wrong_price_is_told_of(cases: Path, replayed) -> None:
    bars = replayed(next(cases.glob("41-*")) / "SPIKUSDT-1m.csv.gz").bars
    suspect = {row: bar.suspect.split(",")[0] for row, bar in enumerate(bars) if bar.suspect is not None}
    assert suspect == {500: "close is 10.0 times the close before"}


def test_what_is_no_table_is_named(cases: Path, replayed) -> None:
    counts = replayed(next(cases.glob("27-*")) / "g-research-crypto-forecasting.zip").counts
    assert [name.rpartition(":")[2] for name in counts.passed_over] == [
        "example_sample_submission.csv",
        "gresearch_crypto/__init__.py",
    ]


def test_a_polled_candle_that_changed_is_told(cases: Path, replayed) -> None:
    counts = replayed(next(cases.glob("23-*")) / "BTCUSDT-1m-polled.csv").counts
    assert (counts.duplicates, counts.conflicts) == (20, 20)
