"""The API's server: ``python -m api.serve``."""

import argparse
import logging
import socket

import uvicorn

from api.app import make_app
from api.hub import Hub
from api.tokens import Tokens
from settings import Settings
from stream import logs

HOST = "127.0.0.1"
STOP_S = 5
STALLED_MS = 120_000


class Server(uvicorn.Server):
    """A server that ends its streams when it is to stop: it would wait for them."""

    def __init__(self, config: uvicorn.Config, hub: Hub) -> None:
        super().__init__(config)
        self._hub = hub

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop."""
        self._hub.end_streams()
        await super().shutdown(sockets)


def listen(address: str, port: int) -> socket.socket:
    """Return a socket that listens; what it accepts is closed where a client takes nothing for `STALLED_MS`.

    Raises OSError where the port is taken.
    """
    found = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, STALLED_MS)
    found.bind((address, port))
    found.listen(256)
    return found


def serve(settings: Settings, port: int, address: str = HOST) -> None:
    """Serve until SIGTERM or Ctrl-C. Raises SystemExit with a line where the port is taken."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # a Kafka that does not answer is told by the hub
    app = make_app(settings)
    Tokens(settings.home.resolve()).local()
    try:
        found = listen(address, port)
    except (OSError, OverflowError) as error:
        raise SystemExit(f"the API cannot listen on {address}, port {port}: {error}") from None
    with found:
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,  # the log would hold what everyone asks; /metrics counts it
            server_header=False,
            ws="websockets-sansio",
            ws_max_size=4_096,  # clients have nothing to say
            ws_ping_interval=None,  # an answer waits behind what a slow client has not read: it would be cut off
            timeout_graceful_shutdown=STOP_S,
        )
        print(f"api on http://{address}:{found.getsockname()[1]}/", flush=True)  # noqa: T201 - where it is
        Server(config, app.state.hub).run(sockets=[found])


def main() -> None:
    """Serve what the settings say."""
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
