"""Mail through apprise, against a mail server: what arrives, over which transport, and what a refusal says."""

import asyncio
import ssl
import subprocess
from html import unescape
from pathlib import Path

import pytest
from mail import PASSWORD, USER, MailServer, Tls

from alerts.channel import DeliveryResult, Message
from alerts.delivery.address_guard import PrivateError
from alerts.delivery.deliver_apprise import AppriseChannel
from alerts.delivery.subscribe import SubscriptionRequest, prepare
from topics.records import Alert

pytestmark = pytest.mark.slow

PAGE = "http://127.0.0.1:5006"
WORDS = "CAFÉUSDT at 64,000.00: gbm forecasts 64,100.00 <img src=x onerror=alert(1)> & more; p_up 60% (above 53%) 漢 🚀"
ALERT = Alert(
    alert_id="up-1-a",
    rule="btc-up",
    symbol="CAFÉUSDT",
    time=0,
    severity="warning",
    message=WORDS,
    rule_version=1,
    model="gbm",
    interval="1m",
    horizon=15,
)
LINK = f"{PAGE}/?symbol=CAF%C3%89USDT&interval=1m&horizon=15&model=gbm"
ONE = Message(ALERT.alert_id, (ALERT,), PAGE)


def address(port: int, scheme: str = "mailto", more: str = "") -> str:
    to = "from=alerts@example.org&to=me@example.org&smtp=localhost"
    return f"{scheme}://{USER}:{PASSWORD}@localhost:{port}?{to}{more}"


def sent(url: str, message: Message = ONE, allow_private: bool = True) -> DeliveryResult:
    async def one() -> DeliveryResult:
        channel = AppriseChannel(url, allow_private)
        try:
            return await channel.send(message)
        finally:
            await channel.close()

    return asyncio.run(one())


def test_a_mail_has_the_message_the_title_and_the_link(subtests: pytest.Subtests) -> None:
    for form, kind in (("", "plain"), ("&format=html", "html")):
        with subtests.test(kind), MailServer().listening() as server:
            assert sent(address(server.port, more=form)) == DeliveryResult()
            (letter,) = server.letters
            assert (letter.sender, letter.recipients) == ("alerts@example.org", ["me@example.org"])
            message = letter.message
            assert message["subject"] == "warning: btc-up CAFÉUSDT"
            assert message["to"] == "me@example.org"
            assert message["from"].addresses[0].addr_spec == "alerts@example.org"
            assert message["date"] is not None
            assert message["message-id"] is not None
            assert max(map(len, letter.raw.split(b"\r\n"))) <= 998
            body = message.get_body((kind,))
            assert body is not None
            text = body.get_content()
            if kind == "plain":
                assert text.strip().splitlines() == [WORDS, LINK]
            else:
                assert "<img" not in text
                shown = unescape(text.replace("<br/>", "\n")).replace("\xa0", " ")
                assert shown.splitlines() == [WORDS, LINK]


def certificate(folder: Path) -> ssl.SSLContext:
    key, result = folder / "key.pem", folder / "certificate.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    make += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(result)]
    subprocess.run(make, check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(result, key)
    return tls


@pytest.mark.parametrize(("tls", "mode"), [("starttls", "starttls"), ("implicit", "ssl")])
def test_mailtos_is_encrypted_and_the_certificate_is_checked(
    tls: Tls, mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with MailServer(tls, certificate(tmp_path)).listening() as server:
        url = address(server.port, "mailtos", more=f"&mode={mode}")
        assert sent(url).error == "E-Mail refused it"  # signed by nobody that this machine trusts
        assert server.letters == []
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
        assert sent(url) == DeliveryResult()
        assert [letter.encrypted for letter in server.letters] == [True]


@pytest.mark.parametrize(
    ("refusal", "answer"),
    [
        ("450 4.2.1 mailbox busy", DeliveryResult("E-Mail refused it (SMTP 450)")),
        ("550 5.1.1 no such user", DeliveryResult("E-Mail refused it (SMTP 550)")),
        ("554 5.7.1 spam", DeliveryResult("E-Mail refused it (SMTP 554)", refused=True)),
    ],
)
def test_a_refusal_of_the_mail_server_is_told_by_its_code(refusal: str, answer: DeliveryResult) -> None:
    with MailServer().listening() as server:
        server.refusals = [refusal]
        assert sent(address(server.port)) == answer
        assert server.letters == []


def test_a_wrong_password_and_a_server_that_is_away_are_told_without_the_password() -> None:
    with MailServer().listening() as server:
        assert sent(address(server.port).replace(PASSWORD, "tops3cret")) == DeliveryResult(
            "E-Mail refused it (SMTP 535)"
        )
        port = server.port
    assert sent(address(port)) == DeliveryResult("E-Mail refused it")


def test_a_mail_server_on_a_private_address_is_refused_when_it_is_named_and_when_it_is_sent_to() -> None:
    def subscribed(url: str, allow_private: bool) -> str:
        request = SubscriptionRequest("me", {"apprise": url}, (), (), "info")
        return asyncio.run(prepare(request, None, None, None, None, allow_private))[0].target

    with MailServer().listening() as server:
        url = address(server.port)
        error = sent(url, allow_private=False).error
        assert error is not None
        assert error.startswith(
            "E-Mail is at no public address; an alerts worker that is started with FORETICK_ALERTS_"
        )
        assert server.letters == []
        with pytest.raises(PrivateError, match="E-Mail is at no public address"):
            subscribed(url, False)
        assert subscribed(url, True) == "mailto://… (E-Mail)"
    assert subscribed("tgram://123456789:AAbbCCddEEffGGhhIIjjKKllMMnnOOppQQr/-100123/", False) == "tgram://… (Telegram)"
