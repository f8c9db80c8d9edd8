"""The page of formats says what the tables say, and the file of each writer is read."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from settings import ROOT
from sources.formats.writers import WRITERS, Writer
from sources.formats_page import page
from topics.records import Bar

T = 1_704_067_200_000
"""2024-01-01 00:00 UTC"""
STEP = {"CoinMarketCap": 86_400_000, "Yahoo (yfinance before 2024)": 86_400_000, "investing.com": 86_400_000}
FORMS = {
    "s": lambda time: str(time / 1_000),
    "ms": str,
    "us": lambda time: f"{time}000",
    "ns": lambda time: f"{time}000000",
    "iso": lambda time: f"{_moment(time):%Y-%m-%dT%H:%M:%SZ}",
    "strokes": lambda time: f"{_moment(time):%m/%d/%Y}",
    "dots": lambda time: f"{_moment(time):%Y.%m.%d}",
}
VALUES = {
    "open": "10",
    "high": "12",
    "low": "9",
    "close": "11",
    "price": "11",
    "symbol": "BTC-USDT",
    "ticker": "X:BTC-USD",
}
VALUES |= {"instrument_name": "BTC-USDT", "side": "Sell", "name": "2781", "change %": "0.1%", "exchange": "binance"}
VALUES |= {"is_buyer_maker": "True", "is_best_match": "True", "tickdirection": "PlusTick", "conversiontype": "direct"}
VALUES |= {
    "volumeto": "60.5",
    "quote_volume": "60.5",
    "quote_asset_volume": "60.5",
    "vol.": "5.50K",
    "conversionsymbol": "",
}
COUNTS = ("count", "number_of_trades", "trades", "transactions", "tickvol", "id", "trade_id", "trdmatchid")
TIMES = ("open_time", "timestamp", "timeopen", "time", "date", "ts_event", "window_start", "trade_time", "created_time")


def _moment(time: int):
    return datetime.fromtimestamp(time / 1_000, UTC)


def _text(writer: Writer) -> str:
    delimiter = next(mark for mark in "\t;," if mark in writer.header)
    names = writer.header.split(delimiter)
    rows = []
    for step in range(3):
        time = T + step * STEP.get(writer.name, 60_000)
        cells = []
        for name in (name.lower().strip("<>") for name in names):
            if name == "time" and "date" in writer.header.lower():
                cells.append(f"{_moment(time):%H:%M:%S}")
            elif name in TIMES:
                cells.append(FORMS[writer.time](time))
            else:
                cells.append(VALUES.get(name, "7" if name in COUNTS else "5.5"))
        rows.append(delimiter.join(cells))
    return "\n".join([writer.header, *rows]) + "\n"


@pytest.mark.parametrize("writer", WRITERS, ids=lambda writer: writer.name)
def test_the_file_of_each_writer_is_read(writer: Writer, tmp_path: Path, replayed) -> None:
    path = tmp_path / writer.file
    path.write_text(_text(writer))
    result = replayed(path)
    assert result.counts.impossible == 0
    assert [record.time for record in result.records] == [T + step * STEP.get(writer.name, 60_000) for step in range(3)]
    first = result.records[0]
    assert first.symbol in ("BTCUSD", "BTCUSDT", "XBTUSD")
    if isinstance(first, Bar):
        assert (first.open, first.high, first.low, first.close) == (10.0, 12.0, 9.0, 11.0)
    else:
        assert (first.price, first.amount) == (11.0, 5.5)


def test_the_page_is_the_one_that_the_tables_make() -> None:
    found = (ROOT / "docs" / "FORMATS.md").read_text()
    assert found == page(), "write it anew: .venv/bin/python -m sources.formats_page > docs/FORMATS.md"
