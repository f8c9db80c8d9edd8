"""Dead letters that are corrected on the dashboard are stored as what they should have been, through Kafka."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from asking import act, token
from dashboard_market import FIRST
from stacks import Servers, environment_of, running

from broker.confirmed_send import KafkaWriter
from settings import ROOT, Settings
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


def letter(offset: int, right: bool = False) -> DeadLetter:
    """Return what the worker makes of a tick whose price is a word, or of one that is `right` and failed elsewhere."""
    value = WRONG % (FIRST + 1_000 * offset)
    value = value.replace(b'"1,5"', b"1.5") if right else value
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


def test_a_letter_is_sent_again_as_it_is_from_the_page_and_from_the_command_line(stack: Servers) -> None:
    asyncio.run(send(stack, [letter(offset, right=True) for offset in (60, 61)]))
    until(stack, 'SELECT 1 FROM dead_letters WHERE "offset" >= 60', lambda some: len(some) == 2)
    address = f"http://{HOST}:{Settings(home=stack.home).dashboard_port}/"
    asked = {"letter": "ticks/0/60/0", "reason": "the disk was full"}
    assert act(address, "letter-resend", token(address), asked) == (200, "ticks/0/60/0 was sent to ticks again")
    command = [sys.executable, "-m", "cli.main", "dead-letters", "retry", "ticks/0/61/0"]
    done = subprocess.run(command, cwd=ROOT, env=environment_of(stack.home), capture_output=True, text=True, check=True)
    assert done.stdout == "ticks/0/61/0 sent again\n"
    until(stack, "SELECT 1 FROM ticks WHERE time >= '2025-05-18 00:01Z'", lambda some: len(some) == 2)
    kept = rows(stack, 'SELECT who, reason, value FROM dead_letter_resends WHERE "offset" >= 60 ORDER BY number')
    assert kept == [("dashboard", "the disk was full", None), ("foretick dead-letters retry", "", None)]


def test_lag_is_read_of_every_partition_of_a_group_that_reads(stack: Servers) -> None:
    found = asyncio.run(by_partition(stack.broker))
    assert {one.group for one in found} == {PERSIST_GROUP}  # no other component of this stack reads
    parts = {(one.topic, one.partition): one for one in found}
    assert parts.keys() == {(topic.name, part) for topic in STORED for part in range(topic.partitions)}
    assert sum(one.end - one.first for one in found if one.topic == "ticks") == 5  # the two tests above
    assert {one.lag.records for one in found if one.topic == "ticks"} == {0}
