"""The address restores the choice; what it cannot mean is replaced, and said."""

from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.choice import SPANS, THEMES, Choice, Series, parse, query, settle
from topics.records import HORIZONS

BTC, ETH, DAILY = Series("BTCUSDT", "1m"), Series("ETHUSDT", "1m"), Series("COIN", "1d")


def arguments(text: str) -> dict[str, list[bytes]]:
    return {name: [value.encode() for value in values] for name, values in parse_qs(text).items()}


@given(
    symbol=st.sampled_from(["BTCUSDT", "BTC/USD", "A-B.C:1"]),
    interval=st.sampled_from(["1m", "5m", "1h", "1d"]),
    model=st.sampled_from(["gbm", "naive", "on line&x=1"]),
    horizon=st.sampled_from(HORIZONS),
    span=st.sampled_from(SPANS),
    theme=st.sampled_from(THEMES),
)
def test_the_query_of_any_choice_restores_it(
    symbol: str, interval: str, model: str, horizon: int, span: int, theme: str
) -> None:
    choice = Choice(symbol, interval, model, horizon, span, theme)
    restored, notes = parse(arguments(query(choice, "1m")), "1m")
    assert settle(restored, [Series(symbol, interval)], [model], "1m") == (choice, ())
    assert notes == ()


@pytest.mark.parametrize("part", ["horizon=7", "horizon=x", "span=9y", "theme=pink", "interval=soon", "horizon=%FF"])
def test_a_value_that_cannot_be_followed_is_replaced_and_said(part: str) -> None:
    choice, notes = parse(arguments(part), "1m")
    assert choice == Choice()
    assert len(notes) == 1
    assert part.partition("=")[0] in notes[0]


def test_an_empty_address_leaves_the_choice_to_the_page() -> None:
    assert parse({}, "1m") == (Choice(), ())
    assert settle(Choice(), [BTC, ETH], ["gbm", "naive", "online"], "1m") == (Choice("BTCUSDT", "1m", "gbm"), ())


def test_a_symbol_that_is_not_there_is_replaced_and_said() -> None:
    choice, notes = settle(Choice("DOGE", None, "gbm"), [BTC, ETH], ["gbm"], "1m")
    assert choice.symbol == "BTCUSDT"
    assert notes == ("There is no DOGE in the database: this is BTCUSDT.",)


def test_a_model_that_is_not_there_is_replaced_by_one_that_knows_more_than_naive() -> None:
    choice, notes = settle(Choice("BTCUSDT", "1m", "lstm"), [BTC], ["naive", "online"], "1m")
    assert choice.model == "online"
    assert len(notes) == 1


def test_the_usual_interval_is_preferred_and_another_is_taken_where_there_is_no_other() -> None:
    assert settle(Choice(), [DAILY, BTC], [], "1m")[0].series == BTC
    assert settle(Choice(), [DAILY], [], "1m")[0].series == DAILY
    assert settle(Choice("COIN"), [BTC, DAILY], [], "1m") == (Choice("COIN", "1d"), ())


def test_nothing_is_replaced_before_it_is_known_what_there_is() -> None:
    wanted = Choice("DOGE", None, "lstm", 60)
    assert settle(wanted, [], [], "1m") == (wanted, ())
