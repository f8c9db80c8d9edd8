"""The schema is brought up to date once, whoever else does the same at the same time."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from storage.errors import StorageError
from storage.timescale import MIGRATIONS, migrate

pytestmark = pytest.mark.services

HYPERTABLES = {"ticks", "bars", "features", "regimes", "prediction_rows", "outcome_rows", "alerts", "model_skill"}
VIEWS = {"predictions", "outcomes", "scores", "score_hours", "latest_predictions"}


def applied(url: str) -> list[tuple[str, object]]:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT name, applied_at FROM schema_migrations ORDER BY name").fetchall()


def test_migrating_twice_does_it_once(empty_database: str) -> None:
    migrate(empty_database)
    first = applied(empty_database)
    migrate(empty_database)
    assert applied(empty_database) == first
    assert [name for name, _ in first] == sorted(path.stem for path in MIGRATIONS.glob("[0-9]*.sql"))


def test_four_at_once_leave_one_schema(empty_database: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate, [empty_database] * 4))
    with psycopg.connect(empty_database) as connection:
        result = connection.execute("SELECT hypertable_name FROM timescaledb_information.hypertables").fetchall()
        views = connection.execute("SELECT viewname FROM pg_views WHERE schemaname = 'public'").fetchall()
    assert {name for (name,) in result} == HYPERTABLES
    assert {name for (name,) in views} == VIEWS


def test_a_migration_that_fails_leaves_nothing_of_itself(empty_database: str) -> None:
    with psycopg.connect(empty_database) as connection:
        connection.execute("CREATE TABLE outcome_rows (taken int)")
    with pytest.raises(StorageError, match='relation "outcome_rows" already exists'):
        migrate(empty_database)
    with psycopg.connect(empty_database) as connection:
        assert connection.execute("SELECT to_regclass('bars'), to_regclass('schema_migrations')").fetchone() == (
            None,
            None,
        )
