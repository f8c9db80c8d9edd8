"""A webhook's other side: a real HTTP server on the loopback interface, in a thread, that can be told to fail."""

import ssl
from collections import Counter
from typing import Any

import msgspec
from aiohttp import web
from threaded import Threaded


class Receiver(Threaded):
    """Takes what is posted. `answers` are the statuses of the next answers; when they are used up it is 200."""

    def __init__(self, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        super().__init__()
        self.port = port
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self._tls = tls

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        if self.answers:
            status = self.answers.pop(0)
            if status != 200:
                return web.Response(status=status, headers={"location": f"http://127.0.0.1:{self.port}/elsewhere"})
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append((headers | {"path": request.path}, body))
        return web.Response()

    async def _start(self) -> None:
        app = web.Application(client_max_size=16_777_216)
        app.router.add_post("/{path:.*}", self._take)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=self._tls, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def _stop(self) -> None:
        await self._runner.cleanup()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook/secret-path"

    def documents(self) -> list[dict[str, Any]]:
        """Return what was posted, decoded."""
        return [msgspec.json.decode(body) for _, body in self.requests]

    def alert_ids(self) -> Counter[str]:
        """Return how often each alert came, alone or in a summary."""
        return Counter(alert["alert_id"] for document in self.documents() for alert in document["alerts"])
