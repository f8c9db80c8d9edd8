"""What a version before wrote is read as what it is called now, and nothing else is touched."""

import msgspec
import pytest
from msgspec import Struct

from topics import codec
from topics.records import Alert, Deployment, Forecast, ModelEvent, Outcome, Prediction

T = 1_747_526_400_000
FORECAST = Forecast(horizon=5, mean=0.1, scale=0.2, quantiles=None, p_up=0.5, weights={"shadow": 0.5, "role": 0.5})
RECORDS = [
    Prediction(
        symbol="BTCUSDT",
        interval="1m",
        time=T,
        model="shadow",
        version="v1",
        fingerprint="f",
        price=1.0,
        forecasts=[FORECAST],
        regime="shadow",
        role="standby",
    ),
    Outcome("BTCUSDT", "1m", T, "gbm", "v1", 5, T + 300_000, "stale", role="standby"),
    ModelEvent(
        model="gbm",
        version="v1",
        event="loaded",
        fingerprint="f",
        time=T,
        number=3,
        role="standby",
        reason='its "role":"shadow", or "shadow":"x"',
    ),
    Deployment(
        model="gbm",
        number=3,
        action="promote",
        champion="b" * 12,
        fingerprint="f",
        time=T,
        challengers=["c" * 12],
        standby="a" * 12,
        decided_by="user",
        why='"shadow":"x"',
        evidence={"shadow": 0.5},
    ),
    Alert(
        alert_id="a-1-x",
        rule="a",
        symbol="BTCUSDT",
        time=T,
        severity="info",
        message='its "held": 7, and "suppressed":1',
        suppressed=3,
    ),
]


def as_before(value: bytes) -> bytes:
    """Return JSON as the version before wrote it."""
    return (
        value.replace(b'"role":"standby"', b'"role":"shadow"')
        .replace(b'"standby":"aa', b'"shadow":"aa')
        .replace(b'"suppressed":3', b'"held":3')
    )


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_a_record_with_former_names_is_read_as_the_same_record(record: Struct) -> None:
    now = codec.encode_one(record)
    before = as_before(now)
    assert before != now
    spaced = (
        before.replace(b'"shadow"', b' "shadow" ').replace(b'"held":3', b'"held" : 3').replace(b'"role":', b'"role" :')
    )
    for value in (before, spaced, b"[" + before + b",\n" + now + b"]"):
        frame = codec.decode(value, type(record))
        assert not frame.rejected
        assert {*map(codec.encode_one, frame.records)} == {now}


def test_a_part_that_is_no_record_keeps_its_bytes() -> None:
    good = as_before(codec.encode_one(RECORDS[1]))
    bad = good.replace(b'"stale"', b'"odd"')
    frame = codec.decode(b"[" + bad + b"," + good + b"]", Outcome)
    assert frame.records == [RECORDS[1]]
    assert [part.value for part in frame.rejected] == [bad]


def test_a_role_that_was_never_one_is_refused() -> None:
    value = codec.encode_one(RECORDS[1]).replace(b'"standby"', b'"shadows"')
    (part,) = codec.decode(value, Outcome).rejected
    assert "role" in part.reason


def test_the_schema_has_the_names_of_now() -> None:
    for record in RECORDS:
        schema = msgspec.json.encode(codec.schema(type(record)))
        assert not any(name in schema for name in (b'"shadow"', b'"held"'))
