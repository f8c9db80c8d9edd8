"""Studies read from Optuna's own tables, also with 50,000 trials; and what of them goes to a browser."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import optuna
import psycopg
import pytest
from dashboard_studies import add_trials, check_later, new_study, open_study
from stacks import databases

from dashboard.tuning import plot_data
from dashboard.tuning.study_reader import StudySource, source
from learning.tuning.importances import importances
from learning.tuning.importances_process import ImportancesProcess
from learning.tuning.later_check import later_check
from learning.tuning.study_table import read_studies, read_table

pytestmark = pytest.mark.services

MANY = 50_000
LIMIT = 2_000
"""The most points of a plot that go to the browser."""


@pytest.fixture(scope="module")
def new_url(servers: Any) -> Iterator[Callable[[], str]]:
    with databases(servers, "studies") as make:
        yield make


@pytest.fixture(scope="module")
def many(new_url: Callable[[], str]) -> str:
    """A database with a study of 50,000 trials."""
    url = new_url()
    add_trials(url, new_study(url, "gbm-many"), 0, MANY)
    return url


def test_a_database_without_a_study_has_none(new_url: Callable[[], str]) -> None:
    with source(new_url()) as opened:
        assert opened.read(()).known == ()


def test_a_study_is_read_as_optuna_reads_it(new_url: Callable[[], str]) -> None:

    url = new_url()
    study_id = new_study(url, "gbm-a")
    add_trials(url, study_id, 0, 120)
    with source(url) as opened:
        summary = opened.read(()).known[0]
        table = opened.read(("gbm-a",)).shown["gbm-a"].table

    study = open_study(url, "gbm-a").study
    trials = study.get_trials()
    assert (summary.trials, summary.best, summary.maximize) == (120, study.best_value, True)
    assert table.best is not None
    assert table.number[table.best] == study.best_trial.number
    np.testing.assert_array_equal(table.number, [trial.number for trial in trials])
    np.testing.assert_array_equal(
        table.value, [np.nan if trial.values is None else trial.values[0] for trial in trials]
    )
    for name, parameter in table.parameters.items():
        expected = [trial.params[name] for trial in trials]
        shown = [parameter.choices[int(one)] if parameter.choices else one for one in parameter.values.tolist()]
        assert shown == expected
    mine = importances(table)
    theirs = optuna.importance.get_param_importances(study, evaluator=optuna.importance.PedAnovaImportanceEvaluator())
    assert mine == pytest.approx(theirs)
    assert next(iter(mine)) == "rate"


def test_of_ended_trials_nothing_is_read_again(new_url: Callable[[], str]) -> None:
    url = new_url()
    study_id = new_study(url, "gbm-a")
    add_trials(url, study_id, 0, 60)
    with psycopg.connect(url, autocommit=True) as connection:
        first = read_table(connection, read_studies(connection)[0])
        add_trials(url, study_id, 60, 40)
        connection.execute("UPDATE optuna.trial_values SET value = 99")
        grown = read_table(connection, read_studies(connection)[0], first)
        anew = read_table(connection, read_studies(connection)[0])
    assert len(grown) == len(anew) == 100
    assert np.nanmax(grown.value[:60]) < 1 < np.nanmin(grown.value[60:])
    for name, parameter in anew.parameters.items():
        np.testing.assert_array_equal(grown.parameters[name].values, parameter.values)


def test_a_trial_that_comes_while_a_study_is_read_is_of_the_next_reading(new_url: Callable[[], str]) -> None:
    url = new_url()
    study_id = new_study(url, "gbm-a")

    class Overtaken(psycopg.Connection[Any]):
        """A connection that is overtaken by another trial after each of its statements."""

        trials = 0

        def execute(self, *arguments: Any, **options: Any) -> psycopg.Cursor[Any]:
            cursor = super().execute(*arguments, **options)
            add_trials(url, study_id, Overtaken.trials, 1)
            Overtaken.trials += 1
            return cursor

    with Overtaken.connect(url, autocommit=True) as connection:
        table = None
        for _ in range(3):
            table = read_table(connection, read_studies(connection)[0], table)
    for parameter in table.parameters.values():
        assert len(parameter.values) == len(table)
        assert np.isfinite(parameter.values).all()


def test_a_trial_that_runs_is_read_until_it_has_ended(new_url: Callable[[], str]) -> None:
    url = new_url()
    study_id = new_study(url, "gbm-a")
    add_trials(url, study_id, 0, 20)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE optuna.trials SET state = 'RUNNING', datetime_complete = NULL WHERE number = 5")
        opened = StudySource(connection)
        running = opened.read(()).shown["gbm-a"].table
        assert running.summary.running == 1
        assert np.isnan(running.goodness[5])
        connection.execute("UPDATE optuna.trials SET state = 'COMPLETE', datetime_complete = now() WHERE number = 5")
        deadline = time.monotonic() + 20
        while (ended := opened.read(()).shown["gbm-a"].table).summary.running and time.monotonic() < deadline:
            time.sleep(0.05)  # a study is not read again at once: one of many trials takes seconds
        assert ended.summary.running == 0
        assert np.isfinite(ended.goodness[5])
        assert opened.read(()).shown["gbm-a"].table is ended


def test_the_later_days_are_shown_of_the_best_and_against_the_untuned(new_url: Callable[[], str]) -> None:
    url = new_url()
    study_id = new_study(url, "gbm-a")
    add_trials(url, study_id, 0, 60)
    with psycopg.connect(url, autocommit=True) as connection:
        table = read_table(connection, read_studies(connection)[0])
        assert later_check(table) is None
        assert table.best is not None
        best = int(table.number[table.best])
        check_later(url, study_id, {0: [0.01, 0.02, 0.03], best: [0.02, 0.04, 0.03], 3: [0.0, 0.0, 0.0]})
        check = later_check(read_table(connection, read_studies(connection)[0]))
    assert check is not None
    assert check.gain is not None
    assert (check.trial, check.best.mean, check.gain.mean) == (best, pytest.approx(0.03), pytest.approx(0.01))


def test_no_plot_of_50000_trials_has_more_points_than_it_can_show(many: str) -> None:
    with source(many) as opened:
        table = opened.read(()).shown["gbm-many"].table
    assert len(table) == MANY
    trials, best = plot_data.history(table)
    area = plot_data.contour(table, "rate", "depth", dark=False)
    sizes = {
        "history": len(trials["number"]),
        "best": len(best["number"]),
        "edf": len(plot_data.distribution(table)["value"]),
        "slice": len(plot_data.points(table, "rate", None, dark=False)["x"]),
        "rank": len(plot_data.points(table, "rate", "kind", dark=True)["x"]),
        "parallel": len(plot_data.parallel(table, list(table.parameters), 100, dark=False)["ys"]),
        "timeline": len(plot_data.timeline(table, 0.0)["number"]),
        "contour": sum(len(ring) for polygons in area["xs"] for rings in polygons for ring in rings),
    }
    assert all(0 < size <= LIMIT for name, size in sizes.items() if name != "contour"), sizes
    assert 0 < sizes["contour"] <= 2 * LIMIT, sizes
    assert best["value"][-1] == table.summary.best == np.nanmax(trials["value"])


@pytest.mark.long
def test_the_importances_of_many_trials_are_computed_in_a_process_of_their_own_and_kept(many: str) -> None:

    with source(many) as opened:
        study = opened.read(()).known[0]
    process = ImportancesProcess(many)
    asked = time.monotonic()
    grown = replace(study, complete=2 * study.complete)
    assert process.known(study) is None
    assert time.monotonic() - asked < 1.0
    while (found := process.known(study)) is None and time.monotonic() - asked < 120:
        time.sleep(0.1)
    assert process.known(grown) is found
    assert not process._busy, "it is not computed again at once, however many trials have come"
    process.stop()
    assert found is not None
    assert (found.error, found.trials) == ("", study.complete)
    assert next(iter(found.shares)) == "rate"
    assert process.known(study) is found
