"""A database as a version before left it is brought up to date with its rows, which say afterwards what they said."""

import json
from pathlib import Path

import psycopg
import pytest

from alerts.rules.fold import SeriesState, State
from alerts.rules.matching import dump, load
from alerts.store.overview import rule_in_force
from storage import timescale
from storage.timescale import migrate

pytestmark = pytest.mark.services


def migrate_until(url: str, last: str) -> None:
    """Bring the schema to where a version before had it: up to that migration."""
    with psycopg.connect(url, autocommit=True) as connection:
        for path in sorted(timescale.MIGRATIONS.glob("[0-9]*.sql")):
            if path.stem <= last:
                with connection.transaction():
                    timescale._migrate_one(connection, Path(path))


def test_rules_on_skill_go_on_with_the_number_that_they_tested(empty_database: str) -> None:
    migrate_until(empty_database, "0050_alert_worker")
    poor = {"name": "poor", "on": "outcome", "when": {"operator": "below", "field": "skill", "threshold": 0.0}}
    other = {"name": "up", "on": "prediction", "when": {"operator": "above", "field": "p_up", "threshold": 0.6}}
    with psycopg.connect(empty_database) as connection:
        for rule in (poor | {"window": 50, "rearm": 0.01}, other):
            connection.execute("INSERT INTO alert_rules VALUES (%s, 3, %s)", (rule["name"], json.dumps(rule)))
        connection.execute("INSERT INTO alert_states VALUES ('poor', 3, 'BTCUSDT', 'as it was')")
        connection.execute(
            "INSERT INTO model_skill "
            "VALUES ('2025-06-01', '1m', 'gbm', 'v1', 'champion', 5, 'all', 1, 9, 0.1, 0.2, 0.9)"
        )
    migrate(empty_database)
    with psycopg.connect(empty_database) as connection:
        rule = rule_in_force(connection, "poor")
        assert rule is not None
        assert (rule.when.field, rule.when.threshold, rule.rearm, rule.version) == ("mae_skill", 0.0, 0.01, 3)
        assert rule_in_force(connection, "up") is not None
        assert connection.execute("SELECT state FROM alert_states").fetchall() == [(b"as it was",)]
        assert connection.execute("SELECT pinball_skill, mae_skill FROM model_skill").fetchall() == [(0.1, 0.2)]


def test_skill_in_sql_is_unknown_where_the_reference_lost_nothing(empty_database: str) -> None:
    migrate(empty_database)
    with psycopg.connect(empty_database) as connection:
        asked = "SELECT skill_of(0.9::float8, 1.2::float8), skill_of(3::numeric, 0::numeric), skill_of(NULL::float8, 1)"
        assert connection.execute(asked).fetchone() == (pytest.approx(0.25), None, None)


def store_with_a_shadow(connection: psycopg.Connection) -> None:
    """Insert a row of each kind that names a role, as the version before the standby wrote them."""
    for role in ("champion", "challenger", "shadow"):
        connection.execute("INSERT INTO contexts (fingerprint, role) VALUES ('f', %s)", (role,))
    connection.execute(
        "INSERT INTO series (symbol, interval, model, version, horizon) VALUES ('BTCUSDT', '1m', 'gbm', 'v1', 5)"
    )
    for minute, (context, letter) in enumerate([(1, "c"), (2, "h"), (3, "s"), (3, "s")]):
        at = f"2025-06-01 12:0{minute}+00"
        connection.execute(
            "INSERT INTO prediction_rows (time, series_id, context_id, price) VALUES (%s, 1, %s, 9)", (at, context)
        )
        connection.execute(
            "INSERT INTO outcome_rows (time, target_time, series_id, status, pinball, role) "
            "VALUES (%s, %s, 1, 's', 0.5, %s)",
            (at, at, letter),
        )
    connection.execute("INSERT INTO stale_score_hours VALUES ('BTCUSDT', '1m', '2025-06-01 12:00+00')")
    connection.execute("SELECT sum_scores(interval '0', 9)")
    for role in ("shadow", "champion", None):
        connection.execute(
            "INSERT INTO model_events (model, version, event, fingerprint, time, number, role) "
            "VALUES ('gbm', coalesce(%s, ''), 'loaded', 'f', now(), 3, %s)",
            (role, role),
        )
    connection.execute(
        "INSERT INTO model_deployments (model, number, action, champion, challengers, shadow, fingerprint, time, "
        "decided_by, why) VALUES ('gbm', 3, 'promote', 'v2', '{v3}', 'v1', 'f', now(), 'user', 'the shadow')"
    )
    connection.execute(
        "INSERT INTO model_skill VALUES ('2025-06-01', '1m', 'gbm', 'v1', 'shadow', 5, 'all', 1, 9, 0.1, 0.2, 0.9)"
    )


def test_the_shadow_is_the_standby_in_every_row(empty_database: str) -> None:
    """Outcomes, and what is summed of them, have a letter for the role, which stays."""
    migrate_until(empty_database, "0051_two_skills")
    on_role = {"name": "role", "on": "model-event", "when": {"operator": "is", "field": "role", "word": "shadow"}}
    turned = {"name": "turned", "on": "model-event", "when": {"operator": "changes", "field": "role"}}
    other = {"name": "other", "on": "model-event", "when": {"operator": "changes", "field": "event"}}
    remembered = dump(
        State(None, 0, {"gbm|v1|loaded|3|1m": SeriesState(5, True, "shadow"), "b": SeriesState(5, True, "champion")})
    )
    with psycopg.connect(empty_database) as connection:
        store_with_a_shadow(connection)
        for rule in (on_role, turned, other):
            connection.execute("INSERT INTO alert_rules VALUES (%s, 1, %s)", (rule["name"], json.dumps(rule)))
            connection.execute("INSERT INTO alert_states VALUES (%s, 1, 'ALL', %s)", (rule["name"], remembered))
    migrate(empty_database)
    with psycopg.connect(empty_database) as connection:

        def asked(query: str) -> list[tuple[object, ...]]:
            return connection.execute(query.encode()).fetchall()

        roles = [("champion",), ("challenger",), ("standby",), ("standby",)]
        for view in ("predictions", "outcomes", "scores"):
            assert asked(f"SELECT role FROM {view} ORDER BY time") == roles, view  # noqa: S608 - ours
        assert asked("SELECT role, scored FROM score_hours ORDER BY role") == [
            ("challenger", 1),
            ("champion", 1),
            ("standby", 2),
        ]
        assert asked("SELECT role FROM model_events ORDER BY role") == [("champion",), ("standby",), (None,)]
        assert asked("SELECT role FROM model_skill") == [("standby",)]
        assert asked("SELECT standby, why FROM model_deployments") == [("v1", "the shadow")]
        rule = rule_in_force(connection, "role")
        assert rule is not None
        assert rule.when.word == "standby"
        states = {name: load(state) for name, state in asked("SELECT rule, state FROM alert_states")}
        for name, word in (("role", "standby"), ("turned", "standby"), ("other", "shadow")):
            assert [one.last for one in states[name].series.values()] == [word, "champion"]


def test_what_an_alert_held_is_what_it_suppressed_in_rows_and_templates(empty_database: str) -> None:
    migrate_until(empty_database, "0052_standby")
    rule = {"name": "up", "on": "prediction", "when": {"operator": "any"}, "message": "{held} before, {symbol} {held}"}
    with psycopg.connect(empty_database) as connection:
        connection.execute("INSERT INTO alert_rules VALUES ('up', 1, %s)", (json.dumps(rule),))
        connection.execute(
            "INSERT INTO alerts (alert_id, rule, symbol, time, severity, message, held) "
            "VALUES ('up-1-x', 'up', 'BTCUSDT', now(), 'info', 'm', 4)"
        )
    migrate(empty_database)
    with psycopg.connect(empty_database) as connection:
        known = rule_in_force(connection, "up")
        assert known is not None
        assert known.message == "{suppressed} before, {symbol} {suppressed}"
        assert connection.execute("SELECT suppressed FROM alerts").fetchall() == [(4,)]
