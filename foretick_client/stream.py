"""A stream of the API that resumes after interruptions."""

import logging
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import httpx
import msgspec
from msgspec import Struct

from foretick_client.errors import ForetickError, GoneError, checked, pause

log = logging.getLogger("foretick_client")
R = TypeVar("R", bound=Struct)
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
SILENCE_S = 45.0
"""The server says every 15 seconds that it is there."""


@dataclass(kw_only=True)
class Stream(Generic[R]):
    """Records as they arrive. `last_id` is the stream's position, from which a later process can resume.

    While it is iterated it connects again by itself, with growing pauses, and misses nothing.
    """

    http: httpx.Client
    topic: str
    record: type[R]
    asked: Mapping[str, Any]
    last_id: str | None = None

    def __iter__(self) -> Iterator[R]:
        """Yield records without end.

        Raises GoneError if the server no longer has what comes next, ForetickError where it refuses.
        """
        decoder = msgspec.json.Decoder(self.record)
        wait = FIRST_PAUSE_S
        while True:
            try:
                for block in self._blocks():
                    wait = FIRST_PAUSE_S
                    if block.get("event") == "end":
                        self._ended(block.get("data", ""))
                        break
                    if block.get("event") == "note":
                        log.warning("the stream of %s: %s", self.topic, block.get("data"))
                        continue
                    if "data" not in block:
                        self.last_id = block.get("id", self.last_id)
                        continue
                    record = decoder.decode(block["data"])
                    # Before the record is yielded: a loop that stops at it has received it.
                    self.last_id = block["id"]
                    yield record
            except BusyError as busy:
                wait = max(wait, busy.wait)
            except httpx.TransportError as error:
                # It is tried again for ever: the server may only be starting.
                log.warning("the stream of %s was interrupted (%s); reconnecting", self.topic, error)
            time.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 - so that not all clients come at once
            wait = min(wait * 2, LONGEST_PAUSE_S)

    def _blocks(self) -> Iterator[dict[str, str]]:
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": self.last_id} if self.last_id else {})
        timeout = httpx.Timeout(10, read=SILENCE_S)
        path, asked = f"/v1/stream/{self.topic}", dict(self.asked)
        with self.http.stream("GET", path, params=asked, headers=headers, timeout=timeout) as response:
            if response.status_code in (httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE):
                raise BusyError(pause(response, FIRST_PAUSE_S))
            checked(response)
            block: dict[str, str] = {}
            for line in response.iter_lines():
                if line:
                    name, _, value = line.partition(":")
                    block[name] = value.removeprefix(" ")
                else:
                    yield block
                    block = {}

    def _ended(self, data: str) -> None:
        output = msgspec.json.decode(data)
        if output.get("reason") == "gone":
            raise GoneError(str(output.get("detail")), httpx.codes.GONE)


class BusyError(ForetickError):
    """A server that asks to come back in `wait` seconds."""

    def __init__(self, wait: float) -> None:
        super().__init__(f"the server is busy for {wait:.0f} s", httpx.codes.SERVICE_UNAVAILABLE)
        self.wait = wait
