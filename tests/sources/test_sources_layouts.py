"""Each layout is recognised by its head, and its first row becomes the record that it means."""

import importlib
import json
import pkgutil
from pathlib import Path

import pytest
from sources_samples import Sample
from sources_venues import ALL, REFUSED

import sources.formats
from sources.errors import SourceError
from sources.formats import SOURCES
from sources.markets.file_name import symbol_of
from sources.reading.detect import detect
from sources.tables.head import read_head

TABLES = (
    "sources.formats.venue_headers",
    "sources.formats.lean",
    "sources.formats.headerless",
    "sources.formats.headerless_trades",
)
SHARED = ("sources.formats.column_roles", "sources.formats.known_headers", "sources.formats.unsupported")
"""Modules of several formats, and what they share."""


@pytest.mark.parametrize("sample", ALL, ids=lambda sample: sample.id)
def test_the_layout_is_recognised_and_read(sample: Sample, tmp_path: Path, replayed) -> None:
    path = tmp_path / sample.name
    path.write_text(sample.text)
    result = replayed(path)
    assert [file.source.name for file in result.reader.files] == [sample.source]
    assert result.records[0] == sample.first
    assert result.counts.bars + result.counts.ticks == sample.rows
    assert result.dead == []


def test_every_source_has_a_sample() -> None:
    assert {sample.source for sample in ALL} == {source.name for source in SOURCES}


def test_every_module_of_formats_is_in_the_table() -> None:
    for module in pkgutil.iter_modules(sources.formats.__path__, "sources.formats."):
        loaded = importlib.import_module(module.name)
        if module.name in TABLES:
            assert set(loaded.SOURCES) <= set(SOURCES), module.name
        elif module.name not in SHARED:
            assert loaded.SOURCE in SOURCES, module.name


@pytest.mark.parametrize(
    ("header", "row", "words"),
    [
        ("when,how much", "today,3", "for trades it lacks time, price, amount"),
        ("time,open,high,close", "1600000000,10,12,11", "for bars it lacks low"),
        ("time,price", "1600000000,10", "for trades it lacks amount"),
        ("time,price,amount,qty", "1600000000,10,1,1", "column 'qty' is not known"),
        (
            "timestamp,side,price,amount,order_id",
            "1600000000,bid,10,1,true",
            "this is an order book, for column 'side' holds 'bid'",
        ),
    ],
)
def test_an_unknown_header_is_shown_in_one_line_with_what_it_lacks(header: str, row: str, words: str) -> None:
    head, _ = read_head([header, row], "notes.csv")
    with pytest.raises(SourceError) as error:
        detect(head)
    message = str(error.value)
    assert "\n" not in message
    assert all(part in message for part in ("notes.csv", header, words, "docs/FORMATS.md"))


@pytest.mark.parametrize(("name", "header", "words"), REFUSED, ids=[name for name, _, _ in REFUSED])
def test_what_is_neither_bars_nor_trades_is_named(name: str, header: str, words: str, tmp_path: Path, replayed) -> None:
    mark = ";" if ";" in header else ","
    path = tmp_path / name
    path.write_text(
        "\n".join([header, *(mark.join([f"16000000{at}0000", *"1" * header.count(mark)]) for at in range(3))])
    )
    with pytest.raises(SourceError, match=words) as error:
        replayed(path)
    assert "\n" not in str(error.value)


def test_prices_of_moments_are_named(tmp_path: Path, replayed) -> None:
    path = tmp_path / "bitcoin.json"
    path.write_text(
        json.dumps({name: [[1_600_000_020_000, 10.5]] for name in ("prices", "market_caps", "total_volumes")})
    )
    with pytest.raises(SourceError, match="prices of moments"):
        replayed(path)


def test_a_table_without_a_header_and_with_impossible_prices_is_not_guessed() -> None:
    head, _ = read_head(["1600000000,10,9,12,11,5", "1600000060,10,9,12,11,5"], "XY.csv")
    with pytest.raises(SourceError, match="there is no header"):
        detect(head)


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("BTCUSDT-1m-2023-02.csv", "BTCUSDT"),
        ("spot-klines-BTCUSDT-1h-2024-10-28.csv", "BTCUSDT"),
        ("BTC_USDT_USDT-1m-futures.feather", "BTCUSDT:USDT"),
        ("a.zip:data/ETHUSDT-1h-2024-10-28.csv", "ETHUSDT"),
        ("ethusd.csv", "ETHUSD"),
        ("XBTUSD_60.csv", "XBTUSD"),
        ("bitstamp_btcusd_min_2020_01_01.csv", "BTCUSD"),
        ("bitstampUSD_1-min_data_2012-01-01_to_2021-03-31.csv", "BTCUSD"),
        ("coincheckJPY_1-min_data.csv", "BTCJPY"),
        ("20180404_btcusd_minute_trade.csv", "BTCUSD"),
        ("ETH_1HRS_2017-08-20.csv", "ETH"),
        ("train.csv", None),
        ("data.csv", None),
        ("2023-01.csv", None),
        ("report_1h.csv", None),
        ("country_5.csv", None),
        ("Entry 1m.csv", None),
        ("prices_in_usd.csv", None),
        ("BTCTRY.csv", "BTCTRY"),
    ],
)
def test_the_symbol_is_found_in_the_file_name(name: str, symbol: str | None) -> None:
    assert symbol_of(name) == symbol


def test_g_research_assets_are_named_by_the_table_beside_the_file(tmp_path: Path, replayed) -> None:
    (tmp_path / "asset_details.csv").write_text("Asset_ID,Weight,Asset_Name\n7,1.0,Monero\n42,1.0,New Coin\n")
    rows = "".join(f"{1600000020 + 60 * i},{a},5,2,3,1,2,10,2.5\n" for i in range(2) for a in (7, 42))
    (tmp_path / "train.csv").write_text("timestamp,Asset_ID,Count,Open,High,Low,Close,Volume,VWAP\n" + rows)
    assert {bar.symbol for bar in replayed(tmp_path / "train.csv").bars} == {"XMRUSD", "NEWCOINUSD"}
