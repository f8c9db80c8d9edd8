"""The importance of a study's parameters, computed from its columns with Optuna's own evaluator.

``python -m learning.tuning.importances`` does so in a process of its own: Optuna's evaluators need 200 MB and, with
50,000 trials, seconds, which a server of pages has not.
"""

import json
import os
import sys
from datetime import datetime
from math import isnan
from warnings import catch_warnings, simplefilter

import numpy as np
import numpy.typing as npt
import optuna
import psycopg
from optuna.distributions import json_to_distribution
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from learning.tuning.study_table import StudyTable, read_studies, read_table

FEWEST_TRIALS = 10
START = datetime(2020, 1, 1)
"""Optuna wants a time, which no evaluator looks at."""


class _Columns(optuna.Study):
    """A study that has its trials in memory, as far as an evaluator asks for them."""

    def __init__(self, trials: list[FrozenTrial], direction: StudyDirection) -> None:
        self._found, self._direction = trials, direction

    @property
    def directions(self) -> list[StudyDirection]:
        return [self._direction]

    def _is_multi_objective(self) -> bool:
        return False

    def get_trials(self, deepcopy: bool = True, states: object = None) -> list[FrozenTrial]:  # noqa: ARG002 - all are complete
        return self._found


def importances(table: StudyTable) -> dict[str, float]:
    """Return each parameter's importance for being among the best tenth, the greatest first; they sum to 1.

    PED-ANOVA (Watanabe et al. 2023), which is fast with many trials. Empty with fewer than `FEWEST_TRIALS` complete
    trials, or where all have the same value.
    """
    rows = np.flatnonzero(table.complete)
    if len(rows) < FEWEST_TRIALS or np.ptp(table.value[rows]) == 0:
        return {}
    direction = StudyDirection.MAXIMIZE if table.summary.maximize else StudyDirection.MINIMIZE
    study = _Columns(_trials(table, rows), direction)
    with catch_warnings():
        simplefilter("ignore")
        return get_param_importances(study, evaluator=PedAnovaImportanceEvaluator())


def _trials(table: StudyTable, rows: npt.NDArray[np.int64]) -> list[FrozenTrial]:
    kinds = {name: json_to_distribution(one.distribution) for name, one in table.parameters.items()}
    columns = {name: one.values[rows].tolist() for name, one in table.parameters.items()}
    values, numbers = table.value[rows].tolist(), table.number[rows].tolist()
    known_by_row = [
        {name: column[place] for name, column in columns.items() if not isnan(column[place])}
        for place in range(len(rows))
    ]
    return [
        FrozenTrial(
            number=number,
            state=TrialState.COMPLETE,
            value=value,
            datetime_start=START,
            datetime_complete=START,
            params={name: kinds[name].to_external_repr(value) for name, value in known.items()},
            distributions={name: kinds[name] for name in known},
            user_attrs={},
            system_attrs={},
            intermediate_values={},
            trial_id=number,
        )
        for number, value, known in zip(numbers, values, known_by_row, strict=True)
    ]


def main() -> None:
    """Read a study's address and id from standard input as JSON, and print its importances as JSON."""
    asked = json.load(sys.stdin)
    os.nice(10)
    with psycopg.connect(asked["url"], autocommit=True) as connection:
        summary = next((one for one in read_studies(connection) if one.study_id == asked["study"]), None)
        table = None if summary is None else read_table(connection, summary)
    json.dump({} if table is None else importances(table), sys.stdout)


if __name__ == "__main__":
    main()
