"""One spelling of a market, whatever a venue, ccxt or a person writes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topics.codec import decode, encode
from topics.currencies import QUOTES, cut
from topics.limits import LONGEST_SYMBOL, SYMBOL
from topics.markets import canonical, canonical_pattern, contract, day_of, unified
from topics.records import Tick

T = 1_704_067_200_000
SPELLINGS = {
    "BTCUSDT": (
        "BTC/USDT",
        "btc/usdt",
        "BTC-USDT",
        "BTC_USDT",
        " BTCUSDT ",
        "BINANCE:BTCUSDT",
        "BTCUSDT_SPBL",
        "tBTCUSDT",
    ),
    "BTCUSDT:USDT": (
        *("BTC/USDT:USDT", "BTC-USDT-SWAP", "BTCUSDT_PERP", "BTCUSDT.P", "BYBIT:BTCUSDT.P", "BTC_USDT_USDT"),
        *(
            "PERP_BTC_USDT",
            "BTCUSDT-PERP.BINANCE",
            "BINANCE:BTCUSDTPERP",
            "BTCUSDT-USDT",
            "BTCUSDT_UMCBL",
            "BTCUSDTM",
            "btc/usdt:usdt",
            "BTC_USDT-PERPETUAL",
        ),
    ),
    "BTCUSD:BTC": ("BTC/USD:BTC", "BTC-USD-SWAP", "BTCUSD_PERP", "BTC-PERPETUAL", "BTCUSD_DMCBL", "BTC_USD_BTC"),
    "BTCUSDT:USDT-240329": ("BTC/USDT:USDT-240329", "BTCUSDT_240329", "BTC-USDT-240329", "BTCUSDT-29MAR24"),
    "BTCUSD:BTC-240628": ("BTC/USD:BTC-240628", "BTCUSD_240628", "BTC-USD-240628", "BTC-28JUN24"),
    "XBTUSD:USD": ("PF_XBTUSD", "XBT/USD:USD"),
    "XBTUSD:XBT": ("PI_XBTUSD",),
    "BTCKRW": ("KRW-BTC",),
    "ETHXBT": ("XETHXXBT",),
    "BTCUSD:USD": ("BTCUSD-PERP", "BTC/USD:USD"),
    "BTC-27DEC24-100000-C": ("BTC-27DEC24-100000-C",),
    "XBTUSD": ("XXBTZUSD", "XBT/USD", "KRAKEN:XBT/USD"),
    "DOGEUSD": ("tDOGE:USD", "DOGE:USD", "X:DOGEUSD", "DOGE-USD"),
    "1000PEPEUSDT:USDT": ("1000PEPE/USDT:USDT",),
    "币安人生USDT": ("币安人生/USDT",),
    "$ANALOSUSDT": ("$ANALOS/USDT",),
    "ETHUSD:BTC": ("ETH/USD:BTC",),
}


@pytest.mark.parametrize(("symbol", "text"), [(one, text) for one, texts in SPELLINGS.items() for text in texts])
def test_every_spelling_is_one_symbol(symbol: str, text: str) -> None:
    assert canonical(text) == symbol
    assert canonical(symbol) == symbol
    assert re.fullmatch(SYMBOL, symbol)


@pytest.mark.parametrize("text", ["BTC", "ALL", "WORKER", "SPY", "BRK.B", "FUZZ-7", "A-B-C", "BTCPERP", "FOOBAR:QUX"])
def test_a_text_without_a_market_is_unchanged(text: str) -> None:
    assert canonical(text) == text


_COIN = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789$", min_size=2, max_size=8)
_CONTRACT = st.sampled_from(["", ":{q}", ":{b}", ":{q}-240329", ":{b}-241227", ":{q}-240329-40000-C"])


@given(_COIN, st.one_of(st.sampled_from(QUOTES), _COIN), _CONTRACT)
def test_what_a_venue_lists_has_a_spelling_that_is_its_own(base: str, quote: str, behind: str) -> None:
    written = f"{base}/{quote}{behind.format(b=base, q=quote)}"
    symbol = canonical(written)
    assert canonical(symbol) == symbol
    assert symbol == written.replace("/", "", 1)


@given(st.text(max_size=80))
def test_canonical_is_idempotent(text: str) -> None:
    assert canonical(canonical(text)) == canonical(text)


def test_ccxts_spelling_comes_back() -> None:
    for symbol in ("BTC/USDT", "BTC/USDT:USDT", "BTC/USD:BTC-240628", "SHIB/TRY", "DOT/USD"):
        assert unified(canonical(symbol)) == symbol
    assert unified("WORKER") is None


def test_a_pair_is_cut_where_its_base_is_a_coin() -> None:
    assert cut("DOTUSD") == ("DOT", "USD")
    assert cut("BTCTUSD") == ("BTC", "TUSD")
    assert contract("DOTUSD") == "DOTUSD:DOT"
    assert contract("DOTUSDC", linear=None) == "DOTUSDC:USDC"
    assert contract("HELLO") is None


@pytest.mark.parametrize("text", ["240230", "31FEB24", "123", "24O329"])
def test_an_invalid_day_is_none(text: str) -> None:
    assert day_of(text) is None


def test_a_pattern_is_spelled_like_a_symbol() -> None:
    assert canonical_pattern("btc/*") == "BTC*"
    assert canonical_pattern("*/USDT:USDT") == "*USDT:USDT"
    assert canonical_pattern("BTC-USDT-SWAP") == "BTCUSDT:USDT"


@pytest.mark.parametrize(("written", "ours"), [("BTC/USDT", "BTCUSDT"), ("btcusdt", "BTCUSDT"), ("ETH-USD", "ETHUSD")])
def test_a_record_with_another_spelling_is_rejected_with_ours(written: str, ours: str) -> None:
    good = encode([Tick(ours, T, 1.0, 1.0)])
    [rejected] = decode(good.replace(ours.encode(), written.encode()), Tick).rejected
    assert f"symbol {written!r} is spelled {ours}" in rejected.reason


@pytest.mark.parametrize("symbol", ["币安人生USDT", "$ANALOSUSDT", "BTCUSDT:USDT-240329", "1INCHUSDT", "M&MUSDT"])
def test_whatever_a_venue_lists_is_a_symbol(symbol: str) -> None:
    assert decode(encode([Tick(symbol, T, 1.0, 1.0)]), Tick).rejected == []


@pytest.mark.parametrize("symbol", ["A B", "A*", "\u202eBTC", "A,B", "", "B\u00a0T", "X" * (LONGEST_SYMBOL + 1), "A'B"])
def test_what_can_be_no_symbol_is_refused(symbol: str) -> None:
    [rejected] = decode(encode([Tick(symbol, T, 1.0, 1.0)]), Tick).rejected
    assert rejected.reason
