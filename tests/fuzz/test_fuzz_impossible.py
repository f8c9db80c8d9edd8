"""The fuzzer sees an impossible row in any table."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from stacks import Servers, databases

from bench.fuzz.impossible_rows import CONDITIONS, impossible

pytestmark = pytest.mark.services

TIME = "'2025-06-01 00:00+00'"
POSSIBLE = {
    "ticks": f"(symbol, time, identity, price, amount) VALUES ('A', {TIME}, 'i', 1.5, 2.0)",
    "bars": f"VALUES ('A', '1m', {TIME}, 1, 2, 1, 2, 0, NULL, NULL, NULL, 0)",
    "features": f"VALUES ('A', '1m', {TIME}, 1.5, 'f', ARRAY[1.0, NULL, -2.0])",
    "regimes": f"VALUES ('A', '1m', {TIME}, 'calm', '{{\"calm\": 1}}', NULL)",
    "alerts": f"VALUES ('i', 'r', 'A', {TIME}, 'info', 'm')",
    "gaps": f"VALUES ('A', 'v', {TIME}, {TIME}, 'why')",
    "drift": f"VALUES ('m', 'v', 'errors', 'd', {TIME}, 1.0, 2.0, '1m', NULL, NULL, NULL, '')",
    "dead_letters": f"VALUES ('bars', 0, 1, 0, 'why', '', NULL, {TIME})",
}
WRONG = {
    "ticks": "price = 'NaN'",
    "bars": "low = 1.9, open = 1.5",
    "features": "values = ARRAY['Infinity'::float8]",
    "regimes": "posterior = '{\"calm\": 1.5}'",
    "alerts": "suppressed = -1",
    "gaps": "symbol = 'no symbol'",
    "drift": "statistic = 1e300",
    "dead_letters": '"offset" = -1',
}


@pytest.fixture
def asked(servers: Servers) -> Iterator[Callable[[str], list[tuple[Any, ...]]]]:
    """Ask a database with the schema and no row."""
    with databases(servers, "fuzz") as make, psycopg.connect(make(), autocommit=True) as connection:

        def ask(query: str) -> list[tuple[Any, ...]]:
            result = connection.execute(query)
            return result.fetchall() if result.description else []

        yield ask


def test_an_impossible_row_is_found_and_a_possible_one_is_not(
    asked: Callable[[str], list[tuple[Any, ...]]],
) -> None:
    assert CONDITIONS.keys() > POSSIBLE.keys()
    for table, row in POSSIBLE.items():
        asked(f"INSERT INTO {table} {row}")
    assert impossible(asked) == []
    for table, change in WRONG.items():
        asked(f"UPDATE {table} SET {change}")  # noqa: S608 - ours
    assert [line.partition(":")[0] for line in impossible(asked)] == [t for t in CONDITIONS if t in WRONG]


def test_a_row_of_a_time_that_is_yet_to_come_is_told(asked: Callable[[str], list[tuple[Any, ...]]]) -> None:
    asked("INSERT INTO alerts VALUES ('i', 'r', 'A', now() + interval '23 hours', 'info', 'm')")
    assert impossible(asked) == []
    asked("INSERT INTO alerts VALUES ('j', 'r', 'A', now() + interval '2 days', 'info', 'm')")
    assert [line.partition(":")[0] for line in impossible(asked)] == ["alerts"]


def test_a_prediction_whose_quantiles_decrease_is_told(asked: Callable[[str], list[tuple[Any, ...]]]) -> None:
    asked("INSERT INTO series (symbol, interval, model, version, horizon) VALUES ('A', '1m', 'm', 'v', 1)")
    asked("INSERT INTO contexts (fingerprint, regime) VALUES ('f', 'calm')")
    row = f"({TIME}, 1, 1, 2, 1, 2)"
    asked(f"INSERT INTO prediction_rows (time, series_id, context_id, price, q05, q10) VALUES {row}")  # noqa: S608 - ours
    assert impossible(asked) == []
    asked("UPDATE prediction_rows SET q10 = 0.5")
    assert len(impossible(asked)) == 1
