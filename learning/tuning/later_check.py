"""The check of a study's best trial on days that no trial used, as the study has stored it."""

from typing import NamedTuple

from learning.tuning.mean_estimate import MeanEstimate, mean_estimate
from learning.tuning.study_table import StudyTable

LATER = "later"
"""The study's attribute with a trial's skill on each day that none used is named by it and the trial's number."""


class LaterCheck(NamedTuple):
    """The skill later of the best trial, and its gain there over the untuned model (None: the best is untuned)."""

    trial: int
    best: MeanEstimate
    gain: MeanEstimate | None


def later_check(table: StudyTable) -> LaterCheck | None:
    """Return the check of the best trial; None if it was not checked."""
    row = table.best
    checked = {
        int(key.removeprefix(f"{LATER} ")): days
        for key, days in table.attributes.items()
        if key.startswith(f"{LATER} ")
    }
    if row is None or len(checked.get(int(table.number[row]), ())) < 2:
        return None
    number = int(table.number[row])
    kept = checked[number]
    untuned = next((one for one in sorted(checked) if _is_untuned(table, one)), None)
    gain = None
    if untuned is not None and untuned != number and len(checked[untuned]) == len(kept):
        gain = mean_estimate([a - b for a, b in zip(kept, checked[untuned], strict=True)])
    return LaterCheck(number, mean_estimate(kept), gain)


def _is_untuned(table: StudyTable, number: int) -> bool:
    """Return whether a trial has the parameters of the first, the untuned model; a retry of it has a later number."""
    return all(one.values[number] == one.values[0] for one in table.parameters.values())
