"""Which market a file is of: spot and what is derived from it are never one series, and what nobody paid is none."""

import json
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from sources.errors import SourceError
from sources.reading.request import ReadRequest

T = 1_704_067_200_000
M = 60_000
HEADER = "timestamp,open,high,low,close,volume"
BINANCE = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore"
)


def _bars(path: Path, close: float = 11.0, rows: int = 12) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{T + place * M},10,12,9,{close},1.5" for place in range(rows)]
    path.write_text("\n".join([HEADER, *lines]) + "\n")
    return path


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("BTC_USDT-1m.csv", "BTCUSDT"),
        ("BTC_USDT_USDT-1m-futures.csv", "BTCUSDT:USDT"),
        ("BTC_USDC_USDC-1m-futures.csv", "BTCUSDC:USDC"),
        ("BTC_USD_BTC-1m-futures.csv", "BTCUSD:BTC"),
        ("BTCUSD_PERP-1m-2024-01.csv", "BTCUSD:BTC"),
        ("BTCUSDT_240329-1m-2024-01.csv", "BTCUSDT:USDT-240329"),
        ("BTCUSD_240329-1m-2024-01.csv", "BTCUSD:BTC-240329"),
        ("BTCUSDT_240101_1m.csv", "BTCUSDT"),
        ("BTCUSDT_240329.csv", "BTCUSDT"),
        ("BTC-USDT-SWAP-1m.csv", "BTCUSDT:USDT"),
        ("BTC-USD-SWAP-candlesticks-1m.csv", "BTCUSD:BTC"),
        ("futures_ETHUSDT_1m.csv", "ETHUSDT:USDT"),
        ("ETHUSDT_perp_1m.csv", "ETHUSDT:USDT"),
        ("bybit_linear_ETHUSDT_1m.csv", "ETHUSDT:USDT"),
        ("bybit_inverse_ETHUSD_1m.csv", "ETHUSD:ETH"),
        ("binanceusdm_ETHUSDT_1m.csv", "ETHUSDT:USDT"),
        ("spot_ETHUSDT_1m.csv", "ETHUSDT"),
        ("BINANCE_BTCUSDT.P, 1.csv", "BTCUSDT:USDT"),
        ("XBTUSDTM_1m.csv", "XBTUSDT:USDT"),
        ("PF_XBTUSD_1m.csv", "XBTUSD:USD"),
        ("PI_XBTUSD_1m.csv", "XBTUSD:XBT"),
        ("btc-perp-1m.csv", "BTCPERP"),
        ("SHIBTRY-1m.csv", "SHIBTRY"),
        ("PERP_USDT-1m.csv", "PERPUSDT"),
        ("PERP_USDT_USDT-1m-futures.csv", "PERPUSDT:USDT"),
        ("INDEX_USDT-1m.csv", "INDEXUSDT"),
        ("DATA_BTC_USDT-1m.csv", "BTCUSDT"),
        ("coingecko_BTC_USD.csv", "BTCUSD"),
    ],
)
def test_a_files_name_tells_the_market(name: str, symbol: str, tmp_path: Path, replayed) -> None:
    assert replayed(_bars(tmp_path / name)).counts.symbols == {symbol: 12}


def test_the_folders_of_binances_dumps_tell_it(tmp_path: Path, replayed) -> None:
    um = _bars(tmp_path / "data/futures/um/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2024-01-01.csv")
    cm = _bars(tmp_path / "data/futures/cm/daily/klines/BTCUSD_PERP/1m/BTCUSD_PERP-1m-2024-01-01.csv")
    spot = _bars(tmp_path / "data/spot/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2024-01-01.csv", close=10.5)
    result = replayed([um, cm, spot])
    assert result.counts.symbols == {"BTCUSDT:USDT": 12, "BTCUSD:BTC": 12, "BTCUSDT": 12}
    assert result.counts.duplicates == 0
    assert result.counts.understood[0].market == "perpetual (by its folder um)"


def test_a_member_of_a_zip_is_of_the_zips_market(tmp_path: Path, replayed) -> None:
    member = _bars(tmp_path / "ETHUSDT-1m-2024-01.csv")
    packed = tmp_path / "futures-ETHUSDT-1m-2024-01.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(member, member.name)
    assert replayed(packed).counts.symbols == {"ETHUSDT:USDT": 12}


@pytest.mark.parametrize("cell", ["BTC-USDT-SWAP", "BTC/USDT:USDT", "BTCUSDT.P", "BTCUSDT_PERP"])
def test_a_column_tells_it(cell: str, tmp_path: Path, replayed) -> None:
    path = tmp_path / "candles.csv"
    path.write_text(f"symbol,{HEADER}\n" + "".join(f"{cell},{T + at * M},10,12,9,11,1\n" for at in range(4)))
    assert replayed(path).counts.symbols == {"BTCUSDT:USDT": 4}


def test_the_user_overrules_what_is_inferred(tmp_path: Path, replayed) -> None:
    path = _bars(tmp_path / "futures_BTCUSDT_1m.csv")
    assert replayed(path, ReadRequest(market="spot")).counts.symbols == {"BTCUSDT": 12}
    assert replayed(path, ReadRequest(market="inverse")).counts.symbols == {"BTCUSDT:BTC": 12}
    plain = _bars(tmp_path / "BTCUSDT_1m.csv")
    assert replayed(plain, ReadRequest(market="linear")).counts.symbols == {"BTCUSDT:USDT": 12}
    assert replayed(plain, ReadRequest(symbol="BTC/USDT:USDT")).counts.symbols == {"BTCUSDT:USDT": 12}


def test_what_contradicts_itself_is_refused(tmp_path: Path, replayed) -> None:
    with pytest.raises(SourceError, match="different markets; give --market spot, linear or inverse"):
        replayed(_bars(tmp_path / "spot_futures_BTCUSDT_1m.csv"))
    path = tmp_path / "spot_1m.csv"
    path.write_text(f"symbol,{HEADER}\n" + "".join(f"BTC-USDT-SWAP,{T + at * M},10,12,9,11,1\n" for at in range(4)))
    with pytest.raises(SourceError, match="BTCUSDT:USDT is no spot market, and 'spot' in its name says that it is one"):
        replayed(path)


@pytest.mark.parametrize(
    "name",
    [
        *("BTC_USDT_USDT-1m-mark.csv", "BTCUSDT-markPriceKlines-1m.csv", "BTCUSDT_index_price_1m.csv"),
        *("BTC_USDT_USDT-1m-funding_rate.csv", "BTCUSDT-premiumIndexKlines-1m-2024-01.csv"),
        "data/futures/um/daily/markPriceKlines/BTCUSDT/1m/BTCUSDT-1m-2024-01-01.csv",
    ],
)
def test_prices_that_nobody_paid_are_no_bars(name: str, tmp_path: Path, replayed) -> None:
    path = _bars(tmp_path / name)
    with pytest.raises(SourceError, match="means prices that were not traded"):
        replayed(path)
    assert replayed(path, ReadRequest(market="spot")).counts.bars == 12


def test_binances_mark_prices_are_known_without_their_name(tmp_path: Path, replayed) -> None:
    path = tmp_path / "BTCUSDT-1m-2024-01-01.csv"
    lines = [f"{T + at * M},10,12,9,11,0,{T + at * M + M - 1},0,60,0,0,0" for at in range(12)]
    path.write_text("\n".join([BINANCE, *lines]) + "\n")
    with pytest.raises(SourceError, match="these are mark or index prices, which were not traded"):
        replayed(path)


def test_a_zip_with_mark_prices_gives_the_rest(tmp_path: Path, replayed) -> None:
    packed = tmp_path / "download.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ("klines/BTCUSDT-1m.csv", "markPriceKlines/BTCUSDT-1m.csv"):
            archive.write(_bars(tmp_path / name), name)
    counts = replayed(packed).counts
    assert counts.symbols == {"BTCUSDT": 12}
    assert list(counts.passed_over) == ["download.zip:markPriceKlines/BTCUSDT-1m.csv"]


def test_the_dry_run_says_the_market_and_what_tells_it(tmp_path: Path) -> None:
    path = _bars(tmp_path / "futures_BTCUSDT_1m.csv")
    result = CliRunner().invoke(app, ["replay", str(path), "--dry-run", "--json"])
    [understood] = json.loads(result.stdout)["understood"]
    assert understood["symbols"] == ["BTCUSDT:USDT"]
    assert understood["market"] == "perpetual (by 'futures' in its name)"
    wrong = CliRunner().invoke(app, ["replay", str(path), "--dry-run", "--market", "swap"])
    assert str(wrong.exception) == "--market 'swap' is none of spot, linear and inverse"


def test_contracts_of_an_inverse_market_become_base_amounts(tmp_path: Path, replayed) -> None:
    """Of Binance's COIN-M the volume counts contracts of 100 USD; the second one and what takers bought are bitcoin."""
    path = tmp_path / "BTCUSD_PERP-1m-2024-01-01.csv"
    rows = [f"{T + at * M},42000,42010,41990,42005,1000,{T + at * M + M - 1},2.3809,9,400,0.9523,0" for at in range(12)]
    path.write_text("\n".join([BINANCE, *rows]) + "\n")
    result = replayed(path)
    assert result.counts.symbols == {"BTCUSD:BTC": 12}
    first = result.bars[0]
    assert (first.volume, first.buy_volume, first.quote_volume) == (2.3809, 0.9523, None)
    assert "contracts of 100" in result.counts.understood[0].remarks[0]


def test_an_inverse_market_that_counts_dollars_is_turned(tmp_path: Path, replayed) -> None:
    path = tmp_path / "bybit_inverse_BTCUSD_1m.csv"
    rows = [f"{T + at * M},42000,42010,41990,42005,100000,2.38095" for at in range(4)]
    path.write_text("\n".join(["start_time,open,high,low,close,volume,turnover", *rows]) + "\n")
    first = replayed(path).bars[0]
    assert (first.symbol, first.volume, first.quote_volume) == ("BTCUSD:BTC", 2.38095, 100_000.0)


def test_okx_counts_contracts_of_a_swap_and_says_the_base_amount_beside_them(tmp_path: Path, replayed) -> None:
    path = tmp_path / "BTC-USDT-SWAP_1m.csv"
    rows = [f"{T + at * M},42000,42010,41990,42005,150,1.5,63007.5,1" for at in range(4)]
    path.write_text("\n".join(["ts,o,h,l,c,vol,volCcy,volCcyQuote,confirm", *rows]) + "\n")
    first = replayed(path).bars[0]
    assert (first.symbol, first.volume, first.quote_volume) == ("BTCUSDT:USDT", 1.5, 63007.5)


def test_rows_after_the_delivery_contradict_it(tmp_path: Path, replayed) -> None:
    with pytest.raises(SourceError, match="says a delivery of 231229, and the rows go on to 240101"):
        replayed(_bars(tmp_path / "BTCUSDT_231229-1m-2024-01.csv"))


TRADES = "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker"


def test_trades_of_an_inverse_market_need_the_size_of_a_contract(tmp_path: Path, replayed) -> None:
    path = tmp_path / "BTCUSD_PERP-aggTrades-2024-01-01.csv"
    path.write_text(f"{TRADES}\n" + "".join(f"{at},42000,21,{at},{at},{T + at},true\n" for at in range(1, 5)))
    with pytest.raises(SourceError, match="--contract-size"):
        replayed(path)
    first = replayed(path, ReadRequest(contract_size=100.0)).ticks[0]
    assert (first.symbol, first.amount) == ("BTCUSD:BTC", 0.05)


def test_trades_whose_file_tells_the_base_amount_need_none(tmp_path: Path, replayed) -> None:
    path = tmp_path / "BTCUSD_PERP-trades-2024-01-01.csv"
    path.write_text(
        "id,price,qty,base_qty,time,is_buyer_maker\n"
        + "".join(f"{at},42000,21,0.05,{T + at},true\n" for at in range(1, 5))
    )
    assert replayed(path).ticks[0].amount == 0.05


def test_a_linear_contract_may_have_a_size_too(tmp_path: Path, replayed) -> None:
    path = tmp_path / "BTC-USDT-SWAP-trades-2024-01-01.csv"
    path.write_text(
        "instrument_name,trade_id,side,price,size,created_time\n"
        + "".join(f"BTC-USDT-SWAP,{at},buy,42000,150,{T + at}\n" for at in range(1, 5))
    )
    assert replayed(path, ReadRequest(contract_size=0.01)).ticks[0].amount == 1.5
    with pytest.raises(SourceError, match="OKX's trades of swaps, futures and options count contracts"):
        replayed(path)
    path.write_text("time,price,amount\n" + "".join(f"{T + at},42000,150\n" for at in range(1, 5)))
    assert replayed(path, ReadRequest(contract_size=0.01)).ticks[0].amount == 1.5
    assert "--contract-size" in replayed(path).counts.understood[0].remarks[-1]


@pytest.mark.parametrize(
    "header", ["agg_trade_id,price,quantity,transact_time", "id,price,qty,time,quote_qty,is_buyer_maker"]
)
def test_binances_linear_contracts_are_counted_in_base_currency(header: str, tmp_path: Path, replayed) -> None:
    path = tmp_path / "futures-BTCUSDT-trades.csv"
    cells = {"transact_time": "{t}", "time": "{t}", "is_buyer_maker": "true"}
    row = ",".join(cells.get(name, "1") for name in header.split(","))
    path.write_text("\n".join([header, *(row.replace("{t}", str(T + at)) for at in range(4))]))
    assert replayed(path).counts.understood[0].remarks == []


def test_a_volume_that_counts_contracts_of_unknown_size_is_unknown(tmp_path: Path, replayed) -> None:
    path = _bars(tmp_path / "BTC_USD_BTC-1m-futures.csv")
    assert replayed(path).bars[0].volume is None
    assert replayed(path, ReadRequest(contract_size=100.0)).bars[0].volume == pytest.approx(1.5 * 100 / 11)


def _at(path: Path, base: float, rows: int = 12) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{T + at * M},{base},{base + 2},{base - 2},{base + 1},1.5" for at in range(rows)]
    path.write_text("\n".join([HEADER, *lines]) + "\n")
    return path


def test_two_files_of_one_name_with_other_prices_are_told_before_anything_is_sent(tmp_path: Path, replayed) -> None:
    files = [_at(tmp_path / "a" / "BTCUSDT-1m.csv", 100.0), _at(tmp_path / "b" / "BTCUSDT-1m.csv", 101.0)]
    with pytest.raises(SourceError, match="both say BTCUSDT, but 12 of 12 bars of the same time have other prices"):
        replayed(files)
    same = [_at(tmp_path / "c" / "BTCUSDT-1m.csv", 100.0), files[0]]
    assert replayed(same).counts.duplicates == 12


def test_files_that_write_their_times_otherwise_are_compared_too(tmp_path: Path, replayed) -> None:
    one = _at(tmp_path / "a" / "BTCUSDT-1m.csv", 100.0)
    other = tmp_path / "b" / "BTCUSDT-1m.csv"
    other.parent.mkdir()
    rows = [f"2024-01-01 00:{at:02}:00,101,103,99,102,1.5" for at in range(12)]
    other.write_text("\n".join([HEADER, *rows]) + "\n")
    with pytest.raises(SourceError, match="12 of 12 bars of the same time have other prices"):
        replayed([one, other])


def test_rows_of_one_time_that_open_elsewhere_fail(tmp_path: Path, replayed) -> None:
    path = tmp_path / "BTCUSDT_1m.csv"
    rows = [f"{T + at // 4 * M},{10 + at},{12 + at},{9 + at},{11 + at},1" for at in range(40)]
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    counts = replayed(path).counts
    assert (counts.bars, counts.strangers) == (10, 30)
    assert "75.0 % of the rows have the time of a later row and another open" in (counts.problem(10) or "")
    rows = [
        f"{T + at // 4 * M},10,{12 + at},9,{11 + at},{1 + at}" for at in range(40)
    ]  # a poller's, of bars that go on
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    counts = replayed(path).counts
    assert (counts.conflicts, counts.strangers, counts.problem(10)) == (30, 0, None)


def test_a_funding_file_among_others_is_passed_over(tmp_path: Path, replayed) -> None:
    names = ("BTC_USDT_USDT-1m-futures.csv", "BTC_USDT_USDT-1m-mark.csv", "BTC_USDT_USDT-1m-funding_rate.csv")
    counts = replayed([_bars(tmp_path / name) for name in names]).counts
    assert counts.symbols == {"BTCUSDT:USDT": 12}
    assert sorted(counts.passed_over) == sorted(names[1:])


@pytest.mark.parametrize(("market", "symbol"), [("linear", "BTCUSDT:USDT"), ("inverse", "BTCUSDT:BTC")])
def test_a_symbol_and_a_market_that_are_typed_go_together(market: str, symbol: str, tmp_path: Path, replayed) -> None:
    for name in ("o.csv", "BTCUSDT_1m.csv"):
        path = _bars(tmp_path / name)
        request = ReadRequest(symbol="BTCUSDT", market=market, interval="1m", contract_size=1.0)
        assert replayed(path, request).counts.symbols == {symbol: 12}


def test_a_symbol_only_chooses_among_several_files(tmp_path: Path, replayed) -> None:
    btc, eth = _bars(tmp_path / "BTCUSDT-1m.csv"), _bars(tmp_path / "ETHUSDT-1m.csv")
    nameless = _bars(tmp_path / "train.csv")
    assert replayed([btc, eth], ReadRequest(symbol="BTC/USDT")).counts.symbols == {"BTCUSDT": 12}
    with pytest.raises(SourceError, match=r"no file holds XRPUSDT; they hold BTCUSDT, ETHUSDT"):
        replayed([btc, eth], ReadRequest(symbol="XRPUSDT"))
    with pytest.raises(SourceError, match=r"its symbol is not told, and beside BTCUSDT-1m.csv --symbol only chooses"):
        replayed([btc, nameless], ReadRequest(symbol="BTCUSDT"))


def test_one_file_is_called_as_the_user_says_and_that_is_told(tmp_path: Path, replayed) -> None:
    counts = replayed(_bars(tmp_path / "BTCUSDT-1m.csv"), ReadRequest(symbol="ETHUSDT")).counts
    assert counts.symbols == {"ETHUSDT": 12}
    assert "BTCUSDT that its name tells is called ETHUSDT" in counts.understood[0].remarks[0]
    with pytest.raises(SourceError, match=r"--symbol BTCUSDT is the spot market, and .* says BTCUSDT:USDT"):
        replayed(_bars(tmp_path / "BTC_USDT_USDT-1m-futures.csv"), ReadRequest(symbol="BTCUSDT"))
    inverse = replayed(_bars(tmp_path / "BTCUSD-1m.csv"), ReadRequest(symbol="BTC/USD:BTC"))
    assert (inverse.counts.symbols, inverse.bars[0].volume) == ({"BTCUSD:BTC": 12}, None)


def test_a_market_that_is_typed_does_not_overrule_the_names_of_several_files(tmp_path: Path, replayed) -> None:
    files = [_bars(tmp_path / "BTC_USDT-1m.csv"), _bars(tmp_path / "BTC_USDT_USDT-1m-futures.csv")]
    with pytest.raises(SourceError, match="says another market than --market spot: replay it apart"):
        replayed(files, ReadRequest(market="spot"))


@pytest.mark.parametrize(
    ("header", "cells", "symbol"),
    [
        (
            "exchange,symbol,timestamp,local_timestamp,id,side,price,amount",
            "binance-futures,BTCUSDT,{t},{t},1,buy,10,1",
            "BTCUSDT:USDT",
        ),
        ("symbol,category,timestamp,open,high,low,close,volume", "BTCUSDT,linear,{t},10,12,9,11,1", "BTCUSDT:USDT"),
        ("market,timestamp,open,high,low,close,volume", "perpetual,{t},10,12,9,11,1", "BTCUSDT:USDT"),
        ("market,timestamp,open,high,low,close,volume", "spot,{t},10,12,9,11,1", "BTCUSDT"),
    ],
)
def test_a_column_of_markets_or_exchanges_tells_it(
    header: str, cells: str, symbol: str, tmp_path: Path, replayed
) -> None:
    path = tmp_path / "BTCUSDT_1m.csv"
    path.write_text("\n".join([header, *(cells.replace("{t}", str(T + at * M)) for at in range(4))]) + "\n")
    assert list(replayed(path).counts.symbols) == [symbol]


@pytest.mark.parametrize(
    ("category", "name", "symbol"),
    [("linear", "BTCUSDT", "BTCUSDT:USDT"), ("inverse", "BTCUSD", "BTCUSD:BTC"), ("spot", "BTCUSDT", "BTCUSDT")],
)
def test_an_answer_of_bybit_tells_its_category(category: str, name: str, symbol: str, tmp_path: Path, replayed) -> None:
    rows = [[str(T + at * M), "10", "12", "9", "11", "1", "11"] for at in range(4)]
    path = tmp_path / "bybit_kline.json"
    path.write_text(json.dumps({"retCode": 0, "result": {"category": category, "symbol": name, "list": rows}}))
    assert list(replayed(path, ReadRequest(interval="1m")).counts.symbols) == [symbol]


def test_bybits_trades_are_of_the_category_beside_them(tmp_path: Path, replayed) -> None:
    rows = [
        {"execId": str(at), "symbol": "BTCUSDT", "price": "10", "size": "1", "side": "Buy", "time": str(T + at)}
        for at in range(4)
    ]
    path = tmp_path / "trades.json"
    path.write_text(json.dumps({"retCode": 0, "result": {"category": "linear", "list": rows}}))
    assert list(replayed(path).counts.symbols) == ["BTCUSDT:USDT"]


def test_a_mixed_column_of_differently_counted_amounts_is_refused(tmp_path: Path, replayed) -> None:
    path = tmp_path / "all.csv"
    rows = [f"{symbol},{T + at * M},10,12,9,11,1" for at in range(4) for symbol in ("BTCUSDT", "BTCUSD_PERP")]
    path.write_text("\n".join([f"symbol,{HEADER}", *rows]) + "\n")
    with pytest.raises(SourceError, match="BTCUSD:BTC and BTCUSDT, whose amounts are not counted alike"):
        replayed(path)
    assert replayed(path, ReadRequest(symbol="BTCUSDT")).bars[0].volume == 1.0


def test_an_option_is_a_series_of_its_own(tmp_path: Path, replayed) -> None:
    counts = replayed([_bars(tmp_path / "BTC-27DEC24-100000-C_1m.csv"), _at(tmp_path / "BTC-1m.csv", 50.0)]).counts
    assert counts.symbols == {"BTC-27DEC24-100000-C": 12, "BTC": 12}
    assert counts.understood[0].market == "option (by its symbols)"


def test_a_delivery_whose_day_is_not_told_is_refused(tmp_path: Path, replayed) -> None:
    path = _bars(tmp_path / "BTCUSDT_quarter_1m.csv")
    with pytest.raises(SourceError, match="not which: replay it alone with its symbol"):
        replayed(path)
    assert replayed(path, ReadRequest(symbol="BTC/USDT:USDT-240329")).counts.symbols == {"BTCUSDT:USDT-240329": 12}
