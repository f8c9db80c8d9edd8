"""The rate limit and the back-off, as pure functions."""

from hypothesis import given
from hypothesis import strategies as st

from alerts.channel import Message, summary_id
from alerts.delivery.rate_limit import Bucket, back_off, turn
from topics.records import Alert


def test_a_bucket_fills_with_time_up_to_its_burst() -> None:
    bucket = Bucket(60, 5, 0.0, 100.0)
    assert bucket.wait() == 1.0
    assert bucket.filled(102.5).tokens == 2.5
    assert bucket.filled(1_000).tokens == 5
    assert bucket.filled(50).tokens == 0
    assert bucket.filled(102.5).less(2).tokens == 0.5


def test_the_last_token_is_for_a_summary_where_more_than_one_waits() -> None:
    full = Bucket(6, 10, 10.0, 0.0)
    assert turn(full, 3, True) == (3, False)
    assert turn(full, 500, True) == (9, False)
    assert turn(full.less(9), 491, True) == (0, True)
    assert turn(full.less(9), 1, True) == (1, False)
    assert turn(full.less(10), 491, True) == (0, False)
    assert turn(full, 500, False) == (10, False)
    assert turn(full, 0, True) == (0, False)


@given(
    st.floats(1, 600),
    st.integers(1, 50),
    st.booleans(),
    st.lists(st.tuples(st.floats(0, 30), st.integers(0, 40)), min_size=1, max_size=60),
)
def test_messages_never_exceed_the_rate_and_no_alert_is_lost(
    per_minute: float, burst: int, summarise: bool, arrivals: list[tuple[float, int]]
) -> None:
    bucket, waiting, sent, reporter, now = Bucket(per_minute, burst, float(burst), 0.0), 0, 0, 0, 0.0
    for pause, new in arrivals:
        now += pause
        waiting += new
        bucket = bucket.filled(now)
        while (out := turn(bucket, waiting, summarise)) != (0, False):
            gone, messages = (waiting, 1) if out.summary else (out.singly, out.singly)
            bucket, waiting, sent, reporter = bucket.less(messages), waiting - gone, sent + messages, reporter + gone
            assert bucket.tokens > -1e-6
    assert sent <= burst + now * per_minute / 60 + 1e-6
    assert reporter + waiting == sum(new for _, new in arrivals)


@given(st.integers(1, 1_000), st.floats(0, 1))
def test_back_off_grows_to_its_limit_and_never_vanishes(failures: int, drawn: float) -> None:
    assert 0.5 <= back_off(failures, 60, drawn) <= 60
    assert back_off(failures, 60, 0) == min(60, 2 ** (failures - 1))


def test_a_summary_counts_and_names_all_and_its_id_is_made_of_theirs() -> None:
    alerts = tuple(
        Alert(alert_id=f"a{n}", rule=f"rule-{n % 2}", symbol="BTCUSDT", time=n, severity="info", message=f"message {n}")
        for n in range(17)
    )
    ids = [alert.alert_id for alert in alerts]
    summary = Message(summary_id(ids), alerts, "http://127.0.0.1:5006")
    assert summary.title == "17 more alerts"
    assert summary.text.startswith("9 of rule-0, 8 of rule-1. The newest:\nmessage 12\n")
    assert summary.text.endswith("\nmessage 16\nhttp://127.0.0.1:5006/?symbol=BTCUSDT")
    assert summary_id(ids) == summary_id(list(ids)) != summary_id(ids[1:])
