"""Runs in which versions of a model take each other's place: a home with two of each, and what the tables then say."""

import shutil
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from pydantic import SecretStr
from stacks import Servers
from stream_runs import Run

from features.definition import Definition
from learning.deployment.ledger import Ledger
from models import training
from models.baselines.naive import Naive
from models.registry import model_registry, provenance
from models.trees.gbm import GBM
from settings import Settings
from sources.reading.bars import read_bars
from stack import sample
from topics.records import Bar, Deployment

SECOND_TRAINING_BARS = 4_500
WARM = 300
"""Bars of each symbol that are sent at once, before those that come one by one."""
CHAMPIONS = """
SELECT symbol, (extract(epoch FROM time) * 1000)::int8, model, count(DISTINCT version)
FROM predictions WHERE role = 'champion' AND horizon = 1 GROUP BY symbol, time, model
"""
VERSIONS = """
SELECT symbol, (extract(epoch FROM time) * 1000)::int8, version, role
FROM {} WHERE model = %s AND horizon = 1 ORDER BY symbol, time
"""
EVENTS = """
SELECT model, version, event, number, role, symbol, (extract(epoch FROM time) * 1000)::int8, reason
FROM model_events ORDER BY time
"""


def home_with_second_versions(trained: Path, home: Path) -> tuple[Path, dict[str, str]]:
    """Copy the models in service, and store a second version of two beside them; return where, and which they are."""
    folder = home / "models"
    shutil.copytree(trained, folder)
    definition = Definition.load(folder)
    bars = [frame[:SECOND_TRAINING_BARS] for frame in read_bars(sample.FILES, "1m")]
    frames = training.features(bars, definition)
    values = {}
    for kind in (Naive, GBM):
        model = kind(definition.names)
        model.fit(frames, seed=5)
        model_registry.store(folder, model, provenance.of(bars, definition.fingerprint, 5))
        values[model.name] = model.version
    return folder, values


def ledger_of(servers: Servers) -> Ledger:
    """Return the ledger of a stack."""
    return Ledger(settings_of(servers))


def settings_of(servers: Servers) -> Settings:
    return Settings(home=servers.home, **servers.as_stack(), database_url=SecretStr(servers.database_url))


@contextmanager
def streaming(run: Run, bars: dict[str, list[Bar]], pause_s: float) -> Iterator[None]:
    """Send the first bars at once and the others one by one, beside what is done inside; wait until all are sent."""
    frames = [rows[:WARM] for rows in bars.values()]
    frames += [[row] for together in zip(*(rows[WARM:] for rows in bars.values()), strict=True) for row in together]
    failed: list[BaseException] = []

    def send() -> None:
        try:
            run.send(frames, lambda number: time.sleep(pause_s if number > len(bars) else 0.0))
        except BaseException as error:  # noqa: BLE001 - raised below, in the test's own thread
            failed.append(error)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        thread.join()
    if failed:
        raise failed[0]


def asked(servers: Servers, query: str, *parameters: object) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    with psycopg.connect(servers.database_url) as connection:
        return connection.execute(query, parameters).fetchall()


def bars_of(servers: Servers, model: str, version: str, role: str) -> int:
    """Return how many bars a version has predicted in a role."""
    query = "SELECT count(*) FROM predictions WHERE model = %s AND version = %s AND role = %s AND horizon = 1"
    return int(asked(servers, query, model, version, role)[0][0])


def assert_one_champion_a_bar(servers: Servers, bars: dict[str, list[Bar]], models: Sequence[str]) -> None:
    """Every bar has exactly one champion's prediction of each model: none missing, none twice."""
    values = {(symbol, at, model): count for symbol, at, model, count in asked(servers, CHAMPIONS)}
    assert Counter(values.values()).keys() == {1}
    every = {(symbol, bar.time, model) for symbol, rows in bars.items() for bar in rows for model in models}
    missing, made_up = sorted(every - values.keys()), sorted(values.keys() - every)
    assert (len(missing), len(made_up)) == (0, 0), (missing[:3], missing[-3:], made_up[:3])


def first_bars(servers: Servers, made: Deployment) -> dict[str, int]:
    """Return by symbol the first bar that a decision's champion served, as the workers told it."""
    values: dict[str, int] = {}
    for model, version, event, number, _, symbol, at, _ in asked(servers, EVENTS):
        if (model, version, event, number) == (made.model, made.champion, "serving", made.number):
            values[symbol] = min(values.get(symbol, at), at)
    return values


def champions(servers: Servers, model: str, table: str = "predictions") -> dict[str, list[tuple[int, str]]]:
    """Return by symbol the champion's version at each bar, in time order."""
    values: dict[str, list[tuple[int, str]]] = {}
    for symbol, at, version, role in asked(servers, VERSIONS.format(table), model):
        if role == "champion":
            values.setdefault(symbol, []).append((at, version))
    return values
