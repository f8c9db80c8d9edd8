"""A stream as Server-Sent Events, and as messages of a WebSocket."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress

import msgspec
from fastapi import WebSocket, WebSocketDisconnect
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from api.access import SUBPROTOCOL, Access
from api.follow import EndedError, Event, TopicSubscription
from api.tokens import Token

RETRY = b"retry: 2000\n\n"
CLOSE = {"behind": 1013, "stopping": 1012, "kafka": 1013, "revoked": 4401, "gone": 4410}
"""The codes with which a WebSocket is closed: try again later, service restart, and ours for 401 and 410."""
REASON_BYTES = 123


def block(event: Event) -> bytes:
    """Return an event as Server-Sent Events write it; without data it only sets the id."""
    if event.note is not None:
        return b"event: note\ndata: %b\n\n" % msgspec.json.encode({"detail": event.note})
    if event.data is None:
        return b"id: %b\n\n" % event.id.encode()
    return b"id: %b\ndata: %b\n\n" % (event.id.encode(), event.data)


def last_block(ended: EndedError) -> bytes:
    """Return the event with the reason for the stream's end."""
    data = msgspec.json.encode({"reason": ended.reason, "detail": ended.detail})
    return b"event: end\ndata: %b\n\n" % data


async def blocks(subscription: TopicSubscription) -> AsyncIterator[bytes]:
    """Yield a stream as Server-Sent Events."""
    yield RETRY
    try:
        async for piece in subscription.events():
            yield b"".join(map(block, piece))
    except EndedError as ended:
        yield last_block(ended)


class EventStream(StreamingResponse):
    """A streaming response, counted among its token's streams while it lasts."""

    def __init__(self, subscription: TopicSubscription, access: Access, token: Token) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        self._stream = blocks(subscription)
        super().__init__(self._stream, media_type="text/event-stream", headers=headers)
        self._access, self._token, self._topic = access, token, subscription.topic.name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream until either side ends it."""
        with self._access.streaming(self._token, self._topic):
            await super().__call__(scope, receive, send)


def message(event: Event) -> str:
    """Return an event as a message: its id, and the record if there is one; or a note."""
    if event.note is not None:
        return msgspec.json.encode({"note": event.note}).decode()
    if event.data is None:
        return f'{{"id":"{event.id}"}}'
    return f'{{"id":"{event.id}","data":{event.data.decode()}}}'


async def talk(socket: WebSocket, subscription: TopicSubscription) -> None:
    """Send a stream over a WebSocket until either side ends it; messages from the client are ignored."""
    await socket.accept(SUBPROTOCOL if SUBPROTOCOL in socket.scope.get("subprotocols", ()) else None)
    works = {asyncio.create_task(_send(socket, subscription)), asyncio.create_task(_until_gone(socket))}
    try:
        done, _ = await asyncio.wait(works, return_when=asyncio.FIRST_COMPLETED)
        for work in done:
            work.result()
    finally:
        for work in works:
            work.cancel()
        await asyncio.gather(*works, return_exceptions=True)


async def _send(socket: WebSocket, subscription: TopicSubscription) -> None:
    with suppress(WebSocketDisconnect):
        try:
            async for piece in subscription.events():
                await _send_each(socket, piece)
        except EndedError as ended:
            text = f"{ended.reason}: {ended.detail}".encode()[:REASON_BYTES].decode(errors="ignore")
            await socket.close(CLOSE[ended.reason], text)


async def _send_each(socket: WebSocket, piece: Sequence[Event]) -> None:
    for event in piece:
        await socket.send_text(message(event))


async def _until_gone(socket: WebSocket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
