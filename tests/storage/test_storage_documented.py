"""Every SQL statement of the README and the docs answers, and says what its rows say when Python adds them up."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from bench.queries import fill, statements
from features.definition import Definition

pytestmark = pytest.mark.services

Rows = list[tuple[Any, ...]]
STATEMENTS = statements()


@pytest.fixture(scope="module")
def connection(database: str) -> Iterator[psycopg.Connection]:
    """A database as the bench fills it, with two symbols and two days, of which the last hours are not summed yet."""
    names = Definition().names
    with psycopg.connect(database, autocommit=True) as result:
        fill(result, 2, 2)
        place = names.index("rsi_14") + 1
        result.execute("UPDATE features SET values[%s::int] = extract(minute FROM time)", (place,))
        # What the sums must look at: a silent forecast, one beside no naive one, and scores that changed since.
        result.execute("UPDATE outcome_rows SET interval_hit = NULL, pinball = NULL WHERE time > '2025-05-02 23:30Z'")
        result.execute("UPDATE outcome_rows SET status = 't' WHERE series_id = 1 AND time > '2025-05-02 22:10Z'")
        result.execute(
            "INSERT INTO stale_score_hours SELECT DISTINCT symbol, interval, hour FROM score_hours "
            "WHERE hour > '2025-05-02 21:30Z'"
        )
        yield result


def asked(connection: psycopg.Connection, query: str) -> Rows:
    return connection.execute(query.encode()).fetchall()


def newest(connection: psycopg.Connection) -> Rows:
    rows = asked(
        connection, "SELECT time, model, horizon, q05, q50, q95, role FROM predictions WHERE symbol = 'BTCUSDT'"
    )
    values: dict[Any, tuple[Any, ...]] = {}
    for *row, role in sorted(rows, key=lambda row: row[0]):
        if role == "champion":
            values[row[1], row[2]] = tuple(row)
    return [values[key] for key in sorted(values)]


def skill(connection: psycopg.Connection) -> Rows:
    rows = asked(
        connection, "SELECT symbol, time, model, horizon, pinball, interval_hit FROM outcomes WHERE status = 'scored'"
    )
    naive = {(symbol, time, horizon): loss for symbol, time, model, horizon, loss, _ in rows if model == "naive"}
    results = []
    for model, horizon in sorted({(row[2], row[3]) for row in rows}, key=lambda key: key[::-1]):
        own = [row for row in rows if row[2:4] == (model, horizon)]
        pairs = [(row[4], naive.get((row[0], row[1], horizon))) for row in own]
        both = [(a, b) for a, b in pairs if a is not None and b is not None]
        hits = [row[5] for row in own if row[5] is not None]
        better = 1 - sum(a for a, _ in both) / sum(b for _, b in both)
        results.append((model, horizon, pytest.approx(better, abs=1e-9), pytest.approx(sum(hits) / len(hits))))
    return results


def strength(connection: psycopg.Connection) -> Rows:
    rows = asked(connection, "SELECT time, close, values FROM features WHERE symbol = 'BTCUSDT' AND interval = '1m'")
    place = Definition().names.index("rsi_14")
    return [(time, close, values[place]) for time, close, values in sorted(rows, reverse=True)[:12]]


def decisions(connection: psycopg.Connection) -> Rows:
    rows = asked(
        connection,
        "SELECT time, model, number, action, champion, challengers, decided_by, why, evidence FROM model_deployments",
    )
    return [row[1:] for row in sorted(rows, key=lambda row: row[0])]


PLAIN: dict[str, Callable[[psycopg.Connection], Rows]] = {
    "read.md 1": newest,
    "read.md 2": skill,
    "read.md 3": strength,
    "concepts.md 1": decisions,
}


def test_every_statement_has_a_plain_computation_to_be_compared_with() -> None:
    assert STATEMENTS.keys() == PLAIN.keys()


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_documented_statement_says_what_the_rows_say(connection: psycopg.Connection, name: str) -> None:
    results = asked(connection, STATEMENTS[name])
    wanted = PLAIN[name](connection)
    assert len(results) > 3
    assert results == wanted
