"""Studies in a database: Optuna makes the tables, and trials are inserted by SQL, as many as are asked for."""

import psycopg

from learning.tuning.study import MedianPruner, Shared
from models.search_space import Choice, Integer, Real, Space

SPACE: Space = {
    "rate": Real(0.001, 0.1, 0.01, log=True),
    "depth": Integer(2, 12, 6),
    "kind": Choice(("plain", "extra <b>"), "plain"),
    "unused": Real(0.0, 1.0, 0.5),
}
FLOAT = '{"name": "FloatDistribution", "attributes": {"step": null, "low": %s, "high": %s, "log": %s}}'
DISTRIBUTIONS = {
    "rate": FLOAT % (0.001, 0.1, "true"),
    "depth": '{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 2, "high": 12}}',
    "kind": '{"name": "CategoricalDistribution", "attributes": {"choices": ["plain", "extra <b>"]}}',
    "unused": FLOAT % (0.0, 1.0, "false"),
}
TRIALS = """
INSERT INTO optuna.trials (number, study_id, state, datetime_start, datetime_complete)
SELECT n, %(study)s,
    (CASE WHEN n %% 10 = 9 THEN 'PRUNED' WHEN n %% 50 = 7 THEN 'FAIL' ELSE 'COMPLETE' END)::optuna.trialstate,
    timestamp '2025-05-18' + n * interval '10 s', timestamp '2025-05-18' + n * interval '10 s' + interval '8 s'
FROM generate_series(%(first)s::int, %(last)s::int) n
"""
PARAMETERS = """
INSERT INTO optuna.trial_params (trial_id, param_name, param_value, distribution_json)
SELECT t.trial_id, p.name, CASE p.name
    WHEN 'rate' THEN 0.001 * power(100, (t.number * 0.6180339887) %% 1)
    WHEN 'depth' THEN 2 + (t.number * 7) %% 11
    WHEN 'kind' THEN t.number %% 2
    ELSE (t.number * 0.7548776662) %% 1 END, p.distribution
FROM optuna.trials t, unnest(%(names)s::text[], %(distributions)s::text[]) AS p (name, distribution)
WHERE t.study_id = %(study)s AND t.number BETWEEN %(first)s AND %(last)s
"""
VALUES = """
INSERT INTO optuna.trial_values (trial_id, objective, value, value_type)
SELECT t.trial_id, 0, 0.02 - 0.01 * power(log(p.param_value) + 2, 2) + 0.001 * sin(t.number), 'FINITE'
FROM optuna.trials t JOIN optuna.trial_params p ON p.trial_id = t.trial_id AND p.param_name = 'rate'
WHERE t.study_id = %(study)s AND t.state = 'COMPLETE' AND t.number BETWEEN %(first)s AND %(last)s
"""
REPORTED = """
INSERT INTO optuna.trial_intermediate_values (trial_id, step, intermediate_value, intermediate_value_type)
SELECT t.trial_id, step, 0.01 - 0.001 * ((t.number * 3) %% 17) + 0.002 * step, 'FINITE'
FROM optuna.trials t, generate_series(1, 2) step
WHERE t.study_id = %(study)s AND t.state != 'FAIL' AND t.number BETWEEN %(first)s AND %(last)s
"""
REASONS = """
INSERT INTO optuna.trial_user_attributes (trial_id, key, value_json)
SELECT trial_id, 'reason', '"too few <rows>"' FROM optuna.trials
WHERE study_id = %(study)s AND state = 'FAIL' AND number BETWEEN %(first)s AND %(last)s
"""


def open_study(url: str, name: str) -> Shared:
    """Open a study, made if there is none, as tuning does."""
    return Shared(url, name, SPACE, MedianPruner(), 0)


def new_study(url: str, name: str) -> int:
    """Make a study without trials, as tuning does, and return its id."""
    open_study(url, name)
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT study_id FROM optuna.studies WHERE study_name = %s", [name]).fetchone()
    assert row is not None
    return int(row[0])


def add_trials(url: str, study: int, first: int, count: int) -> None:
    """Insert trials that have ended: one of ten was pruned, one of fifty failed; the value depends on the rate."""
    where = {
        "study": study,
        "first": first,
        "last": first + count - 1,
        "names": list(DISTRIBUTIONS),
        "distributions": list(DISTRIBUTIONS.values()),
    }
    with psycopg.connect(url) as connection:
        for statement in (TRIALS, PARAMETERS, VALUES, REPORTED, REASONS):
            connection.execute(statement, where)


def check_later(url: str, study: int, days: dict[int, list[float]]) -> None:
    """Store the skills of trials on days that none used."""
    with psycopg.connect(url) as connection:
        for number, skills in days.items():
            connection.execute(
                "INSERT INTO optuna.study_user_attributes (study_id, key, value_json) VALUES (%s, %s, %s)",
                [study, f"later {number}", str(skills)],
            )
