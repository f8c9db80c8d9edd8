"""Which amount is in which currency: the prices prove it, whatever the columns are called."""

from pathlib import Path

import pytest

from sources.reading.request import ReadRequest

T, M = 1_600_000_020_000, 60_000
BASE, QUOTE = "5.5", "60.5"


def _write(folder: Path, header: str, row: str, name: str = "BTCUSDT_1m.csv", step: int = M) -> Path:
    path = folder / name
    rows = [f"{T - T % step + at * step},10,12,9,11,{row}" for at in range(4)]
    path.write_text("\n".join([f"time,open,high,low,close,{header}", *rows]) + "\n")
    return path


@pytest.mark.parametrize("name", ["BTCUSDT_1m.csv", "BTC-USDT-SWAP_1m.csv", "BTC-USD-SWAP_1m.csv"])
@pytest.mark.parametrize(
    "header",
    [
        "amount,vol",
        "amount,volume",
        "volume,amount",
        "volume,value",
        "volume,turnover",
        "vol,volCcyQuote",
        "basevolume,usdtvolume",
        "volume,cost",
        "homeNotional,foreignNotional",
        "volume_btc,volume",
        "Volume BTC,Volume USDT",
        "amount,value",
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_of_two_amounts_the_prices_tell_the_base(
    header: str, name: str, turned: bool, tmp_path: Path, replayed
) -> None:
    columns = header.split(",")
    path = _write(
        tmp_path,
        ",".join(reversed(columns)) if turned else header,
        f"{QUOTE},{BASE}" if turned else f"{BASE},{QUOTE}",
        name,
    )
    result = replayed(path)
    assert {(bar.volume, bar.quote_volume) for bar in result.bars} == {(5.5, 60.5)}
    assert result.counts.understood[0].left_out == []


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("BTC-USDT_1m.csv", "5.5,60.5,60.5"),
        ("BTC-USDT-SWAP_1m.csv", "550,5.5,60.5"),
        ("BTC-USD-SWAP_1m.csv", "630,5.5,60.5"),
    ],
)
def test_the_base_and_quote_volume_are_found_among_okxs_three_amounts(
    name: str, row: str, tmp_path: Path, replayed
) -> None:
    result = replayed(_write(tmp_path, "vol,vol_ccy,vol_quote,confirm", f"{row},1", name))
    assert {(bar.volume, bar.quote_volume) for bar in result.bars} == {(5.5, 60.5)}
    assert bool(result.counts.understood[0].remarks) == ("SWAP" in name)


@pytest.mark.parametrize(
    ("header", "volume", "quote"), [("Volume USDT", None, 7.5), ("volume_btc", 7.5, None), ("Volume ETH", None, None)]
)
def test_one_amount_is_of_the_currency_by_which_it_is_called(
    header: str, volume: float | None, quote: float | None, tmp_path: Path, replayed
) -> None:
    bar = replayed(_write(tmp_path, header, "7.5")).bars[0]
    assert (bar.volume, bar.quote_volume) == (volume, quote)


@pytest.mark.parametrize("header", ["Adj Close,Volume", "marketCap,volume", "close_ratio,volume"])
@pytest.mark.parametrize(("name", "quote"), [("BTC-USD.csv", 7.5), ("BTC-EUR.csv", None)])
def test_what_yahoo_and_coinmarketcap_call_volume_is_in_dollars(
    header: str, name: str, quote: float | None, tmp_path: Path, replayed
) -> None:
    result = replayed(_write(tmp_path, header, "11,7.5", name, 24 * 60 * M))
    assert (result.bars[0].volume, result.bars[0].quote_volume) == (None, quote)
    assert "dollars" in result.counts.understood[0].remarks[0]


@pytest.mark.parametrize("lot", [0.001, 0.1, 10.0])
def test_the_size_of_a_linear_contract_is_proven_by_the_prices(lot: float, tmp_path: Path, replayed) -> None:
    path = _write(tmp_path, "volume,turnover", f"{5.5 / lot},{QUOTE}", "BTC-USDT-SWAP_1m.csv")
    result = replayed(path)
    assert result.bars[0].volume == pytest.approx(5.5)
    assert f"contracts of {lot:g}" in result.counts.understood[0].remarks[0]
    spot = replayed(_write(tmp_path, "volume,turnover", f"{5.5 / lot},{QUOTE}"))
    assert "no price is between low and high" in spot.counts.understood[0].remarks[0]


@pytest.mark.parametrize("header", ["v,sum", "volume,value", "vol,amount"])
def test_the_amount_that_proves_it_may_have_any_name(header: str, tmp_path: Path, replayed) -> None:
    bar = replayed(_write(tmp_path, header, f"5500,{QUOTE}", "BTC_USDT_perp_1m.csv")).bars[0]
    assert (bar.volume, bar.quote_volume) == (pytest.approx(5.5), 60.5)


def test_the_size_that_the_user_gives_counts_where_none_is_proven(tmp_path: Path, replayed) -> None:
    path = _write(tmp_path, "volume,turnover", f"{5.5 / 0.3},{QUOTE}", "BTC-USDT-SWAP_1m.csv")
    assert replayed(path, ReadRequest(contract_size=0.3)).bars[0].volume == pytest.approx(5.5)


def test_prices_of_one_side_are_told_as_bid_or_ask(tmp_path: Path, replayed) -> None:
    path = _write(tmp_path, "Volume", "1", "BTCUSD_Candlestick_1_M_BID.csv")
    assert replayed(path).counts.understood[0].remarks == ["prices: the bid, as the file's name says"]
