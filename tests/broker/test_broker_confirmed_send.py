"""A client of Kafka that ends before it is connected leaves nothing open, which aiokafka would say in the log."""

import asyncio
import gc
from pathlib import Path
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError

from broker.confirmed_send import KafkaWriter
from settings import Settings
from stream.app import make_app
from topics.catalog import DEAD_LETTERS


def left_open(lines: list[str]) -> list[str]:
    gc.collect()
    return [line for line in lines if "Unclosed" in line]


def listening() -> list[str]:
    """Return a list to which what the event loop complains of is added."""
    lines: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: lines.append(str(context["message"])))
    return lines


@pytest.mark.slow
def test_a_sender_that_is_ended_while_it_connects_leaves_nothing_open() -> None:
    async def ended() -> list[str]:
        lines, came = listening(), asyncio.Event()

        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            came.set()  # the question of a broker's client is there, and gets no answer
            await reader.read()
            writer.close()

        async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
            kafka_writer = KafkaWriter(f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
            sending = asyncio.create_task(kafka_writer.send([(DEAD_LETTERS, "bars", [])]))
            await came.wait()
            sending.cancel()
            await asyncio.wait({sending})
            assert sending.cancelled()
            del sending
            await kafka_writer.stop()
            return left_open(lines)

    assert asyncio.run(ended()) == []


def test_a_sender_that_finds_no_kafka_leaves_nothing_open() -> None:
    async def refused() -> list[str]:
        lines = listening()
        with pytest.raises(KafkaConnectionError):
            await KafkaWriter("127.0.0.1:1").send([(DEAD_LETTERS, "bars", [])])
        return left_open(lines)

    assert asyncio.run(refused()) == []


class Connected:
    """A producer that is connected, until it is stopped."""

    def __init__(self) -> None:
        self.stopped = False

    async def stop(self) -> None:
        self.stopped = True


def test_an_apps_writer_is_stopped_after_its_agents_which_would_connect_it_anew(tmp_path: Path) -> None:
    async def ended() -> tuple[bool, bool]:
        app: Any = make_app("any", Settings(home=tmp_path))
        writer: Any = app.kafka_writer()
        writer._producer = producer = Connected()
        await app.on_before_shutdown.send()
        before = producer.stopped
        await app.on_shutdown()
        return before, producer.stopped

    assert asyncio.run(ended()) == (False, True)
