"""Signed webhooks, as Standard Webhooks has them."""

import asyncio
import time

import msgspec
import pytest
from receiver import Receiver

from alerts.channel import Message
from alerts.delivery.deliver_webhook import Webhook, shown, split
from alerts.delivery.webhook_signature import headers, new_key, verify
from topics.records import Alert

PAGE = "http://127.0.0.1:5006"
BODY, KEY = b'{"test": 2432232314}', "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_the_published_example_has_the_published_signature() -> None:
    signed = headers(KEY, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, BODY)
    assert signed["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_what_was_signed_is_verified_and_what_was_changed_is_not() -> None:
    key, now = new_key(), 1_750_000_000
    signed = headers(key, "a", now, BODY)
    assert verify(key, signed, BODY, now + 299) == "a"
    rotated = signed | {"webhook-signature": "v1,AAAA " + signed["webhook-signature"]}
    assert verify(key, rotated, BODY, now) == "a"
    for values, body, at, why in (
        (signed, BODY + b" ", now, "not of this key and body"),
        (signed | {"webhook-id": "b"}, BODY, now, "not of this key and body"),
        (signed | {"webhook-timestamp": str(now + 1)}, BODY, now, "not of this key and body"),
        (signed, BODY, now + 301, "signed more than 300 s ago"),
        (signed, BODY, now - 301, "signed more than 300 s ago"),
        ({}, BODY, now, "not signed"),
        (signed | {"webhook-timestamp": "soon"}, BODY, now, "not signed"),
    ):
        with pytest.raises(ValueError, match=why):
            verify(key, values, body, at)
    with pytest.raises(ValueError, match="not of this key"):
        verify(new_key(), signed, BODY, now)


def test_a_webhook_carries_the_alert_its_id_and_a_signature() -> None:
    alert = Alert(
        alert_id="big-1-a",
        rule="big",
        symbol="BTCUSDT",
        time=1_750_000_000_000,
        severity="critical",
        message="BTCUSDT moves",
        value=0.002,
    )
    key = new_key()

    async def send(url: str) -> str | None:
        webhook = Webhook(url, key, True)
        answer = await webhook.send(Message(alert.alert_id, (alert,), PAGE))
        await webhook.close()
        return answer.error

    with Receiver().listening() as receiver:
        assert asyncio.run(send(receiver.url)) is None
        ((values, body),) = receiver.requests
    assert verify(key, values, body, time.time()) == alert.alert_id == values["idempotency-key"]
    document = msgspec.json.decode(body)
    assert (document["type"], document["text"]) == ("alert", f"BTCUSDT moves\n{PAGE}/?symbol=BTCUSDT")
    assert document["link"] == f"{PAGE}/?symbol=BTCUSDT"
    assert msgspec.convert(document["alerts"], list[Alert]) == [alert]


@pytest.mark.parametrize(("status", "refused"), [(500, False), (503, False), (429, False), (400, True), (410, True)])
def test_a_refusal_tells_whether_others_may_go_through(status: int, refused: bool) -> None:
    alert = Alert(alert_id="big-1-a", rule="big", symbol="BTCUSDT", time=1, severity="info", message="m")

    async def send(url: str) -> tuple[str | None, bool]:
        webhook = Webhook(url, new_key(), True)
        answer = await webhook.send(Message(alert.alert_id, (alert,), PAGE))
        await webhook.close()
        return answer.error, answer.refused

    with Receiver().listening() as receiver:
        receiver.answers = [status]
        assert asyncio.run(send(receiver.url)) == (f"HTTP {status}", refused)


def test_what_is_shown_of_an_address_holds_no_path() -> None:
    assert shown("https://user:pass@hook.example/T0/B1?token=x") == "https://hook.example/…"
    assert shown("http://hook.example:8080/x") == "http://hook.example:8080/…"
    for wrong in (
        "ftp://hook.example",
        "https://",
        "hook.example/secret",
        "http://[::1/secret",
        "http://a:99999/secret",
    ):
        with pytest.raises(ValueError, match="address") as error:
            split(wrong)
        assert "secret" not in str(error.value)
