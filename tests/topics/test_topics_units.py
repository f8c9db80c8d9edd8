"""What an interval's name says, and which names a record may carry."""

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from topics.codec import decode
from topics.records import Bar, Features
from topics.units import INTERVAL, Measure, interval_ms, is_time, measure


@pytest.mark.parametrize(
    ("name", "kind", "size"),
    [
        ("1m", "time", 60_000),
        ("15s", "time", 15_000),
        ("tick-500", "tick", 500),
        ("volume-25", "volume", 25),
        ("volume-0.5", "volume", 0.5),
        ("dollar-1000000", "dollar", 1_000_000),
        ("range-10", "range", 10),
        ("range-2.5", "range", 2.5),
    ],
)
def test_an_interval_name_gives_kind_and_size(name: str, kind: str, size: float) -> None:
    assert measure(name) == Measure(kind, size)
    assert is_time(name) == (kind == "time")
    assert re.search(INTERVAL, name)


WRONG = [
    *("", "m", "0m", "01m", "1x", "1m\n", "tick", "tick-", "tick-0", "tick-05", "tick-1.5", "tick--1", "tick-\u0665"),
    *("dollar-1.5", "dollar-1e6", "volume-0", "volume-0.0", "volume-0.50", "volume-.5", "volume-1.", "volume-1.5\n"),
    *("range-inf", "range-nan", "range-10bp"),
]


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_name_is_answered_with_the_right_ones(name: str) -> None:
    with pytest.raises(
        ValueError, match=r"is none of 1m .*tick-500.*dollar-1000000.*volume-2\.5 and range-10"
    ) as raised:
        measure(name)
    assert "\n" not in str(raised.value)
    assert not re.search(INTERVAL, name)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Tick-5", "interval 'Tick-5': there is no kind of bars 'Tick': the nearest is 'tick'"),
        ("tik-500", "interval 'tik-500': there is no kind of bars 'tik': the nearest is 'tick'"),
        ("1m,tick-5", "interval '1m,tick-5': there is no kind of bars '1m,tick': the nearest is 'tick'"),
        ("renko-5", "interval 'renko-5': there is no kind of bars 'renko': there are tick, volume, dollar, range"),
    ],
)
def test_a_wrong_kind_is_answered_with_the_nearest(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        measure(name)
    assert not re.search(INTERVAL, name)


@pytest.mark.parametrize("name", ["tick-500", "volume-0.5", "range-10", "1x"])
def test_only_time_intervals_have_a_length(name: str) -> None:
    with pytest.raises(ValueError, match=f"interval '{name}' is not a whole number followed by s, m, h or d"):
        interval_ms(name)


@given(st.from_regex(INTERVAL, alphabet=st.characters(codec="utf-8")))
def test_every_name_that_a_record_may_carry_is_understood(name: str) -> None:
    assert measure(name).size > 0


@given(st.text(alphabet="0123456789.-smhdtickvolumerang\n", max_size=14))
def test_no_record_carries_a_name_that_is_not_understood(name: str) -> None:
    row = {"symbol": "A", "interval": name, "time": 1_700_000_000_000, "close": 1.0, "fingerprint": "f", "values": []}
    if decode(msgspec.json.encode(row), Features).records:
        measure(name)


def test_a_bar_that_is_not_cut_by_time_may_begin_at_any_millisecond() -> None:
    prices = (1.0, 1.1, 0.9, 1.05)
    assert Bar("A", "tick-500", 61_001, *prices, None).time == 61_001
    with pytest.raises(ValueError, match="not the start of a 1m interval"):
        Bar("A", "1m", 61_001, *prices, None)
