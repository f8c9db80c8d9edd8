"""A TCP proxy whose network can be made to fail: between the components and one server of the stack."""

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from typing import Any

HOST = "127.0.0.1"
BLOCK = 65_536
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER with no time to linger: closing sends RST, as a machine does that has forgotten the connection."""


class Proxy:
    """Forwards to `target()`, asked anew for each connection, from a port of its own. Runs in a thread of its own.

    `latency_s` is added to each block, `bytes_per_s` (0: any) bounds each direction of each connection; while `frozen`
    connections stay open and nothing is forwarded (a half-open network); while `refusing` nobody listens at the port.
    """

    def __init__(self, target: Callable[[], tuple[str, int]]) -> None:
        self.latency_s, self.bytes_per_s = 0.0, 0.0
        self._target = target
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self._thread.start()
        with socket.socket() as free:
            free.bind((HOST, 0))
            self.port = int(free.getsockname()[1])
        self._do(self._listen())

    def freeze(self) -> None:
        """Forward nothing more; connections stay open, and new ones are taken."""
        self._loop.call_soon_threadsafe(self._flowing.clear)

    def thaw(self) -> None:
        """Forward again, first what was held back."""
        self._loop.call_soon_threadsafe(self._flowing.set)

    def reset(self) -> None:
        """End every connection with RST."""
        self._do(self._reset())

    def refuse(self) -> None:
        """Stop listening, and end every connection."""
        self._do(self._refuse())

    def accept(self) -> None:
        """Listen again."""
        self._do(self._listen())

    def close(self) -> None:
        """Stop for good."""
        self._do(self._refuse())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        self._loop.run_forever()
        self._loop.run_until_complete(self._end())
        self._loop.close()

    async def _end(self) -> None:
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, HOST, self.port, limit=BLOCK)

    async def _refuse(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        await self._reset()

    async def _reset(self) -> None:
        for writer in list(self._writers):
            connection = writer.get_extra_info("socket")
            if connection is not None:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            upstream, to_server = await asyncio.open_connection(*self._target(), limit=BLOCK)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, to_server}
        self._writers |= both
        pumps = self._pump(reader, to_server), self._pump(upstream, writer)
        tasks = [asyncio.ensure_future(pump) for pump in pumps]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            self._writers -= both
            for one in both:
                one.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while block := await reader.read(BLOCK):
                await self._flowing.wait()
                pause = self.latency_s + (len(block) / self.bytes_per_s if self.bytes_per_s else 0.0)
                if pause:
                    await asyncio.sleep(pause)
                writer.write(block)
                await writer.drain()
        except OSError:
            return  # either side is gone: so is the connection
