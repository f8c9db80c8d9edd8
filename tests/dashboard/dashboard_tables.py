"""A small study in memory, with names that are HTML."""

from dataclasses import replace

import numpy as np

from learning.tuning.study_table import Parameter, StudySummary, StudyTable

SUMMARY = StudySummary(
    study_id=1, name="<b>a", maximize=True, trials=5, complete=3, pruned=1, failed=1, running=0, best=3.0, moved=None
)


def table(values: tuple[float, ...] = (1.0, 3.0, 2.0, np.nan, np.nan), maximize: bool = True) -> StudyTable:
    """Return a study with these values; a trial without one has failed."""
    count = len(values)
    rate = Parameter(name="rate", values=np.geomspace(0.001, 0.1, count), low=0.001, high=0.1, log=True)
    kind = Parameter(name="kind", values=np.arange(count) % 2.0, low=0, high=1, choices=("plain", "<i>x"))
    return StudyTable(
        summary=replace(SUMMARY, maximize=maximize),
        number=np.arange(count),
        state=np.where(np.isfinite(values), 0, 2),
        value=np.array(values),
        start=np.arange(count, dtype=float),
        end=np.arange(count) + 5.0,
        parameters={"rate": rate, "kind": kind},
        attributes={},
    )
