"""The blocks of docs/alerts.md: the lines that verify a signature run against a delivery, the alert is one of ours."""

import asyncio
import calendar
import math
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from receiver import Receiver

from alerts.channel import Message
from alerts.delivery.deliver_webhook import Webhook
from alerts.delivery.webhook_signature import new_key
from alerts.rules.fold import State, step
from alerts.rules.observation import observations
from alerts.rules.rule import Rule, When
from settings import ROOT
from topics.records import Alert, Forecast, Prediction

KEY = new_key()
ALERT = Alert(
    alert_id="big-1-a",
    rule="big",
    symbol="CAFÉUSDT",
    time=1_750_000_000_000,
    severity="critical",
    message="CAFÉUSDT moves",
    interval="1m",
)


def documented() -> Callable[..., bool]:
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "alerts.md").read_text(), re.DOTALL)
    assert len(block.splitlines()) <= 12
    known: dict[str, Any] = {}
    exec(block, known)  # noqa: S102 - our own documentation
    is_genuine: Callable[..., bool] = known["is_genuine"]
    return is_genuine


@pytest.fixture(scope="module")
def delivered() -> tuple[dict[str, str], bytes]:
    async def send(url: str) -> None:
        webhook = Webhook(url, KEY, True)
        assert (await webhook.send(Message(ALERT.alert_id, (ALERT,), "http://127.0.0.1:5006"))).error is None
        await webhook.close()

    with Receiver().listening() as receiver:
        asyncio.run(send(receiver.url))
        (request,) = receiver.requests
        return request


def test_the_documented_verification_accepts_our_webhook(delivered: tuple[dict[str, str], bytes]) -> None:
    headers, body = delivered
    assert documented()(KEY, headers, body)
    twice = headers | {"webhook-signature": f"v1,AAAA {headers['webhook-signature']}"}
    assert documented()(KEY, twice, body)


@pytest.mark.parametrize(
    "changed",
    [
        {"body": b" "},
        {"webhook-id": "other"},
        {"webhook-timestamp": str(int(time.time()) - 10)},
        {"webhook-timestamp": str(int(time.time()) - 301)},
        {"webhook-timestamp": "soon"},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,é"},
        {"key": new_key()},
    ],
)
def test_the_documented_verification_rejects_whatever_was_changed(
    changed: dict[str, Any], delivered: tuple[dict[str, str], bytes]
) -> None:
    headers, body = delivered
    rest = {name: value for name, value in changed.items() if name.startswith("webhook-")}
    assert not documented()(changed.get("key", KEY), headers | rest, body + changed.get("body", b""))


def test_a_request_without_a_signature_is_not_taken(delivered: tuple[dict[str, str], bytes]) -> None:
    _, body = delivered
    assert not documented()(KEY, {}, body)


def test_the_documented_message_is_the_one_that_is_made() -> None:
    page = (ROOT / "docs" / "alerts.md").read_text()
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    (block,) = (text for language, text in blocks if not language)
    price = 104_312.5
    low, middle, high = (math.log(quantile / price) for quantile in (104_120.03, 104_330.12, 104_541.77))
    quantiles = [low, low, low, middle, high, high, high]
    made = calendar.timegm((2025, 6, 2, 12, 0, 0)) * 1_000
    forecast = Forecast(horizon=15, mean=middle, scale=0.001, quantiles=quantiles, p_up=0.54)
    rule = Rule(name="btc-up", on="prediction", when=When("above", "p_up", 0.53), symbols=("BTCUSDT",), horizon=15)
    (seen,) = observations(
        rule,
        Prediction(
            symbol="BTCUSDT",
            interval="1m",
            time=made,
            model="gbm",
            version="v1",
            fingerprint="f",
            price=price,
            forecasts=[forecast],
        ),
    )
    _, alert = step(rule, State(), seen)
    assert alert is not None
    message = Message(alert.alert_id, (alert,), "http://127.0.0.1:5006")
    assert f"{message.title}\n{message.text}\n" == block
