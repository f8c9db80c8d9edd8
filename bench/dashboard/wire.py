"""A browser as the server sees one: it asks for a page, opens its WebSocket, and speaks Bokeh's protocol.

Bokeh's own client in Python calls itself for each message that it gets, and ends where those are many.
"""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from bokeh.protocol import Protocol
from bokeh.protocol.receiver import Receiver
from bokeh.util.serialization import make_id
from tornado.httpclient import AsyncHTTPClient
from tornado.websocket import WebSocketClientConnection, websocket_connect

TOKEN = re.compile(r'"token":"([^"]+)"')
MOST_BYTES = 100_000_000

Model = Mapping[str, Any]
"""A model of a document as the protocol has it: `name` is its class, `id` and `attributes`."""


class WireSession:
    """An open page."""

    def __init__(self, page: str, socket: WebSocketClientConnection) -> None:
        self._page, self._socket = page, socket
        self._receiver = Receiver(Protocol())

    async def begin(self) -> None:
        """Wait until the server is ready to be asked: its first message says so."""
        await self._message()

    async def models(self) -> list[Model]:
        """Return all models of the page."""
        content = await self._ask("PULL-DOC-REQ", {})
        return list(_models(content["doc"]))

    async def set(self, model: Model, name: str, value: object) -> None:
        """Set a property, as a widget does that is used."""
        await self._patch({"kind": "ModelChanged", "model": {"id": model["id"]}, "attr": name, "new": value})

    async def click(self, model: Model) -> None:
        """Click a button."""
        values = {"type": "map", "entries": [["model", {"id": model["id"]}]]}
        event = {"type": "event", "name": "button_click", "values": values}
        await self._patch({"kind": "MessageSent", "msg_type": "bokeh_event", "msg_data": event})

    async def settle(self) -> None:
        """Wait until the server has taken all that was sent."""
        await self._ask("SERVER-INFO-REQ", {})

    async def listen(self, until: float) -> int:
        """Take all that comes until that time of the monotonic clock; return how many messages it was."""
        count = 0
        try:
            async with asyncio.timeout(until - time.monotonic()):
                while True:
                    await self._message()
                    count += 1
        except TimeoutError:
            return count

    async def _patch(self, event: Mapping[str, object]) -> None:
        await self._send("PATCH-DOC", {"events": [event]})

    async def _send(self, kind: str, content: object) -> str:
        number = make_id()
        for part in ({"msgid": number, "msgtype": kind}, {}, content):
            await self._socket.write_message(json.dumps(part))
        return number

    async def _ask(self, kind: str, content: object) -> Any:
        """Send a request and return the content of its reply; what comes before it is passed over."""
        number = await self._send(kind, content)
        while True:
            message = await self._message()
            if message.msgtype == "ERROR":
                raise SystemExit(f"the server refused what {self._page} sent: {message.content}")
            if message.header.get("reqid") == number:
                return message.content

    async def _message(self) -> Any:
        message = None
        while message is None:
            fragment = await self._socket.read_message()
            if fragment is None:
                raise SystemExit(f"the server has closed {self._page} ({self._socket.close_code})")
            message = await self._receiver.consume(fragment)
        return message


def _models(part: object) -> Iterator[Model]:
    """Yield the models in a part of a document."""
    if isinstance(part, dict):
        if part.get("type") == "object" and "id" in part:
            yield {"name": part["name"], "id": part["id"], "attributes": part.get("attributes", {})}
        for one in part.values():
            yield from _models(one)
    elif isinstance(part, list):
        for one in part:
            yield from _models(one)


@asynccontextmanager
async def opened(address: str, page: str, query: str = "") -> AsyncIterator[WireSession]:
    """Open a page, and close it."""
    reply = await AsyncHTTPClient().fetch(f"{address}/{page}?{query}", request_timeout=60)
    found = TOKEN.search(reply.body.decode())
    if found is None:
        raise SystemExit(f"{page} has no session")
    socket = await websocket_connect(
        f"{address.replace('http', 'ws', 1)}/{page}/ws",
        subprotocols=["bokeh", found[1]],
        max_message_size=MOST_BYTES,
    )
    session = WireSession(page, socket)
    try:
        await session.begin()
        yield session
    finally:
        socket.close()
