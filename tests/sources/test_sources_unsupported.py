"""What looks like bars or trades and is neither is refused in one line that says what it is."""

import json
from pathlib import Path

import pytest

from sources.errors import SourceError
from sources.reading.request import ReadRequest

T = 1_600_000_020_123
M, LINES = 60_000, 6


def _write(folder: Path, name: str, header: str, row: str, step: int = 7_300) -> Path:
    """Write rows with {t} (ms), {i} and {p} (a price that moves little)."""
    path = folder / name
    rows = [
        row.format(t=(T if step % M else T - T % M) + at * step, i=at, p=10_000 + at, a=0.5 + at * 1.7)
        for at in range(LINES)
    ]
    path.write_text("\n".join([*([header] if header else []), *rows]) + "\n")
    return path


def _refused(path: Path, replayed, request: ReadRequest | None = None) -> str:
    with pytest.raises(SourceError) as error:
        replayed(path, request)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("name", "header", "row"),
    [
        ("BTCUSDT.csv", "timestamp,side,price,size", "{t},bid,{p},1\n{t},ask,{p},1"),
        ("BTCUSDT.csv", "time,side,price,amount", "{t},bids,{p},1\n{t},asks,{p},1"),
        ("BTCUSDT.csv", "date,type,price,amount", "{t},b,{p},1\n{t},a,{p},1"),
        ("BTCUSDT.csv", "time,type,price,size", "{t},bid,{p},1"),
        ("BTCUSDT.csv", "time,side,price,size", "{t},ask,{p},1"),
    ],
)
def test_bid_and_ask_columns_are_refused_as_an_order_book(
    name: str, header: str, row: str, tmp_path: Path, replayed
) -> None:
    path = _write(tmp_path, name, header, row)
    for request in (None, ReadRequest(layout="trades")):
        assert "this is an order book, for column" in _refused(path, replayed, request)


def test_bids_alone_may_be_purchases_where_the_user_says_so(tmp_path: Path, replayed) -> None:
    path = _write(tmp_path, "BTCUSDT.csv", "time,side,price,size", "{t},b,{p},1")
    assert "--layout trades reads it" in _refused(path, replayed)
    assert {tick.side for tick in replayed(path, ReadRequest(layout="trades")).ticks} == {"buy"}
    both = _write(tmp_path, "ETHUSDT.csv", "time,side,price,size", "{t},b,{p},1\n{t},s,{p},1")
    assert {tick.side for tick in replayed(both).ticks} == {"buy", "sell"}


@pytest.mark.parametrize("name", ["BTCUSDT_orderbook.csv", "BTC-USD_l2_2024.csv", "snapshot_BTCUSDT.csv"])
def test_a_name_that_says_an_order_book_is_believed_of_trades_alone(name: str, tmp_path: Path, replayed) -> None:
    trades = _write(tmp_path, name, "time,side,price,size", "{t},buy,{p},1")
    assert "in its name says an order book" in _refused(trades, replayed)
    assert len(replayed(trades, ReadRequest(layout="trades")).ticks) == LINES
    bars = _write(tmp_path, name, "time,open,high,low,close", "{t},10,12,9,11", 60_000)
    assert len(replayed(bars).bars) == LINES


def test_a_coin_named_book_is_no_order_book(tmp_path: Path, replayed) -> None:
    path = _write(tmp_path, "BOOK_USDT-trades.csv", "time,side,price,size", "{t},buy,{p},1")
    assert replayed(path).counts.symbols == {"BOOKUSDT": LINES}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("BTCUSDT_open_interest_1m.csv", "open interest"),
        ("BTCUSDT_oi_1m.csv", "open interest"),
        ("BTCUSDT-fairPrice-1m.csv", "fair prices"),
        ("BTC_DVOL_1m.csv", "volatility"),
        ("BTC_dominance_1m.csv", "which is not traded"),
        ("CRYPTOCAP_BTC.D, 1.csv", "which is not traded"),
        ("BTCUSDT_heikin_ashi_1m.csv", "redrawn"),
        ("BTCUSDT_renko.csv", "redrawn"),
    ],
)
def test_a_name_that_says_no_price_paid_is_believed(name: str, words: str, tmp_path: Path, replayed) -> None:
    path = _write(tmp_path, name, "time,open,high,low,close,volume", "{t},10,12,9,11,5.5", 60_000)
    assert words in _refused(path, replayed)
    assert len(replayed(path, ReadRequest(layout="plain", interval="1m")).bars) == LINES


@pytest.mark.parametrize("name", ["BTCUSDT_liq.csv", "BTCUSDT_forceOrders.csv", "liquidations_BTCUSDT.csv"])
def test_liquidations_are_no_trades(name: str, tmp_path: Path, replayed) -> None:
    path = _write(tmp_path, name, "time,side,price,quantity", "{t},buy,{p},1")
    assert "says liquidations" in _refused(path, replayed)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("timestamp,symbol,bidPrice,askPrice", "quotes"),
        ("timestamp,markPrice,indexPrice,lastFundingRate", "funding rates"),
        ("date,mark_open,mark_high,mark_low,mark_close", "mark prices"),
        ("timestamp,symbol,openInterest", "open interest"),
        ("time,symbol,price,origQty,executedQty,side", "orders"),
        ("u,s,b,B,a,A", "quotes"),
        ("T,s,S,v,p", "liquidations"),
        ("timestamp,side,price,quantity,level", "an order book"),
        ("date,symbol,strike,open,high,low,close,mark_iv,delta", "a summary of options"),
        ("timestamp,symbol,open,high,low,close,bid,ask,last", "tickers"),
    ],
)
def test_columns_that_are_neither_bars_nor_trades_are_named(header: str, words: str, tmp_path: Path, replayed) -> None:
    path = _write(tmp_path, "BTCUSDT.csv", header, ",".join(["{t}", *"1" * header.count(",")]))
    assert words in _refused(path, replayed)


@pytest.mark.parametrize(
    "document",
    [
        {"lastUpdateId": 1, "bids": [["10", "1"]], "asks": [["11", "1"]]},
        [{"instId": "BTC-USDT", "ts": "1", "asks": [["1", "2"]], "bids": [["1", "2"]]}],
        [{"topic": "orderbook.50.BTCUSDT", "ts": 1, "data": {"s": "BTCUSDT", "b": [["1", "2"]], "a": []}}],
    ],
)
def test_an_order_book_in_json_is_named(document: object, tmp_path: Path, replayed) -> None:
    (path := tmp_path / "BTCUSDT.json").write_text(json.dumps(document))
    assert "this is an order book" in _refused(path, replayed)


@pytest.mark.parametrize(
    ("row", "step", "words"),
    [
        ("{t},{p},{p}", 7_300, "as steady as column 2"),
        ("{t},{a},{p}", 7_300, "column 2 moves too much"),
        ("{t},1.{p},{p}", 7_300, "as steady as column 2"),
    ],
)
def test_three_columns_are_trades_where_the_rows_prove_it(
    row: str, step: int, words: str, tmp_path: Path, replayed
) -> None:
    path = _write(tmp_path, "BTC_USDT-202401.csv", "", row, step)
    assert f"it may be bare-trades, but {words}" in (why := _refused(path, replayed)) or words in why
    assert len(replayed(path, ReadRequest(layout="bare-trades")).ticks) == LINES


def test_sums_of_whole_minutes_are_no_trades(tmp_path: Path, replayed) -> None:
    path = tmp_path / "BTC_USDT-202401.csv"
    path.write_text("".join(f"{1_600_000_020 + at * 300},{10_000 + at},{0.5 + at * 1.7}\n" for at in range(LINES)))
    assert "whole minutes apart" in _refused(path, replayed)
    trades = _write(tmp_path, "BTC_USDT.csv", "", "{t},{p},{a}")
    assert replayed(trades).ticks[0].price == 10_000


@pytest.mark.parametrize("row", ["{t},set,{p},1.5,7,0", "{t},2,make,{p},1.5,7,0", "{t},take,{p},1"])
def test_gates_changes_of_a_book_are_named(row: str, tmp_path: Path, replayed) -> None:
    assert "this is an order book, as Gate" in _refused(_write(tmp_path, "BTC_USDT-2024010100.csv", "", row), replayed)
