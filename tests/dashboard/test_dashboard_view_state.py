"""The address restores the choice; what it cannot mean is replaced, and said."""

from urllib.parse import parse_qs, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.clock import CLOCKS
from dashboard.live.view_state import SPANS, BarSeries, Choice, parse, query, settle
from topics.records import HORIZONS

BTC, ETH, DAILY = BarSeries("BTCUSDT", "1m"), BarSeries("ETHUSDT", "1m"), BarSeries("COIN", "1d")


def arguments(text: str) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(text).items()}


def address(choice: Choice) -> str:
    return urlencode({name: value for name, value in query(choice, "1m").items() if value})


@given(
    symbol=st.sampled_from(["BTCUSDT", "BTC/USD", "A-B.C:1"]),
    interval=st.sampled_from(["1m", "5m", "1h", "1d"]),
    model=st.sampled_from(["gbm", "naive", "on line&x=1"]),
    horizon=st.sampled_from(HORIZONS),
    span=st.sampled_from(SPANS),
    clock=st.sampled_from(CLOCKS),
    hidden=st.frozensets(st.sampled_from(["q05", "median", "hit", "model:on line&x=1"])),
)
def test_the_query_of_any_choice_restores_it(
    symbol: str, interval: str, model: str, horizon: int, span: int, clock: str, hidden: frozenset[str]
) -> None:
    choice = Choice(
        symbol=symbol, interval=interval, model=model, horizon=horizon, span=span, clock=clock, hidden=hidden
    )
    restored, notes = parse(arguments(address(choice)), "1m")
    assert settle(restored, [BarSeries(symbol, interval)], [model], "1m") == (choice, ())
    assert notes == ()


@pytest.mark.parametrize("part", ["horizon=7", "horizon=x", "span=9y", "clock=moon", "interval=soon", "horizon=%FF"])
def test_an_invalid_value_is_replaced_by_the_default_and_told(part: str) -> None:
    choice, notes = parse(arguments(part), "1m")
    assert choice == Choice()
    assert len(notes) == 1
    assert part.partition("=")[0] in notes[0]


def test_a_layer_that_there_is_not_is_no_part_of_the_choice() -> None:
    assert parse({"hide": "q05,nonsense,"}, "1m") == (Choice(hidden=frozenset({"q05"})), ())


def test_an_empty_address_leaves_the_choice_to_the_page() -> None:
    assert parse({}, "1m") == (Choice(), ())
    assert settle(Choice(), [BTC, ETH], ["gbm", "naive", "online"], "1m") == (
        Choice(symbol="BTCUSDT", interval="1m", model="gbm"),
        (),
    )


def test_a_symbol_that_is_not_there_is_replaced_and_said() -> None:
    choice, notes = settle(Choice(symbol="DOGE", interval=None, model="gbm"), [BTC, ETH], ["gbm"], "1m")
    assert choice.symbol == "BTCUSDT"
    assert notes == ("There is no DOGE in the database: this is BTCUSDT.",)


def test_a_model_that_is_not_there_is_replaced_by_one_that_knows_more_than_naive() -> None:
    choice, notes = settle(Choice(symbol="BTCUSDT", interval="1m", model="lstm"), [BTC], ["naive", "online"], "1m")
    assert choice.model == "online"
    assert len(notes) == 1


def test_the_usual_interval_is_preferred_and_another_is_taken_where_there_is_no_other() -> None:
    assert settle(Choice(), [DAILY, BTC], [], "1m")[0].series == BTC
    assert settle(Choice(), [DAILY], [], "1m")[0].series == DAILY
    assert settle(Choice(symbol="COIN"), [BTC, DAILY], [], "1m") == (Choice(symbol="COIN", interval="1d"), ())


def test_nothing_is_replaced_before_it_is_known_what_there_is() -> None:
    wanted = Choice(symbol="DOGE", interval=None, model="lstm", horizon=60)
    assert settle(wanted, [], [], "1m") == (wanted, ())


@pytest.mark.parametrize("spelled", ["BTC/USDT", "btc-usdt", "BINANCE:BTCUSDT"])
def test_a_symbol_is_found_however_it_is_spelled(spelled: str) -> None:
    choice, notes = settle(Choice(symbol=spelled, interval="1m"), [ETH, BTC], [], "1m")
    assert (choice.series, notes) == (BTC, ())
