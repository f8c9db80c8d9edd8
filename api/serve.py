"""The API's server: ``python -m api.serve``."""

import argparse
import logging
import socket

import uvicorn

from api.app import make_app
from api.hub import Hub
from api.tokens import Tokens
from observability import logs
from settings import Settings

HOST = "127.0.0.1"
STOP_S = 5
STALLED_MS = 120_000


class Server(uvicorn.Server):
    """A server that ends its streams at a stop, since it would wait for them."""

    def __init__(self, config: uvicorn.Config, hub: Hub) -> None:
        super().__init__(config)
        self._hub = hub

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop."""
        self._hub.end_streams()
        await super().shutdown(sockets)


def listen(address: str, port: int) -> socket.socket:
    """Return a listening socket, whose connections are closed if a client reads nothing for `STALLED_MS`. Raises
    OSError if the port is taken.
    """
    result = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    result.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    result.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
        result.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, STALLED_MS)
    result.bind((address, port))
    result.listen(256)
    return result


def serve(settings: Settings, port: int, address: str = HOST) -> None:
    """Serve until SIGTERM or Ctrl-C. Raises SystemExit with a line if the port is taken."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # the hub reports a Kafka that does not answer
    app = make_app(settings)
    Tokens(settings.home.resolve()).local()
    try:
        result = listen(address, port)
    except (OSError, OverflowError) as error:
        raise SystemExit(f"the API cannot listen on {address}, port {port}: {error}") from None
    with result:
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,  # the log would contain all requests; /metrics counts them
            server_header=False,
            ws="websockets-sansio",
            ws_max_size=4_096,  # clients send no data
            ws_ping_interval=None,  # a slow client's pong waits behind unread data, and it would be disconnected
            timeout_graceful_shutdown=STOP_S,
        )
        print(f"api on http://{address}:{result.getsockname()[1]}/", flush=True)  # noqa: T201 - where it is
        Server(config, app.state.hub).run(sockets=[result])


def main() -> None:
    """Serve with the settings."""
    parser = argparse.ArgumentParser(prog="python -m api.serve", description="Serve the Foretick API.")
    parser.add_argument("--port", type=int, help="default: FORETICK_API_PORT, or 8010; 0 takes a free one")
    parser.add_argument(
        "--address", default=HOST, help="where to listen (0.0.0.0 in a container that publishes on loopback)"
    )
    options = parser.parse_args()
    settings = Settings()
    logs.configure("api", settings)
    serve(settings, settings.api_port if options.port is None else options.port, options.address)


if __name__ == "__main__":
    main()
