"""What is stored before the pages are opened: days of minutes with forecasts, a study, and decisions."""

import optuna
import psycopg

from bench.dashboard.training_run import training
from bench.queries import START, fill
from learning.tuning.study import Shared
from models.search_space import Integer, Real, Space
from settings import Settings

MODELS = ("naive", "gbm", "har", "online")
SPACE: Space = {"rate": Real(0.001, 0.1, 0.01, log=True), "depth": Integer(2, 12, 6), "shrink": Real(0.0, 1.0, 0.5)}
STUDY, TRIALS, EPOCHS = "gbm-bench", 200, 30
REGIMES = """
INSERT INTO regimes (symbol, interval, time, state, posterior)
SELECT symbol, interval, time, state, jsonb_build_object(state, 0.8)
FROM bars, LATERAL (
    SELECT CASE WHEN extract(epoch FROM time)::int8 / 60 % 300 < 200 THEN 'calm' ELSE 'turbulent' END
) AS s (state)
"""


def store(settings: Settings, symbols: int, days: int) -> list[str]:
    """Fill a database that has the schema, and log a run to MLflow; return the symbols."""
    url = settings.database_url.get_secret_value()
    with psycopg.connect(url, autocommit=True) as connection:
        fill(connection, symbols, days, MODELS)
        connection.execute(REGIMES)
        connection.execute("ANALYZE regimes")
        names = [name for (name,) in connection.execute("SELECT DISTINCT symbol FROM series ORDER BY symbol")]
    study = Shared(url, STUDY, SPACE, optuna.pruners.MedianPruner(), 0)
    for number in range(TRIALS):
        add_trial(study, number)
    with training(settings) as steps:
        for epoch in range(1, EPOCHS + 1):
            for step in steps:
                step(epoch)
    return names


def add_trial(study: Shared, number: int) -> None:
    """Add a trial that is complete."""
    values = {
        "rate": 0.001 * 100 ** (number * 0.618 % 1),
        "depth": 2 + number * 7 % 11,
        "shrink": number * 0.7549 % 1,
    }
    distributions = {
        "rate": optuna.distributions.FloatDistribution(0.001, 0.1, log=True),
        "depth": optuna.distributions.IntDistribution(2, 12),
        "shrink": optuna.distributions.FloatDistribution(0.0, 1.0),
    }
    value = 0.01 - 0.001 * (values["shrink"] - 0.4) ** 2
    study.study.add_trial(optuna.trial.create_trial(params=values, distributions=distributions, value=value))


def first_minute(days: int) -> int:
    """Return the time of the first minute that is not stored, in epoch ms."""
    return round(START.timestamp() * 1_000) + days * 86_400_000
