"""Why TLS with a broker fails is said in words: aiokafka only says that it cannot bootstrap."""

import asyncio
import contextlib
import ssl
from pathlib import Path

import pytest
from tls_servers import certificates

from broker.tls_refusal import tls_refusal
from settings.broker import Broker
from stack.kafka_user import free_ports


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("certificates")
    certificates(made)
    return made


def asked(folder: Path, ca: str, *, speaks_tls: bool = True) -> str | None:
    """Return the reason that is given at a server which does or does not speak TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not speaks_tls:
            writer.write(b"this is no handshake")
        await asyncio.sleep(0.2)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    async def run() -> str | None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context if speaks_tls else None)
        async with server:
            port = server.sockets[0].getsockname()[1]
            reason = await tls_refusal(Broker(servers=f"127.0.0.1:{port}", security="SASL_SSL", ca=folder / ca))
            await asyncio.sleep(0.3)
            return reason

    return asyncio.run(run())


def test_a_certificate_of_the_authority_that_is_trusted_is_no_reason(folder: Path) -> None:
    assert asked(folder, "ca.pem") is None


def test_a_certificate_of_another_authority_is_the_reason(folder: Path) -> None:
    reason = asked(folder, "stranger.pem")
    assert reason is not None
    assert reason.startswith("its certificate is not trusted: ")


def test_a_server_without_tls_is_the_reason(folder: Path) -> None:
    reason = asked(folder, "ca.pem", speaks_tls=False)
    assert reason is not None
    assert reason.startswith("it does not speak TLS as we do: ")


def test_without_tls_or_without_a_server_there_is_no_such_reason(folder: Path) -> None:
    (port,) = free_ports(1)
    assert asyncio.run(tls_refusal(f"127.0.0.1:{port}")) is None
    assert asyncio.run(tls_refusal(Broker(servers=f"127.0.0.1:{port}", security="SSL", ca=folder / "ca.pem"))) is None
