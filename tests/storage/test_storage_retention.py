"""Tables keep what is set: whole chunks go that are old by their rows' time and their own, and sums of scores stay."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from storage_rows import empty, write

from storage import locks, retention
from storage.errors import StorageError
from storage.locks import Lock
from storage.retention import DELETES, HYPERTABLES, PLAIN, apply
from topics.catalog import BARS, OUTCOMES
from topics.records import Bar, Outcome
from topics.retention import TABLE_DAYS

pytestmark = pytest.mark.services

HOUR, DAY = 3_600_000, 86_400_000
CHUNK = 30 * DAY
T0 = 1_600_000_000_000 // CHUNK * CHUNK
"""The start of a chunk of thirty days."""
SECOND = 1 / 86_400
SUMS = "SELECT symbol, hour, model, role, scored, paired, pinball, naive_pinball FROM score_hours ORDER BY 1, 2, 3"


@pytest.fixture
def clean(database: str) -> str:
    """The module's database, emptied."""
    empty(database)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("TRUNCATE score_archive, table_retention, alert_deliveries, alert_outbox")
    return database


def bar(at: int) -> Bar:
    return Bar("BTCUSDT", "1m", at, 1.0, 2.0, 1.0, 2.0, 3.0)


def outcome(model: str, at: int, pinball: float) -> Outcome:
    return Outcome("BTCUSDT", "1m", at, model, "v1", 1, at + 60_000, "scored", 0.1, 0.2, 0.3, pinball, True, True)


def asked(url: str, query: str, *given: object) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(query.encode(), given).fetchall()


def bars(url: str) -> list[int]:
    return [ms for (ms,) in asked(url, "SELECT (extract(epoch FROM time) * 1000)::int8 FROM bars ORDER BY 1")]


def test_every_table_of_the_settings_is_one_that_can_be_dropped_from(clean: str) -> None:
    assert TABLE_DAYS.keys() == HYPERTABLES.keys() | PLAIN.keys()
    assert DELETES.keys() == PLAIN.keys()
    chunked = {name for (name,) in asked(clean, "SELECT hypertable_name FROM timescaledb_information.hypertables")}
    assert chunked == set(HYPERTABLES.values())


def test_history_that_was_replayed_today_is_kept_however_old_it_is(clean: str) -> None:
    write(clean, {BARS: [bar(T0), bar(T0 + 50 * CHUNK)]})
    assert apply(clean, {"bars": 1.0}) == []
    assert bars(clean) == [T0, T0 + 50 * CHUNK]


def test_a_chunk_goes_once_all_its_rows_are_older_than_the_newest_by_so_many_days(clean: str) -> None:
    write(clean, {BARS: [bar(T0), bar(T0 + CHUNK), bar(T0 + 2 * CHUNK), bar(T0 + 2 * CHUNK + 60_000)]})
    time.sleep(2.1)
    days = {"bars": 2 * SECOND}
    (gone,) = apply(clean, days)
    assert str(gone) == f"bars before {datetime.fromtimestamp(T0 / 1000 + 60 * 86_400, UTC):%Y-%m-%d} 00:00 (2 chunks)"
    assert bars(clean) == [T0 + 2 * CHUNK, T0 + 2 * CHUNK + 60_000]
    assert apply(clean, days) == []
    write(clean, {BARS: [bar(T0 + 3 * CHUNK)]})
    assert apply(clean, days) == []  # the newest row is no two seconds later than the last of the chunk may be
    write(clean, {BARS: [bar(T0 + 3 * CHUNK + 60_000)]})
    assert [one.amount for one in apply(clean, days)] == [1]
    assert bars(clean) == [T0 + 3 * CHUNK, T0 + 3 * CHUNK + 60_000]


def test_what_is_kept_and_what_was_dropped_is_written_down(clean: str) -> None:
    write(clean, {BARS: [bar(T0), bar(T0 + 2 * CHUNK)]})
    time.sleep(1.1)
    apply(clean, {"bars": SECOND, "features": None})
    rows = asked(clean, "SELECT name, relation, kept_days, dropped_before FROM table_retention ORDER BY name")
    assert rows == [
        ("bars", "bars", SECOND, datetime.fromtimestamp((T0 + CHUNK) / 1000, UTC)),
        ("features", "features", None, None),
    ]
    apply(clean, {"bars": None})
    ((kept, before),) = asked(clean, "SELECT kept_days, dropped_before FROM table_retention WHERE name = 'bars'")
    assert kept is None
    assert before == rows[0][3]


def test_the_sums_of_scores_outlive_the_outcomes_and_count_none_twice(clean: str) -> None:
    old = [outcome(model, T0 + minute * 60_000, 0.5) for minute in range(90) for model in ("naive", "gbm")]
    new = [outcome(model, T0 + 2 * CHUNK + minute * 60_000, 0.25) for minute in range(3) for model in ("naive", "gbm")]
    write(clean, {OUTCOMES: old[:100]}, {OUTCOMES: old[100:]}, {OUTCOMES: new})
    wanted = asked(clean, SUMS)
    assert [row[4] for row in wanted] == [60, 60, 30, 30, 3, 3]
    with psycopg.connect(clean) as connection:  # an hour whose sums are to be made anew
        connection.execute("SELECT forget_scores(ARRAY[1], ARRAY[to_timestamp(%s)])", (T0 / 1000,))
        connection.execute("UPDATE score_sums SET scored = 7 WHERE hour = to_timestamp(%s)", (T0 / 1000,))
    time.sleep(1.1)
    assert [one.table for one in apply(clean, {"outcomes": SECOND})] == ["outcomes"]
    assert asked(clean, "SELECT count(*) FROM outcomes") == [(6,)]
    assert asked(clean, SUMS) == wanted
    write(clean, {OUTCOMES: old})  # replayed again: the rows are back, and the final sums stay what they were
    assert asked(clean, SUMS) == wanted
    with psycopg.connect(clean) as connection:
        connection.execute("SELECT sum_scores(interval '0', 1000)")
    assert asked(clean, SUMS) == wanted


def test_sums_go_too_where_that_is_set(clean: str) -> None:
    write(clean, {OUTCOMES: [outcome("naive", T0, 0.5), outcome("naive", T0 + 40 * HOUR, 0.5)]})
    assert [str(one)[-8:] for one in apply(clean, {"score_hours": 1.0})] == ["(1 rows)"]
    assert [row[1].hour for row in asked(clean, SUMS)] == [(T0 // HOUR + 40) % 24]


def test_deliveries_that_wait_are_kept_with_their_alert(clean: str) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=10)
    with psycopg.connect(clean, autocommit=True) as connection:
        for name in ("waits", "done", "new"):
            at = datetime.now(UTC) if name == "new" else long_ago
            connection.execute(
                "INSERT INTO alert_outbox (alert_id, symbol, alert, made_at, published_at) "
                "VALUES (%s, 'X', '', %s, %s)",
                (name, at, at),
            )
            connection.execute(
                "INSERT INTO alert_deliveries (subscriber, alert_id, number, state, made_at) "
                "VALUES ('a', %s, 1, %s, %s)",
                (name, "waiting" if name == "waits" else "delivered", at),
            )
    assert [str(one)[-8:] for one in apply(clean, {"alert_deliveries": 9.0})] == ["(2 rows)"]
    assert asked(clean, "SELECT alert_id FROM alert_outbox ORDER BY 1") == [("new",), ("waits",)]
    assert asked(clean, "SELECT alert_id FROM alert_deliveries ORDER BY 1") == [("new",), ("waits",)]


def test_a_table_in_use_waits_for_the_next_time_and_holds_nobody_up(
    clean: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "PATIENCE", "SET LOCAL lock_timeout = '200ms'")
    write(clean, {BARS: [bar(T0), bar(T0 + 2 * CHUNK)]})
    time.sleep(1.1)
    with psycopg.connect(clean) as reading:
        reading.execute("SELECT count(*) FROM bars").fetchone()
        with pytest.raises(StorageError, match="canceling statement due to lock timeout"):
            apply(clean, {"bars": SECOND})
        write(clean, {BARS: [bar(T0 + 60_000)]})
    assert len(bars(clean)) == 3
    assert [one.amount for one in apply(clean, {"bars": SECOND})] == [1]


def test_only_one_process_drops(clean: str) -> None:
    with psycopg.connect(clean, autocommit=True) as other:
        assert locks.try_lock(other, Lock.RETENTION)
        assert apply(clean, {"bars": 1.0}) == []
        assert asked(clean, "SELECT 1 FROM table_retention") == []


def test_a_database_that_is_away_is_said_in_one_line() -> None:
    with pytest.raises(StorageError, match=r"^postgresql://127\.0\.0\.1:1/none: what the tables keep no longer"):
        apply("postgresql://me:secret@127.0.0.1:1/none", {"bars": 1.0})
