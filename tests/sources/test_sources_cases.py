"""The files of ../shared/cases, each made after a public report: the right value, or a refusal in one line."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from settings import ROOT
from sources.errors import SourceError
from sources.wish import Wish
from topics.records import Bar, Tick


@dataclass(frozen=True)
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
    Case("01", "BTCUSD_daily.csv", USD, "1d", {"time": AT}),
    Case("02", "BTCUSD_M1.csv", USD, first={"time": AT, **FIRST}),
    Case("02", "BTCUSD_M1_numbers.csv", USD, first={"time": AT, **FIRST}),
    Case("03", "BTCUSD_utc.csv", USD, first={"time": AT, **FIRST}),
    Case("04", "BTCUSD_excel.csv", USD, first={"time": AT, **FIRST}),
    Case("05", "BTCUSD_dots.csv", USD, first={"time": AT, **FIRST}),
    Case("06", "candles_BTC_USDT_1m.csv", USDT, first={"time": AT, **FIRST}),
    Case("07", "DOGETRY-1m-2024-01.csv SHIBTRY-1m-2024-01.csv", {"DOGETRY": 20, "SHIBTRY": 20}),
    Case("09", "BINANCE_BTCUSDT, 1.csv", USDT, first={"time": AT, **FIRST}),
    Case("10", "market.csv BTCUSDT-1m.csv", {"BTCUSDT": 40}),
    Case("11", "ALGOEUR_1.csv", {"ALGOEUR": 60}),
    Case(
        "13",
        "Bitcoin_1_1_2024-1_20_2024_historical_data_coinmarketcap.csv",
        USD,
        "1d",
        {"time": AT, "open": 42000.0, "close": 42005.0},
        "BTCUSD",
    ),
    Case("16", "BTCUSD_thousands.csv", USD, first={"time": AT, **FIRST}),
    Case("16", "BTCUSD_dollars.csv", USD, first={"time": AT, **FIRST}),
    Case("17", "Venue_ETHUSD_1h.csv", {"ETHUSD": 20}, "1h", {"volume": 100.0, "quote_volume": 200500.0}),
    Case("18", "BTC-USDT.parquet", USDT, first=KNOWN),
    Case("19", "BTCUSD_cc.csv", USD, first={"volume": 1.5, "quote_volume": 63007.5}),
    Case("20", "BTCUSDT_count.csv", USDT),
    Case("20", "BTCUSDT_count_1e20.csv", USDT, first={"trades": None}),
    Case("21", "tBTCUSD.csv", USD, None, {"amount": 1.5, "side": "sell"}),
    Case("23", "BTCUSDT-1m-polled.csv", USDT, first={"close": 42005.0, "volume": 1.5}),
    Case("25", "BTCUSDT-1m-2024-01.csv", USDT),
    Case("26", "BTCUSD2024-01-01.csv", USD, None, {"amount": 0.00238067, "side": "buy", "trade_id": "m1704067200"}),
    Case("28", "BTCUSD_blank.csv", USD, first={"time": AT, **FIRST}),
    Case("28", "Venue_BTCUSDT_minute.csv", USDT),
    Case("29", "trades.json.gz", {"BTCUSDT": 20_000}, None),
    Case("30", "BTCUSDT_1m.parquet", USDT, first={"time": AT, **FIRST}),
    Case("31", "BTCUSD_trailing.csv", USD, first={"time": AT, **FIRST}),
    Case("32", "BTC-USD.csv", USD, "1d", {"time": AT, "open": 42000.0, "close": 42005.0}),
    Case("33", "BTCUSD_comments.csv", USD, first={"time": AT, **FIRST}),
    Case("34", "BTCUSDT_nan.json", USDT),
    Case("35", "BTCUSDT.jsonl", USDT, first={"volume": None}),
    Case("36", "okx_BTC-USDT-trades-2024-01-01.csv", USDT, None, TRADE),
    Case("36", "kucoin_BTCUSDT-trades-2024-01-01.csv", USDT, None, TRADE),
    Case("36", "gate_BTC_USDT-202401-candlesticks.csv", USDT, first={"time": AT, **FIRST}),
    Case("36", "gate_BTC_USDT-202401-deals.csv", USDT, None, TRADE | {"side": "sell"}),
    Case("36", "kraken_XBTUSD_rest.json", {"XBTUSD": 20}, first={"time": AT, **FIRST}),
    Case("36", "coinbase_BTC-USD_candles.json", USD, first={"time": AT, **FIRST}),
    Case("36", "metatrader5_BTCUSD_M1.csv", USD, first={"time": AT, **FIRST, "volume": None}),
    Case("36", "polygon_2024-01-01.csv", USD, first={"time": AT, **FIRST}),
    Case("27", "BTCUSDT-1m-with-checksum.zip", USDT),
    Case("27", "g-research-crypto-forecasting.zip", {"BNBUSD": 20, "BTCUSD": 20}),
    Case("14", "Kraken_OHLCVT_sample.zip", {"XBTUSD": 20, "NEWUSD": 1}, None),
    Case("15", "BTCUSDT-1m-2018-02.csv", USDT),
)


@pytest.fixture(scope="session")
def cases() -> Path:
    folder = Path(os.environ.get("FORETICK_SHARED", ROOT.parent / "shared")) / "cases"
    if not folder.is_dir():
        pytest.skip(f"there is no folder of cases at {folder}")
    return folder


def _fields(record: Bar | Tick, names: dict[str, object]) -> dict[str, object]:
    found = {name: getattr(record, name) for name in names}
    if "time" in found:
        found["time"] = f"{datetime.fromtimestamp(record.time / 1000, UTC):%Y-%m-%dT%H:%M}"
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.folder}-{case.files}")
def test_the_case_is_read_right(case: Case, cases: Path, replayed) -> None:
    folder = next(cases.glob(f"{case.folder}-*"))
    names = [case.files] if (folder / case.files).exists() else case.files.split()
    result = replayed([folder / name for name in names], Wish(symbol=case.symbol))
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
        ("22", "binance_incremental_book_L2_2024-01-01_BTCUSDT.csv", "unknown format"),
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


def test_what_is_no_table_is_named(cases: Path, replayed) -> None:
    counts = replayed(next(cases.glob("27-*")) / "g-research-crypto-forecasting.zip").counts
    assert [name.rpartition(":")[2] for name in counts.passed_over] == [
        "example_sample_submission.csv",
        "gresearch_crypto/__init__.py",
    ]


def test_a_polled_candle_that_changed_is_told(cases: Path, replayed) -> None:
    counts = replayed(next(cases.glob("23-*")) / "BTCUSDT-1m-polled.csv").counts
    assert (counts.duplicates, counts.conflicts) == (20, 20)
