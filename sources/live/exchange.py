"""A venue through ccxt: opened, listened to, disconnected. ccxt is unmodified: our class is a mixin before its own."""

import difflib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

import ccxt.pro
from aiohttp import WSMessage
from ccxt.async_support.base.exchange import Exchange

from sources.errors import SourceError

TRADES_KEPT = 20_000
"""Trades of a symbol that ccxt caches between two reads; an overflow is a missing range, which is requested."""


class Listener(Protocol):
    """The listener of a venue's connections."""

    def connected(self, keys: Sequence[str]) -> None:
        """A connection was made; `keys` are ccxt's names of what is watched over it."""

    def message(self, url: str, message: Any) -> None:
        """A message arrived, and ccxt has read it."""

    def unreadable(self, url: str, raw: bytes, reason: str) -> None:
        """A message could not be read, and the connection is closed."""


class ListeningExchange(Exchange):  # type: ignore[misc, unused-ignore] # ccxt has no types
    """A mixin before ccxt's class of a venue, which notifies a listener."""

    foretick_listener: Listener | None = None

    def client(self, url: str) -> Any:
        """Return the connection of a URL, as ccxt does.

        A message that ccxt cannot read ends its loop of reading, and the connection would be silent ever after: so we
        stand around its handler, and give such a connection up.
        """
        known = url in self.clients
        client = super().client(url)
        if not known:
            client.handle_message = partial(self._guarded, client, client.handle_message)
        return client

    def handle_message(self, client: Any, message: Any) -> None:
        """Let ccxt read a message, then notify the listener."""
        super().handle_message(client, message)
        if self.foretick_listener is not None:
            self.foretick_listener.message(client.url, message)

    def on_connected(self, client: Any, message: Any = None) -> None:
        """Tell of a new connection."""
        super().on_connected(client, message)
        if self.foretick_listener is not None:
            self.foretick_listener.connected(keys_of(client))

    def on_close(self, client: Any, error: Any) -> None:
        """Make ccxt drop a closed connection; called twice, it would drop the connection's replacement."""
        if self.clients.get(client.url) is client:
            super().on_close(client, error)

    def _guarded(self, client: Any, handle: Callable[[WSMessage], None], message: WSMessage) -> None:
        try:
            handle(message)
        except Exception as error:  # noqa: BLE001 - whatever a venue sends, ccxt's 79 parsers may raise anything
            reason = f"a message cannot be read: {type(error).__name__}: {error}"
            raw = message.data if isinstance(message.data, bytes) else str(message.data).encode()
            if self.foretick_listener is not None:
                self.foretick_listener.unreadable(client.url, raw, reason)
            client.on_error(ccxt.NetworkError(reason))


def keys_of(client: Any) -> list[str]:
    """Return ccxt's names of what is watched over a connection."""
    return [str(key) for key in (*client.futures, *client.subscriptions)]


def cut(exchange: Any, unified: str, reason: str) -> None:
    """Close the connections of a symbol; all, if ccxt's names do not identify them."""
    clients = list(exchange.clients.values())
    over = [client for client in clients if any(unified in key for key in keys_of(client))]
    for client in over or clients:
        client.on_error(ccxt.NetworkError(reason))


def make(name: str, gateway: str = "") -> Any:
    """Return the venue of that name at ccxt, not connected yet.

    `gateway` is where to go instead of to the venue's own hosts: its address becomes the beginning of each path, as in
    ``http://gateway/api.binance.com/api/v3``. Raises SourceError if ccxt has no such venue, or none that streams.
    """
    streaming = [venue for venue in ccxt.pro.exchanges if venue in ccxt.exchanges]
    if name not in streaming:
        near = difflib.get_close_matches(name.lower(), streaming, 3, 0.5) or ["binance", "coinbase", "kraken"]
        raise SourceError(f"ccxt streams no venue {name!r}; did you mean {', '.join(near)}?")
    exchange = type(name, (ListeningExchange, getattr(ccxt.pro, name)), {})({"enableRateLimit": True})
    if not exchange.has["watchTrades"]:
        raise SourceError(f"ccxt has no stream of {name}'s trades")
    exchange.options["tradesLimit"] = TRADES_KEPT
    if gateway:
        exchange.urls["api"] = through(gateway, exchange.urls["api"])
    return exchange


def through(gateway: str, urls: Any) -> Any:
    """Return ccxt's URLs (texts in dicts) led through a gateway.

    >>> through("http://127.0.0.1:80", {"ws": "wss://stream.binance.com:9443/ws"})
    {'ws': 'ws://127.0.0.1:80/stream.binance.com:9443/ws'}
    """
    if isinstance(urls, dict):
        return {name: through(gateway, part) for name, part in urls.items()}
    if not isinstance(urls, str) or "://" not in urls:
        return urls
    scheme, rest = urls.split("://", 1)
    to = gateway.rstrip("/")
    return f"{to.replace('http', 'ws', 1) if scheme.startswith('ws') else to}/{rest}"
