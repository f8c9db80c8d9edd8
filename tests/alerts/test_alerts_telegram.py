"""Telegram through apprise, against a server that speaks its Bot API."""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from telegram import CHAT, TOKEN, Telegram

from alerts.channel import DeliveryResult, Message
from alerts.delivery import deliver_apprise
from alerts.delivery.deliver_apprise import AppriseChannel
from topics.records import Alert

pytestmark = pytest.mark.slow

PAGE = "http://127.0.0.1:5006"
URL = f"tgram://{TOKEN}/{CHAT}/"
WORDS = "BTCUSDT at 64,000.00: gbm forecasts 64,100.00 <b>& more</b>; p_up 60% (above 53%) *_[]()~`>#+-=|{}.! é 漢 🚀"
ALERT = Alert(
    alert_id="up-1-a",
    rule="btc-up",
    symbol="BTCUSDT",
    time=0,
    severity="warning",
    message=WORDS,
    rule_version=1,
    model="gbm",
    interval="1m",
    horizon=15,
)
LINK = f"{PAGE}/?symbol=BTCUSDT&interval=1m&horizon=15&model=gbm"


@pytest.fixture
def telegram(monkeypatch: pytest.MonkeyPatch) -> Iterator[Telegram]:
    with Telegram().listening() as server:
        command = (sys.executable, str(Path(__file__).parent / "apprise_local.py"), server.api)
        monkeypatch.setattr(deliver_apprise, "COMMAND", command)
        yield server


def sent(*messages: Message, url: str = URL) -> list[DeliveryResult]:
    async def every() -> list[DeliveryResult]:
        channel = AppriseChannel(url, True)
        try:
            return [await channel.send(message) for message in messages]
        finally:
            await channel.close()

    return asyncio.run(every())


ONE = Message(ALERT.alert_id, (ALERT,), PAGE)


def test_the_message_arrives_unchanged_with_the_title_and_the_link(telegram: Telegram) -> None:
    assert sent(ONE) == [DeliveryResult()]
    (message,), (text,) = telegram.messages, telegram.texts
    assert message["parse_mode"] == "HTML"
    assert text.splitlines() == ["warning: btc-up BTCUSDT", WORDS, LINK]


def test_the_longest_summary_fits_into_one_message(telegram: Telegram) -> None:
    words = ("<&>" * 200)[:499] + "…"
    alerts = tuple(
        Alert(
            alert_id=f"a{n}",
            rule=f"a-rule-with-a-long-name-{n:036d}",
            symbol="BTCUSDT",
            time=n,
            severity="info",
            message=words,
            rule_version=1,
            model="gbm",
            interval="1m",
            horizon=15,
        )
        for n in range(50)
    )
    assert sent(Message("summary-x", alerts, PAGE)) == [DeliveryResult()]
    (text,) = telegram.texts
    assert text.splitlines()[1].startswith("1 of a-rule")
    assert text.count(words) == 5
    assert text.endswith(LINK)


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        (400, DeliveryResult("Telegram refused it (HTTP 400: Bad Request: chat not found)", refused=True)),
        (401, DeliveryResult("Telegram refused it (HTTP 401: Unauthorized)")),
        (403, DeliveryResult("Telegram refused it (HTTP 403: Forbidden: bot was blocked by the user)")),
        (429, DeliveryResult("Telegram refused it (HTTP 429: Too Many Requests: retry after 7)", after=7.0)),
        (502, DeliveryResult("Telegram refused it (HTTP 502: Bad Gateway)")),
    ],
)
def test_an_error_says_why_and_how_long_to_wait(telegram: Telegram, code: int, answer: DeliveryResult) -> None:
    telegram.errors = [code]
    assert sent(ONE)[0] == answer
    assert telegram.messages == []
    telegram.errors = []
    assert sent(ONE) == [DeliveryResult()]


def test_an_error_of_one_message_is_not_reported_of_the_next(telegram: Telegram) -> None:
    telegram.errors = [429]
    assert sent(ONE, ONE)[1] == DeliveryResult()
    assert len(telegram.texts) == 1


@pytest.mark.usefixtures("telegram")
def test_no_error_contains_the_token() -> None:
    other = f"tgram://987654321:AAbbCCddEEffGGhhIIjjKKllMMnnOOppQQr/{CHAT}/"
    (answer,) = sent(ONE, url=other)
    assert answer.error == "Telegram refused it (HTTP 401: Unauthorized)"
    assert TOKEN.partition(":")[2] not in repr(answer)
