"""A webhook's other side: a real HTTP server on the loopback interface, in a thread, that can be told to fail."""

import asyncio
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from aiohttp import web


class Receiver:
    """Takes what is posted. `answers` are the statuses of the next answers; when they are used up it is 200."""

    def __init__(self, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.port = port
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self._tls, self._ready = tls, threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        if self.answers:
            status = self.answers.pop(0)
            if status != 200:
                return web.Response(status=status, headers={"location": f"http://127.0.0.1:{self.port}/elsewhere"})
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append((headers | {"path": request.path}, body))
        return web.Response()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._start())
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._runner.cleanup())
        self._loop.close()

    async def _start(self) -> None:
        app = web.Application(client_max_size=16_777_216)
        app.router.add_post("/{path:.*}", self._take)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=self._tls, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    @contextmanager
    def listening(self) -> Iterator["Receiver"]:
        """Listen, until the block ends."""
        self._thread.start()
        assert self._ready.wait(30)
        try:
            yield self
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(30)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook/secret-path"

    def documents(self) -> list[dict[str, Any]]:
        """Return what was posted, decoded."""
        return [msgspec.json.decode(body) for _, body in self.requests]

    def alert_ids(self) -> Counter[str]:
        """Return how often each alert came, alone or in a summary."""
        return Counter(alert["alert_id"] for document in self.documents() for alert in document["alerts"])
