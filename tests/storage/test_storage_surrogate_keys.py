"""Numbers of keys: each its own for good, also where more are made up than memory is to hold."""

import asyncio

import psycopg
import pytest
from psycopg import AsyncConnection
from stacks import Servers, databases

from storage import surrogate_keys
from storage.surrogate_keys import SurrogateKeys
from storage.timescale import CONTEXTS, SERIES

pytestmark = pytest.mark.services


def series(number: int) -> surrogate_keys.Key:
    return "A", "1m", f"m{number}", "v", 1


def test_a_new_key_costs_no_more_where_there_are_many_and_memory_has_a_bound(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surrogate_keys, "MOST", 20)

    async def run(url: str) -> tuple[list[int], list[int], list[int], list[int]]:
        async with await AsyncConnection.connect(url, autocommit=True) as connection:
            first, other = SurrogateKeys("series", "series_id", SERIES), SurrogateKeys("series", "series_id", SERIES)
            sizes, results = [], []
            for start in range(0, 200, 8):
                results += await first.of(connection, [series(number) for number in range(start, start + 8)])
                sizes.append(len(first._known))
            again = await first.of(connection, [series(number) for number in range(200)])
            sizes.append(len(first._known))
            await other.of(connection, [series(999)])
            return results, again, sizes, [len(other._known)]

    with databases(servers, "numbers") as make:
        results, again, sizes, of_other = asyncio.run(run(make()))
    assert results == again
    assert len(set(results)) == 200
    assert max(sizes) < 40
    assert of_other == [1]  # and not the whole table


def test_a_key_with_null_and_one_that_only_the_database_writes_otherwise_have_one_number(servers: Servers) -> None:
    keys: list[surrogate_keys.Key] = [
        *(("f", None, "champion", False), ("f", "", "champion", False), ("f", "calm", "champion", False)),
        *(("f", "a\0b", "standby", True), ("f", "a\ufffdb", "standby", True), ("f", None, "champion", False)),
    ]

    async def run(url: str) -> tuple[list[int], list[int]]:
        async with await AsyncConnection.connect(url, autocommit=True) as connection:
            first, second = (SurrogateKeys("contexts", "context_id", CONTEXTS, ("regime",)) for _ in range(2))
            return await first.of(connection, keys), await second.of(connection, keys)

    with databases(servers, "numbers") as make:
        url = make()
        results, again = asyncio.run(run(url))
        with psycopg.connect(url) as connection:
            ((count,),) = connection.execute("SELECT count(*) FROM contexts").fetchall()
    assert results == again
    assert (results[0], results[3]) == (results[5], results[4])
    assert len(set(results)) == count == 4
