"""What no value on a topic can do: raise, cost without bound, or bring a number, a name or a time beyond its limits."""

import json
import math
import re
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from topics import codec
from topics.records import (
    HORIZONS,
    QUANTILES,
    RECORDS,
    Alert,
    Bar,
    DeadLetter,
    Deployment,
    Drift,
    Features,
    Forecast,
    Gap,
    ModelEvent,
    Outcome,
    Prediction,
    Regime,
    Tick,
)
from topics.value_size import Bounds

T = 1_700_000_040_000
NOW = T + 600_000
V = "8c1f02ab77d4"
LEVELS = [0.001 * (level - 0.5) for level in QUANTILES]
SAMPLES: dict[type[Struct], Struct] = {
    Tick: Tick("BTCUSDT", T, 42_000.5, 0.25, "buy", "17", "binance"),
    Gap: Gap(
        symbol="BTCUSDT",
        venue="binance",
        start=T,
        end=T + 5,
        reason="connection",
        trades=3,
        after_id="17",
        before_id="21",
    ),
    Bar: Bar("BTCUSDT", "1m", T, 1.0, 2.0, 0.5, 1.5, 3.0, 4, 1.0, 4.5, 0, 2, 0.01, 0.5, -0.02),
    Features: Features(symbol="BTCUSDT", interval="1m", time=T, close=1.5, fingerprint=V, values=[1.0, None, -2.5e-7]),
    Regime: Regime(
        symbol="BTCUSDT",
        interval="1m",
        time=T,
        state="calm",
        posterior={"calm": 0.75, "wild": 0.25},
        change_point=0.125,
    ),
    Prediction: Prediction(
        symbol="BTCUSDT",
        interval="1m",
        time=T,
        model="gbm",
        version=V,
        fingerprint=V,
        price=1.5,
        forecasts=[
            Forecast(horizon=h, mean=1e-4, scale=1e-3, quantiles=LEVELS, p_up=0.5, weights={"ridge": 0.5})
            for h in HORIZONS
        ],
        regime="calm",
        role="standby",
        dissimilarity=0.5,
    ),
    Outcome: Outcome("BTCUSDT", "1m", T, "gbm", V, 5, T + 300_000, "scored", 0.1, 0.2, 0.3, 0.4, True, False),
    Alert: Alert(
        alert_id="a-1",
        rule="wide",
        symbol="BTCUSDT",
        time=T,
        severity="info",
        message="it is wide",
        rule_version=1,
        model="gbm",
        interval="1m",
        horizon=5,
        value=0.5,
        suppressed=2,
    ),
    Deployment: Deployment(
        model="gbm",
        number=3,
        action="promote",
        champion=V,
        fingerprint=V,
        time=T,
        challengers=["0123456789ab"],
        standby="ba9876543210",
        decided_by="user",
        why="why",
        evidence={"e": 2.5},
    ),
    ModelEvent: ModelEvent(
        model="gbm",
        version=V,
        event="serving",
        fingerprint=V,
        time=T,
        number=3,
        role="champion",
        symbol="BTCUSDT",
        interval="1m",
        reason="so",
    ),
    Drift: Drift(
        model="gbm",
        version=V,
        kind="errors",
        detector="page-hinkley",
        time=T,
        statistic=1.5,
        limit=1.0,
        interval="1m",
        symbol="BTCUSDT",
        horizon=5,
        since=T,
        detail="since noon",
    ),
    DeadLetter: DeadLetter(
        topic="bars", partition=0, offset=7, reason="no number", value=b"{}", time=T, key=b"key", row=2
    ),
}
JUNK = (
    *(
        b"[" * 20,
        b"]",
        b"{",
        b"}",
        b'"',
        b",",
        b":",
        b"null",
        b"1e999",
        b"-1e300",
        b"5e-324",
        b"NaN",
        b"\\n",
        b"\\u0007",
    ),
    *(b"\\ud800", b"\xff", b"\x00", b"\xc2\x9b", b"9" * 30, b"../../etc", b"-0.0", b"true", b"[[],[]]", b'"time":1,'),
)


def reads(value: bytes, record: type[Struct] = Bar, **rest: Any) -> codec.DecodedFrame[Any]:
    return codec.decode(value, record, **rest)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_each_record_has_a_sample_that_is_read(record: type[Struct]) -> None:
    assert reads(codec.encode([SAMPLES[record]]), record, latest=NOW).records == [SAMPLES[record]]


# --- never raises ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        b"[" * 2_000,
        b"[" * 1_000 + b"]" * 1_000,
        b"[" * 400_000,
        b'{"x":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"symbol":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
        b'[{"symbol":"A"},' + b"[" * 5_000 + b"]" * 5_000 + b"]",
    ],
    ids=["open", "closed", "very", "objects", "in a field", "in a part"],
)
def test_nested_brackets_are_a_part_that_cannot_be_read(value: bytes) -> None:
    """Case 38: 1,000 brackets raised RecursionError, and the worker met the record again for ever."""
    for record in RECORDS:
        frame = reads(value, record)
        assert frame.records == []
        assert 1 <= len(frame.rejected) <= 2


def test_a_thousand_nested_brackets_are_rejected() -> None:
    brackets = b"[" * 1_000 + b"]" * 1_000
    (rejected,) = reads(brackets).rejected
    assert rejected.value in (brackets, brackets[1:-1])  # of the array that it is, the one part is none
    assert rejected.reason


@pytest.mark.parametrize(
    "headers", [[(codec.VERSION_HEADER, None)], [(codec.VERSION_HEADER, b"\xff" * 10_000)], [("other", None)]]
)
def test_headers_of_any_kind_are_read(headers: list[tuple[str, bytes | None]]) -> None:
    frame = codec.decode(codec.encode([SAMPLES[Bar]]), Bar, headers)
    assert len(frame.records) + len(frame.rejected) == 1
    assert all(len(part.reason) < 200 for part in frame.rejected)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(RECORDS), st.data())
def test_whatever_the_bytes_what_is_accepted_is_within_the_limits(record: type[Struct], data: st.DataObject) -> None:
    rows = [SAMPLES[record]] * data.draw(st.integers(1, 3))
    value = bytearray(codec.encode(rows))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(value)))
        end = data.draw(st.integers(start, min(len(value), start + 24)))
        value[start:end] = data.draw(st.sampled_from(JUNK) | st.binary(max_size=12))
    frame = reads(bytes(value), record, latest=NOW)
    assert frame.records or frame.rejected or json.loads(value) == []
    assert len(frame.rows) == len(frame.records)
    for made in frame.records:
        assert_within(made)
        assert reads(codec.encode([made]), record, latest=NOW).records == [made]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(RECORDS), st.data())
def test_a_value_of_a_field_that_is_accepted_is_within_the_limits(record: type[Struct], data: st.DataObject) -> None:
    """Well-formed values at whichever place: those come further than bytes that are no JSON."""
    number = st.sampled_from([0, -1, 1e300, -1e300, 1e37, 5e-324, 1e-12, 1e12, 10**13, 2**70, 1e18, 56.0, 101.0])
    text = st.sampled_from(["EVIL\n", "/etc/x", "../x", "\x1b[31m", "a" * 20_000, "A", "1m", "1m\n", "\u202eA", ""])
    other = st.sampled_from([None, True, [], {}, [1e300], {"k": 1e300}, [None] * 20, {"\x07": 0.5}])
    built = msgspec.to_builtins(SAMPLES[record])
    for name in data.draw(st.lists(st.sampled_from(sorted(built)), min_size=1, max_size=2)):
        built[name] = data.draw(number | text | other | st.floats(allow_nan=False, allow_infinity=False))
    for made in reads(json.dumps([built, built]).encode(), record, latest=NOW).records:
        assert_within(made)


def assert_within(made: Any) -> None:
    """Look at a record by other means than the types do."""
    for name in made.__struct_fields__:
        result = getattr(made, name)
        for value in _flat(result):
            if isinstance(value, float):
                assert math.isfinite(value), name
                assert abs(value) <= 1e36, name
            if isinstance(value, int) and name in ("time", "start", "end", "target_time", "since"):
                assert 0 <= value <= NOW, name
            if isinstance(value, str):
                assert len(value) <= 10_000, name
                if name not in ("reason", "message", "why", "detail"):
                    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in value), name
        if name in ("price", "open", "high", "low", "close"):
            assert 1e-12 <= result <= 1e12, name
        if name in ("model", "version", "fingerprint", "champion", "standby") and result is not None:
            empty = isinstance(made, ModelEvent) and name != "model"  # a file that was refused may tell neither
            assert re.fullmatch(r"[A-Za-z0-9][^/\\\s]{0,63}", result) or (empty and not result), name
        if name == "symbol" and result is not None:
            assert re.fullmatch(r"[^a-z/_*?,\s\u200e-\u200f\u202a-\u202e]{1,64}", result)
    for one in getattr(made, "forecasts", ()):
        assert one.scale is None or 1e-12 <= one.scale <= 1e3
        assert all(abs(level) <= 100 for level in (*(one.quantiles or ()), one.mean or 0.0))
    if isinstance(made, Tick | Gap | Bar | Features | Regime | Prediction | Outcome):
        assert min(made.end if isinstance(made, Gap) else made.time, NOW) >= 1_230_940_800_000


def _flat(value: Any) -> list[Any]:
    match value:
        case dict():
            return [part for pair in value.items() for one in pair for part in _flat(one)]
        case list():
            return [part for one in value for part in _flat(one)]
        case Struct():
            return [part for name in value.__struct_fields__ for part in _flat(getattr(value, name))]
    return [value]


# --- costs no more than is stated ------------------------------------------------------------------------------------


def test_a_million_unreadable_parts_are_one_dead_letter() -> None:
    value = b"[" + b",".join([b"[]"] * 1_300_000) + b"]"
    (rejected,) = reads(value).rejected
    assert "1300000 rows in one value; at most 100000 are allowed" in rejected.reason


def test_more_parts_than_are_listed_are_counted() -> None:
    good = codec.encode_one(SAMPLES[Bar])
    value = b"[" + b",".join([b"[]", good] * 500) + b"]"
    frame = reads(value, bounds=Bounds(rejected=10))
    assert frame.rows == list(range(1, 1_000, 2))
    assert [part.row for part in frame.rejected] == list(range(0, 20, 2))
    assert "490 more parts" in frame.rejected[-1].reason
    assert "more parts" not in frame.rejected[-2].reason


@pytest.mark.parametrize("bad", [0, 1])
def test_too_many_rows_or_symbols_are_refused_as_a_whole(bad: int) -> None:
    bars = [msgspec.structs.replace(SAMPLES[Bar], symbol=f"S{number}") for number in range(40)]
    value = codec.encode(bars)[:-1] + b",[]" * bad + b"]"
    assert len(reads(value, bounds=Bounds(series=40, rows=41)).records) == 40
    for bounds, reason in (
        (Bounds(series=39), "40 symbols and intervals in one value; at most 39 are allowed"),
        (Bounds(rows=39), f"{40 + bad} rows in one value; at most 39 are allowed"),
        (Bounds(bytes=100), f"{len(value)} bytes; at most 100 are allowed"),
    ):
        frame = reads(value, bounds=bounds)
        assert (frame.records, len(frame.rejected)) == ([], 1)
        assert reason in frame.rejected[0].reason


@pytest.mark.parametrize(
    ("record", "changes"),
    [
        (Regime, {"posterior": {f"s{number}": 0.0 for number in range(65)}}),
        (Prediction, {"forecasts": [{"horizon": 1, "weights": {f"m{number}": 0.1 for number in range(65)}}]}),
        (Prediction, {"forecasts": [{"horizon": horizon + 1} for horizon in range(65)]}),
        (Prediction, {"forecasts": [{"horizon": 100_001}]}),
        (Prediction, {"forecasts": [{"horizon": 1, "quantiles": [-1e300, 0, 0, 0, 0, 0, 1e300]}]}),
        (Prediction, {"forecasts": [{"horizon": 1, "scale": 1e300}]}),
        (Features, {"values": [0.0] * 10_001}),
        (Features, {"values": [1e300]}),
        (Features, {"close": 1e-300}),
        (Deployment, {"evidence": {f"e{number}": 0.0 for number in range(65)}}),
        (Deployment, {"challengers": [V] * 17}),
        (Deployment, {"champion": "/etc/a"}),
        (Deployment, {"champion": "8c1f02ab77d4\n"}),
        (Deployment, {"challengers": ["../../../etc/a"]}),
        (Deployment, {"standby": "..", "why": "so"}),
        (Deployment, {"model": "../naive"}),
        (Deployment, {"why": "y" * 10_001}),
        (Drift, {"detail": "y" * 10_001}),
        (Alert, {"message": "y" * 10_001}),
        (DeadLetter, {"reason": "y" * 10_001}),
        (Gap, {"reason": "y" * 10_001}),
        (Tick, {"venue": "bin\x1b[2Jance"}),
        (Tick, {"trade_id": "17\n"}),
        (Tick, {"symbol": "EVIL\n"}),
        (Tick, {"amount": 1e-300}),
        (Tick, {"price": 1e13}),
        (Tick, {"time": 1_700_000_040}),
        (Bar, {"interval": "1m\n"}),
        (Bar, {"volume": 1e300}),
        (Bar, {"buy_volume": -1.0}),
        (Bar, {"quote_volume": 1e300}),
        (Bar, {"open": 6.9e-310, "high": 6.9e-310, "low": 6.9e-310, "close": 6.9e-310}),
        (Bar, {"lead_return": 1e300}),
        (Bar, {"suspect": "y" * 10_001}),
        (Outcome, {"realised": 1e300}),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_beyond_a_limit_is_refused(record: type[Struct], changes: dict[str, Any]) -> None:
    built = msgspec.to_builtins(SAMPLES[record])
    frame = reads(json.dumps([built | changes, built]).encode(), record)
    assert frame.records == [SAMPLES[record]]
    assert [part.row for part in frame.rejected] == [0]
    assert len(frame.rejected[0].reason) < 1_000


# --- times -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_a_time_ahead_of_the_clock_rejects_its_own_row_alone(record: type[Struct]) -> None:
    """Case 24: one row of the year 2100, and every later one of its symbol was not newer."""
    name = "end" if record is Gap else "time"
    far = msgspec.structs.replace(SAMPLES[record], **{name: 4_102_444_800_000})
    frame = reads(codec.encode([SAMPLES[record], far, SAMPLES[record]]), record, latest=NOW)
    assert frame.records == [SAMPLES[record]] * 2
    assert [(part.row, "later than allowed" in part.reason) for part in frame.rejected] == [(1, True)]
    assert len(reads(codec.encode([far]), record).records) == 1, "nobody told the clock"


@pytest.mark.parametrize("build", [lambda x: Tick("A", T, x, 1.0), lambda x: Bar("A", "1m", T, x, x, x, x, None)])
@pytest.mark.parametrize("price", [6.9e-310, 1e-300, 9e-13, 1.1e12, 1e300, math.inf, math.nan, 0.0, -1.0])
def test_no_price_beyond_the_limits_can_be_built(build: Callable[[float], Struct], price: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        build(price)


@pytest.mark.parametrize("letter", ["x", "\u00e9", "\U0001f4a9"])
@pytest.mark.parametrize(
    "made",
    [
        lambda key: Regime(symbol="A", interval="1m", time=T, state="calm", posterior={"calm": 0.5, key: 0.5}),
        lambda key: Prediction(
            symbol="A",
            interval="1m",
            time=T,
            model="m",
            version=V,
            fingerprint=V,
            price=1.5,
            forecasts=[Forecast(horizon=1), Forecast(horizon=5, weights={key: 0.5})],
        ),
        lambda key: Deployment(
            model="m", number=1, action="serve", champion=None, fingerprint=V, time=T, evidence={key: 1.0}
        ),
    ],
)
def test_a_mapping_with_a_key_over_200_characters_is_rejected_and_not_cached(
    made: Callable[[str], Struct], letter: str
) -> None:
    good, long = made(letter * 200), made(letter * 201)
    frame = codec.decode(codec.encode([good, long, good]), type(good))
    assert frame.records == [good, good]
    assert [(part.row, part.reason.partition(" - at")[0]) for part in frame.rejected] == [
        (1, "Expected `str` of length <= 200")
    ]
