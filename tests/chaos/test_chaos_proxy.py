"""The proxy of the chaos suite: what it forwards, and how its network fails."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from bench.chaos.proxy import HOST, Proxy


@pytest.fixture
def echo() -> Iterator[int]:
    """Run a server that sends back what it gets; give its port."""
    with socket.create_server((HOST, 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

        def answer(connection: socket.socket) -> None:
            with connection, suppress(ConnectionResetError):
                while block := connection.recv(4_096):
                    connection.sendall(block)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


@pytest.fixture
def proxy(echo: int) -> Iterator[Proxy]:
    """Run a proxy before that server."""
    result = Proxy(lambda: (HOST, echo))
    yield result
    result.close()


def connected(proxy: Proxy) -> socket.socket:
    connection = socket.create_connection((HOST, proxy.port), timeout=10)
    connection.sendall(b"hello")
    assert connection.recv(10) == b"hello"
    return connection


def test_the_proxy_forwards(proxy: Proxy) -> None:
    connected(proxy).close()


def test_a_half_open_network_keeps_the_connection_and_carries_nothing_until_it_thaws(proxy: Proxy) -> None:
    with connected(proxy) as connection:
        proxy.freeze()
        time.sleep(0.2)
        connection.sendall(b"held")
        connection.settimeout(0.5)
        with pytest.raises(TimeoutError):
            connection.recv(10)
        proxy.thaw()
        connection.settimeout(10)
        assert connection.recv(10) == b"held"


def test_a_reset_ends_connections_with_an_error_and_new_ones_are_taken(proxy: Proxy) -> None:
    with connected(proxy) as connection:
        proxy.reset()
        with pytest.raises(ConnectionResetError):
            connection.recv(10)
    connected(proxy).close()


def test_a_refusing_proxy_refuses_connections_until_it_accepts_again(proxy: Proxy) -> None:
    proxy.refuse()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((HOST, proxy.port), timeout=10)
    proxy.accept()
    connected(proxy).close()


@pytest.mark.slow
def test_bandwidth_bounds_what_goes_through(proxy: Proxy) -> None:
    """By order, not by the clock: a small answer on a free connection overtakes a large one on a narrow one."""
    proxy.bytes_per_s = 20_000.0
    done: list[str] = []
    with socket.create_connection((HOST, proxy.port), timeout=30) as wide:

        def much() -> None:
            wide.sendall(b"x" * 40_000)
            left = 40_000
            while left:
                left -= len(wide.recv(left))
            done.append("much")

        thread = threading.Thread(target=much)
        thread.start()
        with socket.create_connection((HOST, proxy.port), timeout=30) as narrow:
            narrow.sendall(b"y")
            assert narrow.recv(1) == b"y"
            done.append("little")
        thread.join(60)
    assert done == ["little", "much"]
