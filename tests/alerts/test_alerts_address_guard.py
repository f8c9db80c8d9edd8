"""No message goes to a private address, however it is written, looked up or redirected."""

import asyncio
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from msgspec.structs import replace
from receiver import Receiver

from alerts.channel import Message
from alerts.delivery.address_guard import RefusedError, checked, is_public
from alerts.delivery.deliver_apprise import AppriseChannel
from alerts.delivery.deliver_webhook import Webhook
from alerts.delivery.pinned_transport import client
from alerts.delivery.webhook_signature import new_key
from topics.records import Alert

ALERT = Alert(
    alert_id="big-1-a",
    rule="big",
    symbol="BTCUSDT",
    time=1_750_000_000_000,
    severity="critical",
    message="BTCUSDT moves",
)
PAGE = "http://127.0.0.1:5006"
MESSAGE = Message(ALERT.alert_id, (ALERT,), PAGE)

PRIVATE = (
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "localhost",
    "0.0.0.0",  # noqa: S104 - what is refused
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fc00::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::a00:1",
    "2002:7f00:1::",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "fec0::1",  # site-local, deprecated
    "fec0::1%1",
    "feff:ffff::1",
    "fe80::1%1",
    "2002:a00:1::1",  # 6to4 of 10.0.0.1
    "2002:c0a8:101::1",
    "2002:6440:1::1",  # of 100.64.0.1
    "2002:a9fe:a9fe::1",  # of 169.254.169.254
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::6440:1",
    "::ffff:100.64.0.1",
    "::ffff:192.0.0.9",
    "::10.0.0.1",  # IPv4-compatible
    "::8.8.8.8",
    "0.1.2.3",
    "100.127.255.255",
    "192.0.0.8",
    "192.0.0.9",
    "192.0.0.170",
    "192.88.99.1",
    "198.19.255.255",
    "239.1.2.3",
    "240.0.0.1",
    "ff0e::1",
    "100::1",
    "3fff::1",
    "4000::1",
    "5f00::1",
)


@pytest.mark.parametrize("host", PRIVATE)
def test_a_private_host_is_refused_before_anything_is_sent(host: str) -> None:
    with pytest.raises(RefusedError, match=r"no public address|no address"):
        asyncio.run(checked(host, 443, allow_private=False))


@pytest.mark.parametrize(
    "host", ["93.184.215.14", "8.8.8.8", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_a_public_address_is_not_refused(host: str) -> None:
    assert asyncio.run(checked(host, 443, allow_private=False)) == [host]
    assert is_public(host)


def test_a_link_local_address_is_not_public() -> None:
    assert not is_public("2606:2800:21f:cb07:6820:80da:af6b:8b2c%1")


def test_one_private_answer_among_public_ones_is_enough_to_refuse() -> None:
    async def look_up(_host: str, _port: int) -> list[str]:
        return ["93.184.215.14", "10.0.0.1"]

    with pytest.raises(RefusedError, match=r"shop\.example is at 10\.0\.0\.1"):
        asyncio.run(checked("shop.example", 443, False, look_up))


class Rebinding:
    """A name server that answers otherwise the second time."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)

    async def __call__(self, _host: str, _port: int) -> list[str]:
        return [self.answers.pop(0)]


def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    """The second answer would be nobody's: asked for twice, the request would fail."""
    look_up = Rebinding("127.0.0.1", "127.0.0.99")

    async def post(port: int) -> httpx.Response:
        async with client(True, look_up) as http:
            return await http.post(f"http://rebind.example:{port}/x", content=b"{}")

    with Receiver().listening() as receiver:
        assert asyncio.run(post(receiver.port)).status_code == 200
        assert receiver.requests[0][0]["host"] == f"rebind.example:{receiver.port}"
    assert look_up.answers == ["127.0.0.99"]


def test_a_name_that_turns_private_later_is_refused_later() -> None:
    channel = Webhook("http://rebind.example:1/x", new_key(), False, Rebinding("127.0.0.1"))
    answer = asyncio.run(send(channel))
    assert answer is not None
    assert answer.startswith("rebind.example is at 127.0.0.1, which is no public address")


async def send(channel: Webhook | AppriseChannel) -> str | None:
    try:
        return (await channel.send(MESSAGE)).error
    finally:
        await channel.close()


def hooks(url: str, allow_private: bool) -> list[Callable[[], Webhook | AppriseChannel]]:
    return [
        lambda: Webhook(url, new_key(), allow_private),
        lambda: AppriseChannel(url.replace("http://", "json://user:sesame@"), allow_private),
        lambda: AppriseChannel(url.replace("http://", "xml://"), allow_private),
        lambda: AppriseChannel(url.replace("http://", "form://"), allow_private),
    ]


@pytest.mark.parametrize("which", range(4))
def test_a_private_address_is_sent_to_only_where_the_setting_allows_it(which: int) -> None:
    with Receiver().listening() as receiver:
        assert asyncio.run(send(hooks(receiver.url, True)[which]())) is None
        assert len(receiver.requests) == 1
        error = asyncio.run(send(hooks(receiver.url, False)[which]()))
        assert error is not None
        assert "no public address" in error
        assert "FORETICK_ALERTS_ALLOW_PRIVATE" in error
        assert "secret" not in error
        assert "sesame" not in error
        assert len(receiver.requests) == 1


def test_a_service_that_sends_html_escapes_what_an_alert_says() -> None:
    """As mail does by default."""
    hostile = replace(ALERT, message="<img src=x onerror=alert(1)>")
    with Receiver().listening() as receiver:
        channel = AppriseChannel(receiver.url.replace("http://", "json://") + "?format=html", True)

        async def deliver() -> None:
            try:
                assert (await channel.send(Message(hostile.alert_id, (hostile,), PAGE))).error is None
            finally:
                await channel.close()

        asyncio.run(deliver())
        _, body = receiver.requests[0]
    assert b"&lt;img" in body
    assert b"<img" not in body


@pytest.mark.parametrize("which", range(4))
def test_redirects_are_not_followed(which: int) -> None:
    with Receiver().listening() as receiver:
        receiver.answers = [307]
        assert asyncio.run(send(hooks(receiver.url, True)[which]())) is not None
        assert receiver.requests == []


def test_tls_is_verified_for_the_host_and_not_for_the_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=hook.example"]
    make += ["-addext", "subjectAltName=DNS:hook.example", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(make, check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    async def post(host: str, port: int) -> int:
        async with client(True, Rebinding("127.0.0.1")) as http:
            return (await http.post(f"https://{host}:{port}/x", content=b"{}")).status_code

    with Receiver(tls=tls).listening() as receiver:
        assert asyncio.run(post("hook.example", receiver.port)) == 200
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            asyncio.run(post("other.example", receiver.port))


def test_a_service_that_is_down_or_unreadable_is_an_error_without_its_address() -> None:
    for channel in (
        AppriseChannel("json://user:sesame@127.0.0.1:1/secret", True),
        AppriseChannel("nothing://sesame", True),
        Webhook("http://127.0.0.1:1/secret?token=sesame", new_key(), True),
    ):
        error = asyncio.run(send(channel))
        assert error is not None
        assert "secret" not in error
        assert "sesame" not in error
