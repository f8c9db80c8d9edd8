"""Clients of the streams as a stranger would write them, and frames on the topics for them to follow."""

import asyncio
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
from api_market import MODELS, Api, said
from websockets.sync.client import connect

from broker.confirmed_send import KafkaWriter
from settings.broker import Address
from topics.catalog import PREDICTIONS, Topic
from topics.codec import encode_one
from topics.records import Alert, Prediction

NAMES = tuple(f"S{number}USDT" for number in range(12))


def frames(seed: int, count: int, largest: int = 40) -> list[list[Prediction]]:
    """Return frames of random size, each of one symbol; no two records are alike."""
    choice = random.Random(seed)  # noqa: S311 - no secret is made of it
    minute = dict.fromkeys(NAMES, seed * 5_000)  # in the past: what is dated ahead is not passed on
    predictionses = []
    for _ in range(count):
        symbol = choice.choice(NAMES)
        rows = []
        for _ in range(choice.randint(1, largest)):
            minute[symbol] += 1
            rows.append(said(symbol, minute[symbol], choice.choice(tuple(MODELS))))
        predictionses.append(rows)
    return predictionses


def sent(batches: Sequence[Sequence[Prediction]]) -> list[str]:
    """Return what a client that misses nothing gets, sorted: partitions go on independently of each other."""
    return sorted(encode_one(record).decode() for rows in batches for record in rows)


def send(
    kafka: Address, batches: Sequence[Sequence[Prediction]] | Sequence[Sequence[Alert]], topic: Topic = PREDICTIONS
) -> None:
    async def run() -> None:
        writer = KafkaWriter(kafka)
        await writer.send([(topic, rows[0].symbol, rows) for rows in batches])
        await writer.stop()

    asyncio.run(run())


@dataclass(kw_only=True)
class Listener:
    """Takes records of a stream and remembers the last id, over as many connections as it likes."""

    api: Api
    path: str = "predictions"
    asked: dict[str, Any] = field(default_factory=dict)
    last: str | None = None
    got: list[str] = field(default_factory=list)
    ended: dict[str, str] | None = None
    notes: list[str] = field(default_factory=list)

    def listen(self, count: int) -> None:
        """Connect, take so many records, and break off."""
        raise NotImplementedError

    def begin(self) -> None:
        """Connect and leave at once, with the id of where the stream is."""
        self.listen(0)


class SseListener(Listener):
    """Over Server-Sent Events, read line by line."""

    def listen(self, count: int) -> None:
        headers = {"Last-Event-ID": self.last} if self.last else {}
        with (
            self.api.client() as client,
            client.stream("GET", f"/v1/stream/{self.path}", params=self.asked, headers=headers) as response,
        ):
            assert response.status_code == 200, response.read()
            assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
            for block in blocks(response):
                if block.get("event") == "end":
                    self.ended = json.loads(block["data"])
                    return
                if block.get("event") == "note":
                    self.notes.append(json.loads(block["data"])["detail"])
                    continue
                self.last = block.get("id", self.last)
                if "data" in block:
                    self.got.append(block["data"])
                    count -= 1
                if count <= 0 and "id" in block:
                    return


def blocks(response: httpx.Response) -> Iterator[dict[str, str]]:
    block: dict[str, str] = {}
    for line in response.iter_lines():
        if line:
            name, _, value = line.partition(": ")
            block[name] = value
        else:
            yield block
            block = {}


class SocketListener(Listener):
    """Over a WebSocket."""

    def listen(self, count: int) -> None:
        url = httpx.URL(f"{self.api.address}/v1/stream/{self.path}".replace("http", "ws", 1), params=self.asked)
        if self.last:
            url = url.copy_merge_params({"last_id": self.last})
        headers = {"Authorization": f"Bearer {self.api.token}"}
        with connect(str(url), additional_headers=headers, max_size=None, max_queue=None) as socket:
            while True:
                count -= self.take(str(socket.recv(timeout=60)))
                if count <= 0 and self.last:
                    return

    def take(self, text: str) -> int:
        """Remember a message; return how many records it is."""
        message = json.loads(text)
        if "note" in message:
            self.notes.append(message["note"])
            return 0
        self.last = message["id"]
        if "data" not in message:
            return 0
        # The record's own bytes, which the message holds as they are.
        self.got.append(text.split(',"data":', 1)[1][:-1])
        return 1
