"""Numbers of keys: each its own for good, also where more are made up than memory is to hold."""

import asyncio

import psycopg
import pytest
from psycopg import AsyncConnection
from stacks import Servers, databases

from storage import numbers
from storage.numbers import Numbers
from storage.timescale import CONTEXTS, SERIES

pytestmark = pytest.mark.services


def series(number: int) -> numbers.Key:
    return "A", "1m", f"m{number}", "v", 1


def test_a_new_key_costs_no_more_where_there_are_many_and_memory_has_a_bound(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numbers, "MOST", 20)

    async def run(url: str) -> tuple[list[int], list[int], list[int], list[int]]:
        async with await AsyncConnection.connect(url, autocommit=True) as connection:
            first, other = Numbers("series", "series_id", SERIES), Numbers("series", "series_id", SERIES)
            sizes, found = [], []
            for start in range(0, 200, 8):
                found += await first.of(connection, [series(number) for number in range(start, start + 8)])
                sizes.append(len(first._known))
            again = await first.of(connection, [series(number) for number in range(200)])
            sizes.append(len(first._known))
            await other.of(connection, [series(999)])
            return found, again, sizes, [len(other._known)]

    with databases(servers, "numbers") as make:
        found, again, sizes, of_other = asyncio.run(run(make()))
    assert found == again
    assert len(set(found)) == 200
    assert max(sizes) < 40
    assert of_other == [1]  # and not the whole table


def test_a_key_with_null_and_one_that_only_the_database_writes_otherwise_have_one_number(servers: Servers) -> None:
    keys: list[numbers.Key] = [
        *(("f", None, "champion", False), ("f", "", "champion", False), ("f", "calm", "champion", False)),
        *(("f", "a\0b", "shadow", True), ("f", "a\ufffdb", "shadow", True), ("f", None, "champion", False)),
    ]

    async def run(url: str) -> tuple[list[int], list[int]]:
        async with await AsyncConnection.connect(url, autocommit=True) as connection:
            first, second = (Numbers("contexts", "context_id", CONTEXTS, ("regime",)) for _ in range(2))
            return await first.of(connection, keys), await second.of(connection, keys)

    with databases(servers, "numbers") as make:
        url = make()
        found, again = asyncio.run(run(url))
        with psycopg.connect(url) as connection:
            ((count,),) = connection.execute("SELECT count(*) FROM contexts").fetchall()
    assert found == again
    assert (found[0], found[3]) == (found[5], found[4])
    assert len(set(found)) == count == 4
