"""Dead letters that are corrected on the dashboard are stored as what they should have been, through Kafka."""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from asking import act, token
from dashboard_market import FIRST
from stacks import Servers, running

from broker.confirmed_send import KafkaWriter
from settings import Settings
from stack.addresses import HOST
from stack.topic_lag import by_partition
from topics.catalog import DEAD_LETTERS, PERSIST_GROUP, STORED
from topics.records import DeadLetter

pytestmark = [pytest.mark.services, pytest.mark.slow]

COMPONENTS = ("kafka", "postgres", "redis", "prepare", "persist", "dashboard")
WRONG = b'{"symbol":"BTCUSDT","time":%d,"price":"1,5","amount":2.0}'

REASON = "ValidationError: Expected `float`, got `str` - at `$.price`"


@pytest.fixture(scope="module")
def stack() -> Iterator[Servers]:
    """What stores ticks, and the dashboard, as `up` starts them."""
    with running(COMPONENTS) as servers:
        yield servers


def letter(offset: int) -> DeadLetter:
    """Return what the worker makes of a tick whose price is a word."""
    value = WRONG % (FIRST + 1_000 * offset)
    return DeadLetter(topic="ticks", partition=0, offset=offset, reason=REASON, value=value, key=b"BTCUSDT", time=FIRST)


async def send(servers: Servers, some: list[DeadLetter]) -> None:
    """Publish dead letters, as the stack's own user."""
    writer = KafkaWriter(servers.broker)
    await writer.send([(DEAD_LETTERS, "ticks", some)])
    await writer.stop()


def rows(servers: Servers, query: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    with psycopg.connect(servers.database_url, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


def until(servers: Servers, query: str, right: Callable[[list[tuple[Any, ...]]], bool]) -> list[tuple[Any, ...]]:
    """Wait until a query's rows are right, and return them."""
    deadline = time.monotonic() + 60
    while not right(found := rows(servers, query)):
        assert time.monotonic() < deadline, found
        time.sleep(0.2)
    return found


def test_a_corrected_letter_reaches_its_table_through_kafka(stack: Servers) -> None:
    asyncio.run(send(stack, [letter(offset) for offset in range(3)]))
    until(stack, "SELECT 1 FROM dead_letters", lambda some: len(some) == 3)
    address = f"http://{HOST}:{Settings(home=stack.home).dashboard_port}/"
    page = token(address)
    right = (WRONG % FIRST).decode().replace('"1,5"', "1.5")
    one = {"letter": "ticks/0/0/0", "value": right, "reason": "a comma for a point"}
    assert act(address, "letter-correct", page, one) == (200, "ticks/0/0/0 was corrected and sent to ticks again")
    ticks = "SELECT (1000 * extract(epoch FROM time))::int8, price, amount FROM ticks ORDER BY time"
    assert until(stack, ticks, lambda some: len(some) == 1) == [(FIRST, 1.5, 2.0)]
    every = {"topic": "ticks", "letter_reason": REASON, "find": '"1,5"', "replace": "1.5", "reason": "the others too"}
    assert act(address, "letters-resend", page, every) == (200, "2 sent to ticks again")
    assert until(stack, ticks, lambda some: len(some) == 3) == [(FIRST + 1_000 * part, 1.5, 2.0) for part in range(3)]
    assert rows(stack, "SELECT DISTINCT state FROM dead_letters") == [("retried",)]
    kept = rows(stack, "SELECT who, reason, value FROM dead_letter_resends ORDER BY number")
    assert kept[0] == ("dashboard", "a comma for a point", right.encode())
    assert len(kept) == 3
    done = rows(stack, "SELECT action, outcome, reason FROM dashboard_actions ORDER BY number")
    assert done == [("letter-correct", "done", one["reason"]), ("letters-resend", "done", every["reason"])]


def test_lag_is_read_of_every_partition_of_a_group_that_reads(stack: Servers) -> None:
    found = asyncio.run(by_partition(stack.broker))
    assert {one.group for one in found} == {PERSIST_GROUP}  # no other component of this stack reads
    parts = {(one.topic, one.partition): one for one in found}
    assert parts.keys() == {(topic.name, part) for topic in STORED for part in range(topic.partitions)}
    assert sum(one.end - one.first for one in found if one.topic == "ticks") == 3
    assert {one.lag.records for one in found if one.topic == "ticks"} == {0}
