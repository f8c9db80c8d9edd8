"""Homes whose bars are persisted, and runs of the pipeline over them."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
from learning_bars import DAY, FIRST, new_database, persist, replayed
from pydantic import SecretStr
from stacks import Servers

from broker.admin import create_topics
from features.frame import BarFrame
from learning.runs.queue import Runs
from learning.runs.records import Step
from models import training
from models.registry import model_registry, provenance
from settings import Settings
from sources.reading.bars import read_bars
from stack.sample import FILES

MODELS = ("naive", "ridge", "gbm")
TRAINED_DAYS, DAYS = 4, 8
NOBODY = "http://127.0.0.1:1"
"""Where no MLflow is."""


def bars(days: float) -> list[BarFrame]:
    return read_bars(FILES, "1m", FIRST + round(days * DAY))


def train(folder: Path) -> None:
    """Put models into service as `foretick train` does, trained on the first days."""
    known = bars(TRAINED_DAYS)
    definition, fitted = training.train(known, 0, models=MODELS)
    model_registry.save(folder, definition, fitted, provenance.of(known, definition.fingerprint, 0))


@contextmanager
def persisted(
    servers: Servers,
    home: Path,
    trained: Path | None,
    serving: Sequence[str] = MODELS,
    mlflow: str = NOBODY,
    days: int = DAYS,
) -> Iterator[Settings]:
    """A database with the first days' bars, and models in service where `trained` has some."""
    create_topics(servers.broker)
    if trained is not None:
        shutil.copytree(trained, home / "models")
        known = model_registry.serving(trained)
        model_registry.serve(home / "models", {name: known[name] for name in serving})
    with new_database(servers.database_url) as url:
        persist(url, *replayed(FIRST + days * DAY))
        yield Settings(
            home=home, **servers.as_stack(), database_url=SecretStr(url), mlflow_uri=mlflow, models=tuple(serving)
        )


def steps(settings: Settings, run_id: str) -> dict[tuple[str, str | None], Step]:
    """Return the records of a run."""
    _, results = Runs(settings.database_url.get_secret_value()).shown(run_id)
    return {(step.step, step.model): step for step in results}


def deployments(settings: Settings) -> list[tuple[str, str, str | None, list[str], str]]:
    """Return the log: model, action, champion, challengers, by whom."""
    query = (
        "SELECT model, action, champion, challengers, decided_by FROM model_deployments ORDER BY time, model, number"
    )
    with psycopg.connect(settings.database_url.get_secret_value()) as connection:
        return connection.execute(query).fetchall()
