"""The filter of the table of trials: ``learning_rate < 0.05, extra_trees = True``."""

import operator
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from dashboard.tuning.choice import ANY, ORDERS, Choice
from learning.tuning.study_table import STATES, StudyTable

Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

CONDITION = re.compile(r"\s*(?P<name>[^<>=!]+?)\s*(?P<sign><=|>=|!=|<|>|=)\s*(?P<value>.+?)\s*")
SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "!=": operator.ne,
}
OWN = ("value", "number", "seconds")
"""What a condition may ask for besides parameters."""


def matching(table: StudyTable, choice: Choice) -> Rows:
    """Return the rows of the trials that match, in the order that was chosen. Raises ValueError with one line."""
    keep = np.ones(len(table), dtype=bool)
    if choice.state != ANY:
        keep &= table.state == STATES.index(choice.state.upper())
    for text in filter(str.strip, choice.where.split(",")):
        keep &= _condition(table, text)
    if choice.order == ORDERS[1]:
        best = table.best_first()
        others = np.flatnonzero(~np.isfinite(table.goodness))[::-1]
        ordered: Rows = np.concatenate([best, others])
        matched: Rows = ordered[keep[ordered]]
        return matched
    rows = np.flatnonzero(keep)
    return rows[::-1] if choice.order == ORDERS[0] else rows


def _condition(table: StudyTable, text: str) -> Mask:
    match = CONDITION.fullmatch(text)
    if match is None:
        raise ValueError(f"{text.strip()[:60]!r} is no condition such as learning_rate < 0.05")
    name, sign, value = match["name"], match["sign"], match["value"]
    column, choices = _column(table, name)
    if choices:
        if sign not in ("=", "!=") or value not in choices:
            raise ValueError(f"{name} is compared by = or != with one of {', '.join(choices)}")
        number = float(choices.index(value))
    else:
        try:
            number = float(value)
        except ValueError:
            raise ValueError(f"{value[:40]!r}, which {name[:40]} is compared with, is no number") from None
    found: Mask = SIGNS[sign](column, number) & np.isfinite(column)
    return found


def _column(table: StudyTable, name: str) -> tuple[npt.NDArray[np.float64], tuple[str, ...]]:
    if name in table.parameters:
        return table.parameters[name].values, table.parameters[name].choices
    own = {"value": table.value, "number": table.number.astype(np.float64), "seconds": table.end - table.start}
    if name not in own:
        raise ValueError(f"no {name[:40]!r}; there are {', '.join((*OWN, *table.parameters))}")
    return own[name], ()
