"""The wire format: what is written is read back exactly, and what cannot be read holds nothing else back."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from topics import codec
from topics.catalog import STORED, TOPICS, by_name
from topics.limits import INTERVAL, SYMBOL
from topics.records import QUANTILES, RECORDS, Bar, Forecast, ModelEvent, Regime, Tick

prices = st.floats(min_value=1e-9, max_value=1e12, allow_nan=False)


@st.composite
def bars(draw: st.DrawFn) -> Bar:
    low, *middle, high = sorted(draw(st.lists(prices, min_size=4, max_size=4)))
    first, last = draw(st.permutations(middle))
    time = draw(st.integers(min_value=20_600_000, max_value=150_000_000)) * 60_000
    volume = draw(st.none() | st.just(0.0) | st.floats(min_value=1e-18, max_value=1e15))
    return Bar("BTCUSDT", "1m", time, first, high, low, last, volume, gap=draw(st.integers(0, 10_000)))


def tick(**changes: Any) -> dict[str, Any]:
    return {"symbol": "BTCUSDT", "time": 1_700_000_000_000, "price": 1.5, "amount": 2.0} | changes


@given(st.lists(bars(), min_size=1, max_size=20))
def test_a_frame_comes_back_bit_for_bit(frame: list[Bar]) -> None:
    decoded = codec.decode(codec.encode(frame), Bar)
    assert decoded.records == frame
    assert decoded.rejected == []


def test_a_text_with_a_pattern_may_be_unknown_where_the_record_lets_it() -> None:
    event = ModelEvent(model="gbm", version="v1", event="loaded", fingerprint="f", time=0, role="champion")
    of_symbol = ModelEvent(
        model="gbm", version="v1", event="serving", fingerprint="f", time=0, symbol="BTCUSDT", interval="1m"
    )
    assert codec.decode(codec.encode([event, of_symbol]), ModelEvent).records == [event, of_symbol]


def test_one_record_is_written_as_a_plain_object() -> None:
    assert json.loads(codec.encode([Tick(**tick())])) == tick()


def test_an_object_and_an_array_of_one_mean_the_same() -> None:
    one, array = json.dumps(tick()), json.dumps([tick()])
    assert codec.decode(one.encode(), Tick) == codec.decode(array.encode(), Tick)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "empty"),
        (None, "empty"),
        (b"\xff\xfe", "malformed"),
        (b"{", "truncated"),
        (b'{"symbol":"BTCUSDT"}', "missing required field `time`"),
        (json.dumps(tick(price=-1.0)).encode(), "price -1.0 is not a positive number"),
        (json.dumps(tick(price="1.5")).encode(), "Expected `float`"),
        (json.dumps(tick(symbol="btc usdt")).encode(), "regex"),
        (json.dumps(tick(amount=0)).encode(), "amount 0.0 is not a positive number"),
        (json.dumps(tick(time=1.5)).encode(), "Expected `int`"),
        (json.dumps(tick(time=-1)).encode(), "Expected `int` >= 1230940800000"),
        (json.dumps(tick(side="long")).encode(), "Invalid enum value"),
    ],
)
def test_what_is_no_tick_is_rejected_with_the_reason(value: bytes | None, reason: str) -> None:
    frame = codec.decode(value, Tick)
    assert frame.records == []
    assert reason in frame.rejected[0].reason
    assert frame.rejected[0].value == (value or b"")


def test_a_bad_row_does_not_hold_back_its_frame() -> None:
    rows = [tick(), tick(price=-1), tick(price=2.0)]
    frame = codec.decode(json.dumps(rows).encode(), Tick)
    assert [record.price for record in frame.records] == [1.5, 2.0]
    assert [(part.row, json.loads(part.value)) for part in frame.rejected] == [(1, rows[1])]


def test_a_version_that_is_not_known_is_rejected() -> None:
    frame = codec.decode(json.dumps(tick()).encode(), Tick, [(codec.VERSION_HEADER, b"2")])
    assert "version 2" in frame.rejected[0].reason


@given(st.binary(max_size=200))
def test_no_bytes_make_the_decoder_raise(value: bytes) -> None:
    for record in RECORDS:
        frame = codec.decode(value, record)
        assert frame.records or frame.rejected or value.strip() == b"[]"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"high": 0.9}, "low <= open"),
        ({"low": 1.2}, "low <= open"),
        ({"close": float("nan")}, "low <= open"),
        ({"high": float("inf")}, "low <= open"),
        ({"open": -1.0}, "low <= open"),
        ({"volume": -1.0}, "volume"),
        ({"time": 61_000}, "not the start"),
        ({"interval": "1x"}, "interval"),
    ],
)
def test_an_impossible_bar_cannot_be_built(changes: dict[str, Any], reason: str) -> None:
    possible = {"open": 1.0, "high": 1.1, "low": 0.9, "close": 1.05, "volume": None, "time": 60_000, "interval": "1m"}
    Bar(symbol="A", **possible)
    with pytest.raises(ValueError, match=reason):
        Bar(symbol="A", **(possible | changes))


def test_quantiles_that_decrease_cannot_be_built() -> None:
    quantiles = [0.1 * level for level in QUANTILES]
    Forecast(horizon=1, quantiles=quantiles)
    with pytest.raises(ValueError, match="decrease"):
        Forecast(horizon=1, quantiles=quantiles[::-1])


def test_every_record_travels_on_exactly_one_topic_that_is_stored() -> None:
    log = ["Deployment"]  # whose rows are in the database before they are published
    assert sorted([topic.record.__name__ for topic in STORED] + log) == sorted(record.__name__ for record in RECORDS)
    for topic in TOPICS:
        assert topic.key in topic.record.__struct_fields__
        assert by_name(topic.name) is topic


def test_an_unknown_topic_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="ticks, gaps, bars, cross-section"):
        by_name("trades")


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_the_schema_names_every_field_of_the_record(record: type[msgspec.Struct]) -> None:
    document = codec.schema(record)
    properties = document["$defs"][record.__name__]["properties"]
    assert set(properties) == set(record.__struct_fields__)


def test_a_name_that_is_none_rejects_its_own_row_alone() -> None:
    rows = [
        {"symbol": name, "interval": "1m", "time": tick()["time"], "state": "calm", "posterior": {}}
        for name in ("A", "a b", "B")
    ]
    rows += [rows[0] | {"interval": "1m\n"}]
    frame = codec.decode(json.dumps(rows).encode(), Regime)
    assert [record.symbol for record in frame.records] == ["A", "B"]
    assert [(part.row, part.reason.split()[-1]) for part in frame.rejected] == [(1, "`$.symbol`"), (3, "`$.interval`")]


def test_the_schema_tells_what_names_look_like() -> None:
    properties = codec.schema(Bar)["$defs"]["Bar"]["properties"]
    assert (properties["symbol"]["pattern"], properties["interval"]["pattern"]) == (SYMBOL, INTERVAL)
