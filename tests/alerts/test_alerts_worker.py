"""The alerts worker on the real Kafka, TimescaleDB and Redis, with real receivers."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from functools import partial

import psycopg
import pytest
import redis
from alert_records import MINUTE, prediction
from alert_runs import TAKES_EFFECT_S, Alerts, matches
from receiver import Receiver

from alerts.delivery.webhook_signature import verify
from alerts.store import mutes, user_changes
from alerts.subscriber import Mute
from stack.row_counts import Undelivered, undelivered

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timeout(600)]


def test_an_alert_reaches_the_topic_the_table_redis_and_a_webhook_once(alerts: Alerts) -> None:
    with Receiver().listening() as receiver, redis.Redis.from_url(alerts.servers.redis_url) as client:
        heard = client.pubsub(ignore_subscribe_messages=True)
        heard.subscribe("foretick:alerts", "foretick:alerts:ONE0")
        heard.get_message(timeout=5)
        heard.get_message(timeout=5)
        alerts.add("one", symbols=("ONE*",), cooldown_ms=30 * MINUTE)
        key = alerts.subscribe("one-hook", receiver.url, rules=("one",))
        time.sleep(TAKES_EFFECT_S)
        records = matches(2, 60, "ONE")
        alerts.send([*records, *records, prediction(70, symbol="ONE0", role="challenger")])
        alerts.wait(lambda: len(receiver.requests) == 4, receiver.alert_ids)
        alerts.wait(lambda: len(alerts.made("one")) == 4, lambda: alerts.made("one"))
        alerts.wait(lambda: alerts.deliveries("redis", "one") == {"delivered": 4}, lambda: alerts.deliveries("redis"))
        messages = [heard.get_message(timeout=5) for _ in range(6)]
        heard.close()
    ids = set(alerts.made("one"))
    assert sum(alert.rule == "one" for alert in alerts.on_topic()) == 4
    assert set(receiver.alert_ids()) == ids
    for headers, body in receiver.requests:
        assert verify(key, headers, body, time.time()) in ids
    channels = [message["channel"] for message in messages if message]
    assert (channels.count(b"foretick:alerts"), channels.count(b"foretick:alerts:ONE0")) == (4, 2)


@pytest.mark.long
def test_a_storm_is_cooled_down_limited_summed_up_and_lost_nowhere(alerts: Alerts) -> None:
    """10,000 matches at once: one rule tells all, the other what its cooldown allows."""
    with Receiver().listening() as each, Receiver().listening() as people:
        alerts.add("storm", symbols=("STORM*",))
        alerts.add("calm", symbols=("STORM*",), cooldown_ms=30 * MINUTE)
        alerts.subscribe("each", each.url, rules=("calm",))
        alerts.subscribe("people", people.url, symbols=("STORM*",), per_minute=60, burst=5, summarise=True)
        time.sleep(TAKES_EFFECT_S)
        began = time.monotonic()
        alerts.send(matches(100, 100, "STORM"))
        alerts.wait(lambda: alerts.deliveries("people")["delivered"] == 10_400, lambda: alerts.deliveries("people"))
        took = time.monotonic() - began
        alerts.wait(lambda: alerts.deliveries("each")["delivered"] == 400, lambda: alerts.deliveries("each"))
        alerts.wait(lambda: len(alerts.made("storm")) == 10_000, lambda: len(alerts.made("storm")))
        alerts.wait(lambda: alerts.behind() == 0, alerts.behind)
    assert len(set(alerts.made("calm"))) == len(alerts.made("calm")) == 400
    assert set(each.alert_ids().values()) == {1}
    assert set(each.alert_ids()) == set(alerts.made("calm"))
    fields = people.alert_ids()
    assert set(fields.values()) == {1}
    assert set(fields) == {*alerts.made("calm"), *alerts.made("storm")}
    assert 5 <= len(people.requests) <= 5 + took + 1
    assert {document["type"] for document in people.documents()} == {"alert", "summary"}
    suppressed = alerts.query("SELECT sum(suppressed) FROM alerts WHERE rule = 'calm'")
    assert suppressed == [(100 * (100 - 4 - 9),)]  # the last 9 of each symbol are held back until its next alert


def test_a_subscriber_that_was_down_gets_everything_afterwards_once(alerts: Alerts) -> None:
    with Receiver().listening() as before:
        port = before.port
    alerts.add("down", symbols=("DOWN*",))
    alerts.subscribe("down-hook", f"http://127.0.0.1:{port}/hook", rules=("down",))
    time.sleep(TAKES_EFFECT_S)
    alerts.send(matches(4, 50, "DOWN"))
    alerts.wait(
        lambda: max(alerts.attempts("down-hook").values(), default=0) >= 3, lambda: alerts.attempts("down-hook")
    )
    assert alerts.deliveries("down-hook") == {"waiting": 200}
    errors = alerts.query("SELECT DISTINCT error FROM alert_deliveries WHERE subscriber = 'down-hook' AND attempts > 0")
    assert errors == [("no connection (ConnectError)",)]
    shown = asyncio.run(undelivered(alerts.servers.database_url))["down-hook"]
    assert shown == Undelivered(200, 0, "no connection (ConnectError)")
    with Receiver(port).listening() as receiver:
        receiver.answers = [503, 200, 400, 200, 429]
        alerts.wait(lambda: alerts.deliveries("down-hook")["delivered"] == 200, lambda: alerts.deliveries("down-hook"))
    assert set(receiver.alert_ids()) == set(alerts.made("down"))
    assert set(receiver.alert_ids().values()) == {1}


def test_rules_and_subscribers_change_while_it_runs_and_mutes_hold(alerts: Alerts) -> None:
    with Receiver().listening() as receiver:
        alerts.subscribe("change-hook", receiver.url, symbols=("CHANGE*",))
        alerts.add("change", symbols=("CHANGE*",))
        time.sleep(TAKES_EFFECT_S)
        alerts.send([prediction(0, symbol="CHANGE")])
        for subscriber in ("change-hook", "redis"):
            count = partial(alerts.deliveries, subscriber, "change")
            alerts.wait(lambda count=count: count() == {"delivered": 1}, count)
        with psycopg.connect(alerts.servers.database_url, autocommit=True) as connection:
            until = datetime.now(UTC) + timedelta(hours=1)
            assert mutes.mute(connection, Mute(rule="change", symbol="CHANGE"), until) == 0
        time.sleep(TAKES_EFFECT_S)
        alerts.send([prediction(1, symbol="CHANGE"), prediction(1, symbol="CHANGED")])
        alerts.wait(lambda: alerts.deliveries("change-hook")["muted"] == 1, lambda: alerts.deliveries("change-hook"))
        alerts.wait(lambda: len(receiver.requests) == 2, lambda: receiver.requests)
        with psycopg.connect(alerts.servers.database_url, autocommit=True) as connection:
            assert user_changes.remove_rule(connection, "change")
        time.sleep(TAKES_EFFECT_S)
        alerts.send([prediction(2, symbol="CHANGED")])
        alerts.wait(lambda: alerts.behind() == 0, alerts.behind)
        assert alerts.deliveries("change-hook") == {"delivered": 2, "muted": 1}


@pytest.mark.chaos
def test_killed_in_the_middle_it_makes_each_alert_once_and_explains_each_second_delivery(alerts: Alerts) -> None:
    with Receiver().listening() as receiver:
        alerts.add("killed", symbols=("KILL*",))
        alerts.subscribe("killed-hook", receiver.url, rules=("killed",))
        time.sleep(TAKES_EFFECT_S)
        kills = 0

        def now_and_then(number: int) -> None:
            nonlocal kills
            if number in {2, 5, 8}:
                wanted = len(receiver.requests) + 20
                alerts.wait(lambda: len(receiver.requests) >= wanted, receiver.alert_ids)
                alerts.kill()
                kills += 1

        alerts.send(matches(10, 100, "KILL"), now_and_then)
        alerts.wait(
            lambda: alerts.deliveries("killed-hook")["delivered"] == 1_000, lambda: alerts.deliveries("killed-hook")
        )
        alerts.wait(lambda: len(alerts.made("killed")) == 1_000, lambda: len(alerts.made("killed")))
    on_topic = [alert.alert_id for alert in alerts.on_topic() if alert.rule == "killed"]
    assert len(on_topic) == len(set(on_topic)) == 1_000
    assert set(on_topic) == set(alerts.made("killed"))
    came, attempts = receiver.alert_ids(), alerts.attempts("killed-hook")
    assert set(came) == set(on_topic)
    twice = {alert_id for alert_id, count in came.items() if count > 1}
    assert len(twice) <= kills == 3
    assert all(attempts[alert_id] >= came[alert_id] for alert_id in twice)
    ids = [headers["webhook-id"] for headers, _ in receiver.requests]
    assert len(set(ids)) == 1_000


def test_the_worker_logs_no_address_and_no_key(alerts: Alerts) -> None:
    """The last: all that was said before is in the log."""
    assert "secret-path" not in alerts.log()
    assert "whsec_" not in alerts.log()
    assert "/hook" not in alerts.log()
    assert "Traceback" not in alerts.log()
    stored = alerts.query("SELECT string_agg(s::text, '') FROM alert_subscribers s")[0][0]
    stored += alerts.query("SELECT string_agg(coalesce(error, ''), '') FROM alert_deliveries")[0][0]
    assert "secret-path" not in stored
    assert (alerts.servers.home / "alerts.secrets").stat().st_mode & 0o777 == 0o600
