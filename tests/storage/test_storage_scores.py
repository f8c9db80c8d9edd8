"""The sums of scores by hour are those of the outcomes at any moment, in whatever order these come."""

import asyncio
import math
import random
import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import msgspec
import psycopg
import pytest
from storage_rows import empty, write

from storage import timescale
from storage.timescale import MIGRATIONS, Writer, migrate
from topics.catalog import OUTCOMES
from topics.records import Outcome

pytestmark = pytest.mark.services

MINUTE, HOUR = 60_000, 3_600_000
T0 = 1_600_000_020_000 // HOUR * HOUR
SUMS = """
SELECT symbol, interval, (extract(epoch FROM hour) * 1000)::int8, model, version, horizon, role, scored, paired,
    pinball, naive_pinball, absolute_error, naive_absolute_error, intervals, interval_hits, directions, direction_hits
FROM score_hours
"""
BY_SCORES = """
SELECT model, horizon, count(*), sum(pinball), sum(naive_pinball), avg(interval_hit::int)::float8,
    avg(direction_hit::int)::float8
FROM scores GROUP BY model, horizon ORDER BY model, horizon
"""
BY_HOURS = """
SELECT model, horizon, sum(scored), sum(pinball), sum(naive_pinball), sum(interval_hits)::float8 / sum(intervals),
    sum(direction_hits)::float8 / sum(directions)
FROM score_hours GROUP BY model, horizon ORDER BY model, horizon
"""
FORGET = "INSERT INTO stale_score_hours SELECT DISTINCT symbol, interval, hour FROM score_hours ON CONFLICT DO NOTHING"


@pytest.fixture
def clean(database: str) -> str:
    """The module's database, emptied."""
    empty(database)
    return database


def outcomes(minutes: int, models: Sequence[str] = ("naive", "gbm"), symbols: Sequence[str] = ("BTCUSDT", "ETHUSDT")):
    """Return outcomes of made-up scores, in the order of time; some are stale, and some scores unknown."""
    chance = random.Random(7)  # noqa: S311 - reproducible
    made = []
    for minute in range(minutes):
        for symbol in symbols:
            for model in models:
                for horizon in (1, 60):
                    scores = (chance.gauss(0, 1), *(chance.random() for _ in range(3)))
                    hits = (chance.random() < 0.9, chance.choice((True, False, None)))
                    time = T0 + minute * MINUTE
                    record = Outcome(
                        symbol, "1m", time, model, "v1", horizon, time + horizon * MINUTE, "scored", *scores, *hits
                    )
                    if chance.random() < 0.05:
                        record = Outcome(symbol, "1m", time, model, "v1", horizon, time + horizon * MINUTE, "stale")
                    elif chance.random() < 0.05:
                        record = msgspec.structs.replace(record, pinball=None)
                    made.append(record)
    return made


def plain(records: Sequence[Outcome]) -> list[tuple[Any, ...]]:
    """Return the sums by hour of records whose last of one identity counts, as Python adds them up."""
    last = {(r.symbol, r.interval, r.time, r.model, r.version, r.horizon): r for r in records}
    scored = [record for record in last.values() if record.status == "scored"]
    naive: dict[Any, Outcome] = {}
    for record in scored:  # the newest version counts: here they are named in the order in which they come
        at = (record.symbol, record.interval, record.time, record.horizon)
        if (
            record.model == "naive"
            and record.role == "champion"
            and (at not in naive or naive[at].version < record.version)
        ):
            naive[at] = record
    groups: dict[Any, list[Outcome]] = defaultdict(list)
    for record in scored:
        hour = record.time // HOUR * HOUR
        groups[record.symbol, record.interval, hour, record.model, record.version, record.horizon, record.role].append(
            record
        )
    rows = []
    for key, members in groups.items():
        with_naive = [(one, naive.get((one.symbol, one.interval, one.time, one.horizon))) for one in members]
        pairs = [(a.pinball, b.pinball) for a, b in with_naive if b and None not in (a.pinball, b.pinball)]
        hits = [one.interval_hit for one in members if one.interval_hit is not None]
        ways = [one.direction_hit for one in members if one.direction_hit is not None]
        errors = [one.absolute_error for one in members], [one.naive_absolute_error for one in members]
        sums = [*zip(*pairs, strict=True)] if pairs else [None, None]
        rows.append(
            (*key, len(members), len(pairs), *map(total, (*sums, *errors)), len(hits), sum(hits), len(ways), sum(ways))
        )
    return sorted(rows)


def total(values: Any) -> float | None:
    return None if values is None else math.fsum(values)


def stored(url: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return sorted(connection.execute(SUMS).fetchall())


def same(results: Sequence[tuple[Any, ...]], wanted: Sequence[tuple[Any, ...]]) -> None:
    assert [row[:9] for row in results] == [row[:9] for row in wanted]
    for row, other in zip(results, wanted, strict=True):
        assert row[9:] == pytest.approx(other[9:], rel=1e-9, nan_ok=False)


def sum_all(url: str) -> int:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT sum_scores(interval '0', 1000000)").fetchone()[0]


def stale(url: str) -> int:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT count(*) FROM stale_score_hours").fetchone()[0]


def test_the_sums_are_those_of_the_outcomes_before_and_after_they_are_kept(clean: str) -> None:
    records = outcomes(150)
    write(clean, *({OUTCOMES: records[start : start + 80]} for start in range(0, len(records), 80)))
    assert stale(clean) == 6  # for a few have no naive one's loss beside them
    same(stored(clean), plain(records))
    assert sum_all(clean) == 6
    assert stale(clean) == 0
    same(stored(clean), plain(records))


def test_what_comes_with_the_naive_forecast_is_added_and_never_read_again(clean: str) -> None:
    records = [one for one in outcomes(150) if one.status == "scored" and one.pinball is not None]
    naive = {(one.symbol, one.time, one.horizon) for one in records if one.model == "naive"}
    records = [one for one in records if (one.symbol, one.time, one.horizon) in naive]
    whole = [index for index in range(1, len(records)) if records[index].time != records[index - 1].time]
    cuts = [0, *whole[::20], len(records)]
    write(clean, *({OUTCOMES: records[start:end]} for start, end in pairwise(cuts)))
    assert stale(clean) == 0
    same(stored(clean), plain(records))


HISTORY = """
INSERT INTO score_sums (hour, series_id, role, scored, paired, unpaired, intervals, interval_hits, directions,
    direction_hits)
SELECT %s - make_interval(hours => h), series_id, 'c', 60, 60, 0, 60, 54, 60, 30 FROM series, generate_series(1, 2500) h
"""


@pytest.mark.parametrize("analysed", [False, True])
def test_a_batch_does_not_read_the_sums_of_other_hours(
    clean: str, monkeypatch: pytest.MonkeyPatch, analysed: bool
) -> None:
    monkeypatch.setattr(timescale, "SUM_SCORES", "SELECT sum_scores(interval '0', 200)")
    records = outcomes(960)
    parts = [records[start : start + 200] for start in range(0, len(records), 200)]
    with psycopg.connect(clean, autocommit=True) as connection:

        async def run() -> int:
            writer = Writer(clean)
            for part in parts[:20]:  # the plans of a small table, which may stay
                await writer.write({OUTCOMES: part})
            connection.execute(HISTORY, (datetime.fromtimestamp(T0 / 1000, UTC),))
            if analysed:
                connection.execute("ANALYZE score_sums")
            before = read_so_far(connection)
            for part in parts[20:]:
                await writer.write({OUTCOMES: part})
            await writer.close()
            return read_so_far(connection) - before

        read, known = asyncio.run(run()), connection.execute("SELECT count(*) FROM score_sums").fetchone()[0]
    assert len(parts[20:]) > 15
    assert 0 < read < known


def read_so_far(connection: psycopg.Connection) -> int:
    """Return how many rows of the sums were read until now."""
    time.sleep(1.1)  # the server's processes keep their counts for a second
    query = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables WHERE relname = 'score_sums'"
    return connection.execute(query).fetchone()[0]


def test_the_hours_say_what_the_scores_say(clean: str) -> None:
    write(clean, {OUTCOMES: [one for one in outcomes(150) if one.pinball is not None]})
    sum_all(clean)
    with psycopg.connect(clean) as connection:
        by_scores, by_hours = (connection.execute(query).fetchall() for query in (BY_SCORES, BY_HOURS))
    assert [row[:2] for row in by_hours] == [row[:2] for row in by_scores]
    naive = [row for row in by_hours if row[0] == "naive"]
    assert naive == [pytest.approx(row) for row in by_scores if row[0] == "naive"]
    for row, other in zip(by_hours, by_scores, strict=True):
        assert (row[2], row[5], row[6]) == pytest.approx((other[2], other[5], other[6]))
        assert row[4] == pytest.approx(other[4])


def test_what_comes_later_again_or_changed_is_summed_anew(clean: str) -> None:
    records = outcomes(90)
    late = [one for one in records if one.model == "naive" and one.symbol == "ETHUSDT"]
    first = [one for one in records if one not in late]
    write(clean, {OUTCOMES: first})
    sum_all(clean)
    changed = [msgspec.structs.replace(one, role="standby") for one in first[:40]]
    newer = [msgspec.structs.replace(one, version="v2", pinball=0.5) for one in first if one.model == "naive"][::3]
    for batch in (late, changed, newer, first[300:320]):
        write(clean, {OUTCOMES: batch})
    wanted = plain([*first, *late, *changed, *newer, *first[300:320]])
    same(stored(clean), wanted)
    sum_all(clean)
    same(stored(clean), wanted)


def test_a_writer_puts_the_sums_right_that_do_not_hold(clean: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timescale, "SUM_SCORES", "SELECT sum_scores(interval '0', 200)")
    records = outcomes(180)
    write(clean, *({OUTCOMES: records[start : start + 100]} for start in range(0, len(records), 100)))
    assert stale(clean) == 0
    same(stored(clean), plain(records))


def test_an_outcome_that_is_written_while_its_hour_is_summed_is_not_lost(clean: str) -> None:
    records = outcomes(60)
    write(clean, {OUTCOMES: records[:-8]})
    with psycopg.connect(clean) as connection:
        connection.execute(FORGET)

    async def run() -> None:
        summing = await psycopg.AsyncConnection.connect(clean)
        writer = Writer(clean)
        await summing.execute("SELECT sum_scores(interval '0', 10)")  # has read, and is not committed
        writing = asyncio.create_task(writer.write({OUTCOMES: records[-8:]}))
        async with await psycopg.AsyncConnection.connect(clean, autocommit=True) as watching:
            while not await waits(watching):
                pass
        await summing.commit()
        await writing
        await writer.close()
        await summing.close()

    asyncio.run(run())
    same(stored(clean), plain(records))
    sum_all(clean)
    same(stored(clean), plain(records))


async def waits(connection: psycopg.AsyncConnection) -> bool:
    query = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    return (await connection.execute(query)).rowcount > 0


def test_many_writers_and_sums_at_once_lose_nothing(clean: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timescale, "SUM_SCORES", "SELECT sum_scores(interval '0', 3)")
    records = outcomes(240)
    parts = [records[start : start + 240] for start in range(0, len(records), 240)]

    async def run() -> None:
        writers = [Writer(clean) for _ in range(4)]
        await asyncio.gather(*(writers[number % 4].write({OUTCOMES: part}) for number, part in enumerate(parts)))
        await asyncio.gather(*(writer.close() for writer in writers))

    asyncio.run(run())
    same(stored(clean), plain(records))
    sum_all(clean)
    same(stored(clean), plain(records))


def test_what_a_database_of_the_version_before_holds_is_summed_when_it_is_migrated(
    empty_database: str, monkeypatch: pytest.MonkeyPatch, before: Any
) -> None:
    monkeypatch.setattr(timescale, "MIGRATIONS", before)
    migrate(empty_database)
    records = outcomes(600)
    with psycopg.connect(empty_database) as connection:
        assert connection.execute("SELECT to_regclass('score_sums')").fetchone() == (None,)
        insert_as_before(connection, records)
    monkeypatch.undo()
    migrate(empty_database)
    assert stale(empty_database) == 0
    same(stored(empty_database), plain(records))
    write(empty_database, {OUTCOMES: [msgspec.structs.replace(records[0], pinball=9.0), *outcomes(601)[-8:]]})
    same(
        stored(empty_database), plain([*records, msgspec.structs.replace(records[0], pinball=9.0), *outcomes(601)[-8:]])
    )


@pytest.fixture
def before(tmp_path: Any) -> Any:
    """A folder with the migrations before that of the sums."""
    for path in MIGRATIONS.glob("[0-9]*.sql"):
        if path.name < "0044":
            (tmp_path / path.name).symlink_to(path)
    return tmp_path


def insert_as_before(connection: psycopg.Connection, records: Sequence[Outcome]) -> None:
    """Store outcomes as the version before did: rows, and no word of hours."""
    keys = sorted({(r.symbol, r.interval, r.model, r.version, r.horizon) for r in records})
    with connection.cursor() as cursor:
        cursor.executemany(AS_BEFORE[0], keys)
        numbers = {tuple(row[1:]): row[0] for row in cursor.execute("SELECT * FROM series").fetchall()}
        rows = [
            {
                **msgspec.structs.asdict(record),
                "number": numbers[record.symbol, record.interval, record.model, record.version, record.horizon],
                "letter": "s" if record.status == "scored" else "t",
            }
            for record in records
        ]
        cursor.executemany(AS_BEFORE[1], rows)


AS_BEFORE = (
    "INSERT INTO series (symbol, interval, model, version, horizon) VALUES (%s, %s, %s, %s, %s)",
    """
INSERT INTO outcome_rows (time, target_time, series_id, status, realised, absolute_error, naive_absolute_error, pinball,
    interval_hit, direction_hit, role)
VALUES (to_timestamp(%(time)s / 1000.0), to_timestamp(%(target_time)s / 1000.0), %(number)s, %(letter)s, %(realised)s,
    %(absolute_error)s, %(naive_absolute_error)s, %(pinball)s, %(interval_hit)s, %(direction_hit)s, 'c')
""",
)
