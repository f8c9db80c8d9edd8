"""How `foretick live add|rm|list` talk to the process that runs: a Unix socket of each venue in <home>/live.

A socket gives an answer at once ("the venue has no such symbol"), ends with its process, and is accessible to its owner
alone; a topic or Redis would carry the request, but not the answer, and requests would outlive the process.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from sources.errors import SourceError
from sources.live.status import Status

FOLDER = "live"
ANSWER_S = 60.0
_LONGEST_PATH = 100  # the kernel has room for 108 bytes


class ControlRequest(Struct):
    """A request: add symbols, remove symbols, or only the status."""

    do: Literal["add", "rm", "list"]
    symbols: list[str] = []


class ControlReply(Struct):
    """The present status; or why the request failed."""

    status: Status | None = None
    error: str = ""


Handler = Callable[[ControlRequest], Awaitable[ControlReply]]


def folder(home: Path) -> Path:
    """Return where the sockets are; only the owner can look into it."""
    path = home / FOLDER
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


@asynccontextmanager
async def listening(home: Path, venue: str, handle: Handler) -> AsyncIterator[None]:
    """Answer requests about a venue while inside."""
    path = folder(home) / f"{venue}.sock"
    if len(str(path).encode()) > _LONGEST_PATH:
        raise SourceError(f"{path}: too long for a socket: choose a shorter FORETICK_HOME")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = msgspec.json.decode(await reader.readline(), type=ControlRequest)
            answer = await handle(request)
        except (msgspec.DecodeError, SourceError) as error:
            answer = ControlReply(error=str(error))
        writer.write(msgspec.json.encode(answer) + b"\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(serve, path)
    try:
        yield
    finally:
        server.close()
        path.unlink(missing_ok=True)


def send_request(home: Path, venue: str, request: ControlRequest) -> Status:
    """Send a request to a venue's process, and return its status afterwards.

    Raises SourceError with its reason, or where none runs.
    """
    path = folder(home) / f"{venue}.sock"
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(ANSWER_S)
        try:
            connection.connect(str(path))
            connection.sendall(msgspec.json.encode(request) + b"\n")
            with connection.makefile("rb") as stream:
                answer = msgspec.json.decode(stream.readline(), type=ControlReply)
        except (FileNotFoundError, ConnectionRefusedError) as error:
            raise SourceError(f"no `foretick live {venue}` runs in {home}: start it with its symbols") from error
        except (OSError, msgspec.DecodeError) as error:
            raise SourceError(f"`foretick live {venue}` in {home} does not answer: {error}") from error
    if answer.status is None:
        raise SourceError(answer.error)
    return answer.status


def running(home: Path) -> Sequence[Status]:
    """Return how every venue is that a process of this home watches."""
    statuses = []
    for path in sorted(folder(home).glob("*.sock")):
        try:
            statuses.append(send_request(home, path.stem, ControlRequest("list")))
        except SourceError:  # a process that was killed leaves its socket
            continue
    return statuses
