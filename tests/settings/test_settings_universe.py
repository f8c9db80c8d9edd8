"""The universe as a user writes it."""

import pytest
from pydantic import ValidationError

from settings import Settings


def universe(text: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    monkeypatch.setenv("FORETICK_UNIVERSE", text)
    return Settings().universe


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("BTCUSDT,ETHUSDT", {"BTCUSDT": 1.0, "ETHUSDT": 1.0}),
        (" BTCUSDT:2 , ETHUSDT:0.5,", {"BTCUSDT": 2.0, "ETHUSDT": 0.5}),
        ("BTC/USDT:USDT,eth/usdt:usdt:3,1INCH", {"BTCUSDT:USDT": 1.0, "ETHUSDT:USDT": 3.0, "1INCH": 1.0}),
        ("BTC:1e3,ETH", {"BTC": 1000.0, "ETH": 1.0}),
    ],
)
def test_the_universe_is_parsed_from_symbols_and_weights(
    text: str, expected: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert universe(text, monkeypatch) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("BTCUSDT", "needs two symbols"),
        ("BTC,ETH,BTC:2", "BTC is named twice"),
        ("BTC:0,ETH", "weight of BTC:0"),
        ("BTC:-1,ETH", "weight of BTC:-1"),
        ("BTC:1.2.3,ETH", "weight of"),
        ("BTC:1e999,ETH", "weight of"),
        ("b*c,ETH", "'B*C' is no symbol"),
    ],
)
def test_a_mistake_gets_one_line(text: str, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError) as caught:
        universe(text, monkeypatch)
    assert reason in caught.value.errors()[0]["msg"]
