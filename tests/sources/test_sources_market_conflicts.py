"""Trades of two markets are not put into one series, and an unknown buyer is reported as unknown."""

from pathlib import Path

import pytest

from sources.errors import SourceError, UnknownFormatError
from sources.reading.request import ReadRequest

T = 1_704_067_200_000
NAMED = "trade_id,timestamp,price,amount,side"
FUTURES = "id,price,qty,quote_qty,time,is_buyer_maker"


def trades(first: int, rows: int = 20, begin: int = T, price: int = 42_000, step: int = 7_000) -> str:
    lines = (f"{first + i},{begin + i * step},{price + i % 3},{1 + i / 10},buy" for i in range(rows))
    return "\n".join((NAMED, *lines)) + "\n"


def two(folder: Path, one: str, other: str, names: tuple[str, str] = ("BTCUSDT-1.csv", "BTCUSDT-2.csv")) -> list[Path]:
    paths = [folder / name for name in names]
    for path, text in zip(paths, (one, other), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return paths


def test_trades_of_one_time_with_other_ids_are_of_two_markets(tmp_path: Path, replayed) -> None:
    with pytest.raises(SourceError, match="their trades of the same time have other ids"):
        replayed(two(tmp_path, trades(1_000), trades(900_000)))


def test_trades_of_one_id_with_another_price_are_of_two_markets(tmp_path: Path, replayed) -> None:
    with pytest.raises(SourceError, match="20 of 20 trades of the same id have another price or amount"):
        replayed(two(tmp_path, trades(1_000), trades(1_000, price=43_000)))


def test_days_and_windows_of_one_market_are_merged(tmp_path: Path, replayed) -> None:
    following = replayed(two(tmp_path, trades(1_000), trades(1_020, begin=T + 20 * 7_000)))
    assert len(following.ticks) == 40
    lost = replayed(two(tmp_path, trades(1_000), trades(1_030, begin=T + 10 * 7_000)))
    assert len(lost.ticks) == 40
    again = replayed(two(tmp_path, trades(1_000), trades(1_000)))
    assert (len(again.ticks), again.counts.duplicates) == (20, 20)


def test_binances_trades_of_contracts_are_not_merged_with_those_of_spot(tmp_path: Path, replayed) -> None:
    future = "\n".join([FUTURES, *(f"{i},42000,1.5,63000,{T + i},true" for i in range(1, 9))])
    spot = "\n".join(f"{i},42000,1.5,63000,{T + i},True,True" for i in range(1, 9))
    paths = two(tmp_path, future, spot, ("BTCUSDT-trades-2024-01.csv", "spot/BTCUSDT-trades-2024-01.csv"))
    for request in (ReadRequest(), ReadRequest(market="linear")):
        with pytest.raises(SourceError, match=r"one has the trades of a contract, the other not|says another market"):
            replayed(paths, request)
    plain = two(tmp_path, future, spot, ("BTCUSDT-trades-1.csv", "BTCUSDT-trades-2.csv"))
    with pytest.raises(SourceError, match="one has the trades of a contract, the other not"):
        replayed(plain, ReadRequest(market="linear"))
    assert "--market linear" in str(replayed(paths[0]).counts.understood[0].remarks)
    linear = replayed(paths[0], ReadRequest(market="linear")).counts.understood[0]
    assert (linear.symbols, linear.remarks) == (["BTCUSDT:USDT"], [])


@pytest.mark.parametrize("cells", [("XBTUSDT", "XBT_USDT"), ("BTC/USDT", "BTC-USDT")])
def test_one_symbol_that_is_written_in_two_ways_may_be_two_markets(
    tmp_path: Path, replayed, cells: tuple[str, str]
) -> None:
    path = tmp_path / "all.csv"
    path.write_text(f"symbol,{NAMED}\n" + "".join(f"{cells[i % 2]},{i},{T + i},42000,1,buy\n" for i in range(6)))
    with pytest.raises(SourceError, match="may be two markets"):
        replayed(path)
    bars = "".join(f"{cells[i % 2]},{T + i * 60_000},42000,42001,41999,42000,1\n" for i in range(6))
    path.write_text("symbol,time,open,high,low,close,volume\n" + bars)
    with pytest.raises(SourceError, match="may be two markets"):
        replayed(path)


@pytest.mark.parametrize(
    ("cells", "sides", "reported"),
    [
        (("1", "-1"), ["buy", "sell"], False),
        (("1", "2"), [None, None], True),
        (("1", "0"), [None, None], True),
        (("long", "short"), [None, None], True),
        (("Buy", ""), ["buy", None], False),
    ],
)
def test_a_side_in_numbers_is_only_read_where_it_is_a_sign(
    tmp_path: Path, replayed, cells: tuple[str, str], sides: list[str | None], reported: bool
) -> None:
    path = tmp_path / "BTCUSDT.csv"
    path.write_text("time,price,amount,side\n" + "".join(f"{T + i},42000,1,{cells[i % 2]}\n" for i in range(6)))
    result = replayed(path)
    assert [tick.side for tick in result.ticks[:2]] == sides
    assert any("the buyer is unknown" in remark for remark in result.counts.understood[0].remarks) is reported


def test_prices_and_amounts_of_whole_days_are_no_trades(tmp_path: Path, replayed) -> None:
    path = tmp_path / "BTCUSD.csv"
    path.write_text("Date,Price,Volume\n" + "".join(f"2024-01-{i + 1:02},42000,123456\n" for i in range(6)))
    with pytest.raises(UnknownFormatError, match="whole minutes apart, as no trades do"):
        replayed(path)
    assert len(replayed(path, ReadRequest(layout="trades")).ticks) == 6


def test_a_symbol_and_a_market_that_a_user_says_must_agree(tmp_path: Path, replayed) -> None:
    path = tmp_path / "o.csv"
    path.write_text(trades(1))
    for symbol, market in (("BTC/USDT:USDT", "spot"), ("BTC/USD:BTC", "linear"), ("BTC/USDT:USDT", "inverse")):
        with pytest.raises(SourceError, match=f"and --market {market} another market"):
            replayed(path, ReadRequest(symbol=symbol, market=market))


def test_a_delivery_date_before_the_last_row_is_refused(tmp_path: Path, replayed) -> None:
    begin, header = 1_711_670_400_000, "time,open,high,low,close,volume\n"  # 2024-03-29, a Friday
    path = tmp_path / "BTC-USDT-240329-1h.csv"
    rows = [f"{begin + i * 3_600_000},42000,42001,41999,42000,1\n" for i in range(24)]
    path.write_text(header + "".join(rows))
    with pytest.raises(SourceError, match="the rows go on to 240329 23:00 UTC"):
        replayed(path)
    path.write_text(header + "".join(rows[:8]))
    assert replayed(path).bars[0].symbol == "BTCUSDT:USDT-240329"


def test_the_folders_of_gate_say_the_market(tmp_path: Path, replayed) -> None:
    rows = "".join(f"{T // 1000 + i * 60},15,42005,42010,41990,42000\n" for i in range(6))
    for folder, symbol in (("futures_usdt", "BTCUSDT:USDT"), ("spot", "BTCUSDT")):
        path = tmp_path / folder / "BTC_USDT-202401.csv"
        path.parent.mkdir()
        path.write_text(rows)
        assert replayed(path).bars[0].symbol == symbol


BARS = "time,open,high,low,close,volume\n" + "".join(f"{T + i * 3_600_000},1005,1010,995,1000,1\n" for i in range(6))


def test_an_option_that_is_not_named_is_no_spot_market(tmp_path: Path, replayed) -> None:
    path = tmp_path / "BTCUSDT_option_1h.csv"
    path.write_text(BARS)
    with pytest.raises(SourceError, match="says a delivery or an option, and not which"):
        replayed(path)
    for symbol in ("BTC-27DEC24-100000-C", "BTC-USD-241227-100000-C"):
        assert replayed(path, ReadRequest(symbol=symbol)).bars[0].symbol == symbol
    path = tmp_path / "BTC-USD-241227-100000-C-1h.csv"
    path.write_text(BARS)
    result = replayed(path)
    assert (result.bars[0].symbol, result.counts.understood[0].market[:6]) == ("BTC-USD-241227-100000-C", "option")


def test_a_file_of_deliveries_whose_rows_have_their_symbols_is_read(tmp_path: Path, replayed) -> None:
    path = tmp_path / "quarter" / "quarter_1h.csv"
    path.parent.mkdir()
    path.write_text("\n".join(f"{line},{'BTCUSDT_240329' if i else 'symbol'}" for i, line in enumerate(BARS.split())))
    assert replayed(path).bars[0].symbol == "BTCUSDT:USDT-240329"


@pytest.mark.parametrize("column", ["market", "market_type", "contract_type"])
def test_rows_of_two_markets_are_not_read_by_the_first(tmp_path: Path, replayed, column: str) -> None:
    path = tmp_path / "BTCUSDT.csv"
    cells = [column, "spot", "perpetual"]
    path.write_text("\n".join(f"{line},{cells[min(i, 2)]}" for i, line in enumerate(BARS.split())))
    with pytest.raises(SourceError, match="has rows of several markets, 'spot' and 'perpetual'"):
        replayed(path)


def test_bars_of_tardis_are_stamped_with_their_end(tmp_path: Path, replayed) -> None:
    path = tmp_path / "bars_1m.csv"
    header = "type,symbol,exchange,name,kind,interval,open,high,low,close,volume,openTimestamp,closeTimestamp,timestamp"
    rows = (
        f"trade_bar,BTCUSDT,binance,trade_bar_1m,time,60000,1,1,1,1,1,{T + at + 5},{T + at + 59_000},{T + at + 60_000}"
        for at in range(0, 360_000, 60_000)
    )
    path.write_text("\n".join([f"{header},localTimestamp", *(f"{row},{T}" for row in rows)]))
    assert [bar.time for bar in replayed(path).bars] == [T + i * 60_000 for i in range(6)]


@pytest.mark.parametrize(
    ("symbol", "market"), [("BTCPERP", "perpetual"), ("BTC-PERP-INTX", "perpetual"), ("BTCUSDH24", "delivery")]
)
def test_a_contract_whose_currency_is_not_told_is_not_called_spot(
    tmp_path: Path, replayed, symbol: str, market: str
) -> None:
    path = tmp_path / "all.csv"
    path.write_text("\n".join(f"{line},{symbol if i else 'symbol'}" for i, line in enumerate(BARS.split())))
    result = replayed(path).counts.understood[0]
    assert (result.symbols, result.market) == ([symbol], f"{market} (by its symbols)")
    assert any("if they count contracts" in remark for remark in result.remarks)


def test_of_bitgets_trades_the_size_is_the_amount(tmp_path: Path, replayed) -> None:
    path = tmp_path / "BTCUSDT_UMCBL_20240101_001.csv"
    rows = "".join(f"{i},{T + i},42000,buy,63000,1.5\n" for i in range(6))
    path.write_text("trade_id,timestamp,price,side,volume(quote),size(base)\n" + rows)
    result = replayed(path)
    assert {(tick.symbol, tick.amount) for tick in result.ticks} == {("BTCUSDT:USDT", 1.5)}


def test_a_side_that_coinbase_may_have_written_is_told(tmp_path: Path, replayed) -> None:
    path = tmp_path / "BTC-USD.csv"
    path.write_text("time,trade_id,price,size,side\n" + "".join(f"{T + i},{i},42000,1,buy\n" for i in range(6)))
    assert any("--layout coinbase-trades" in remark for remark in replayed(path).counts.understood[0].remarks)
    assert replayed(path, ReadRequest(layout="coinbase-trades")).ticks[0].side == "sell"


def test_trades_without_ids_that_overlap_are_not_counted_twice(tmp_path: Path, replayed) -> None:
    def text(begin: int) -> str:
        return "time,price,amount,side\n" + "".join(f"{begin + i * 1_000},{42_000 + i},1,buy\n" for i in range(20))

    with pytest.raises(SourceError, match="for 9 s both have trades without ids"):
        replayed(two(tmp_path, text(T), text(T + 10_000)))
    assert len(replayed(two(tmp_path, text(T), text(T + 20_000))).ticks) == 40


def test_bids_and_asks_of_other_days_are_no_one_series(tmp_path: Path, replayed) -> None:
    names = ("BTCUSD_Candlestick_1_h_BID.csv", "BTCUSD_Candlestick_1_h_ASK.csv")
    with pytest.raises(SourceError, match="one has the bid and the other the ask"):
        replayed(two(tmp_path, BARS, BARS.replace("17040", "17041"), names))


@pytest.mark.parametrize("unit", ["us", "text"])
def test_bars_of_two_markets_are_told_apart_however_their_times_are_written(
    tmp_path: Path, replayed, unit: str
) -> None:
    """Binance writes its spot market in microseconds since 2025, and its contracts in milliseconds."""
    text = [f"2024-01-01 {i:02}:00:00" if unit == "text" else f"{T * 1_000 + i * 3_600_000_000}" for i in range(6)]
    other = "time,open,high,low,close,volume\n" + "".join(f"{time},1105,1110,1095,1100,1\n" for time in text)
    with pytest.raises(SourceError, match="6 of 6 bars of the same time have other prices"):
        replayed(two(tmp_path, BARS, other))
    same = replayed(two(tmp_path, BARS, other.replace("11", "10").replace("1095", "995")))
    assert (len(same.bars), same.counts.duplicates) == (6, 6)
