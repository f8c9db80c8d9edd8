"""What came out, row by row beside what an undisturbed run made of the same ledger; which rare states there were."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import psycopg
from aiokafka import TopicPartition
from psycopg import sql

from bench.chaos.crash_points import DUPLICATE, REACHED, ROLLBACK
from bench.chaos.world import World
from broker.reader import between, reader
from settings.broker import Address
from topics import codec
from topics.catalog import PREDICTIONS
from topics.records import Prediction

SCORES = "symbol, interval, time, model, version, horizon"
COMPARED = {
    "ticks": ("*", "symbol, time, identity"),
    "bars": ("*", "symbol, interval, time"),
    "features": ("*", "symbol, interval, time"),
    "regimes": ("*", "symbol, interval, time"),
    # Without the role: who is the champion when is a fault of its own, and no other number depends on it.
    "predictions": (
        f"{SCORES}, fingerprint, regime, price, mean, scale, q05, q10, q25, q50, q75, q90, q95, p_up, dissimilarity",
        SCORES,
    ),
    "outcomes": (
        f"{SCORES}, target_time, status, realised, absolute_error, naive_absolute_error, pinball, interval_hit, "
        "direction_hit",
        SCORES,
    ),
    "dead_letters": ("*", 'topic, "partition", "offset", "row"'),
}
"""The columns that are compared of each table, and the key in whose order."""
SHOWN = 300
"""Characters of a row that differs, as it is told."""
LOADED = "SELECT count(*) FROM model_events WHERE model = 'gbm' AND version = %s AND event = 'loaded'"
CHAMPIONS = """
SELECT count(*) FROM (
    SELECT FROM predictions WHERE role = 'champion' AND horizon = 1
    GROUP BY symbol, interval, time, model HAVING count(*) <> 1
) AS wrong
"""
SWITCHES = "SELECT count(DISTINCT version) FROM predictions WHERE model = 'gbm' AND role = 'champion'"


def dump(url: str, folder: Path, symbols: Sequence[str] = ()) -> dict[str, int]:
    """Write each table to a file, a row a line in the order of its key; return how many rows each has.

    Where symbols are named, their rows alone, and no dead letters, which name none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    values = {}
    with psycopg.connect(url) as connection:
        for table, (columns, key) in COMPARED.items():
            chosen = sql.SQL("symbol = ANY({})").format(list(symbols)) if symbols else sql.SQL("true")
            if symbols and table == "dead_letters":
                chosen = sql.SQL("false")
            query = sql.SQL("COPY (SELECT {} FROM {} WHERE {} ORDER BY {}) TO STDOUT").format(
                sql.SQL(columns), sql.Identifier(table), chosen, sql.SQL(key)
            )
            with (folder / table).open("wb") as file, connection.cursor() as cursor, cursor.copy(query) as copy:
                for block in copy:
                    file.write(block)
            with (folder / table).open("rb") as file:
                values[table] = sum(1 for _ in file)
    return values


def differences(result: Path, expected: Path) -> list[str]:
    """Return a line for each table whose rows differ: how many are missing, how many are not to be, and one of each."""
    lines = []
    for table in COMPARED:
        mine, theirs = (Counter((folder / table).read_text().splitlines()) for folder in (result, expected))
        missing, more = theirs - mine, mine - theirs
        if missing or more:
            shown = "; ".join(
                f"{what} {next(iter(rows))[:SHOWN]!r}" for what, rows in (("missing", missing), ("more", more)) if rows
            )
            count = missing.total() + more.total()
            lines.append(f"{table}: {count} rows differ, {missing.total()} missing, {more.total()} more: {shown}")
    return lines


def reached(world: World) -> set[str]:
    """Return the rare states that the run has been in."""
    path = world.home / REACHED
    results = set(path.read_text().splitlines()) if path.exists() else set()
    if asyncio.run(_duplicates(world.settings.broker)):
        results.add(DUPLICATE)
    ((versions,),) = world.asked(SWITCHES)
    if versions > 1:
        results.add(ROLLBACK)
    return results


def double_champions(world: World) -> int:
    """Return how many bars have not exactly one champion of a model that has any."""
    return int(world.asked(CHAMPIONS)[0][0])


async def _duplicates(bootstrap: Address) -> int:
    """Return how many predictions are on the topic more than once."""
    async with reader(bootstrap) as consumer:
        parts = [TopicPartition(PREDICTIONS.name, number) for number in range(PREDICTIONS.partitions)]
        starts, ends = await consumer.beginning_offsets(parts), await consumer.end_offsets(parts)
        seen: Counter[tuple[str, int, str, str]] = Counter()
        async for message in between(consumer, starts, ends):
            for one in codec.decode(message.value, Prediction, message.headers).records:
                seen[one.symbol, one.time, one.model, one.version] += 1
        return sum(count - 1 for count in seen.values())
