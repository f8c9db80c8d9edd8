"""The project's goals for its ensemble on five coins' minutes, tested over three months, and the results."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from evaluation.number_format import number
from evaluation.results import BASELINE, REAL_VOLATILITY, Results
from models.combine.ensemble import Ensemble
from models.registry.zoo import COMBINERS

JUDGED = Ensemble.name
R2 = {1: 3.5, 5: 3.4, 15: 1.8, 60: 0.6}
"""Least R2 of volatility-scaled returns, in percent."""
QLIKE = {5: 7.0, 15: 10.0, 60: 7.0}
"""Least reduction of QLIKE against HAR, in percent."""
WINKLER = {5: 5.0, 15: 5.0, 60: 4.0}
"""Least reduction of the Winkler score against the calibrated EWMA, in percent."""
OVERALL, WITHIN = 0.5, 2.0
"""Most that coverage may be off, in percentage points: over all rows, and in each cell."""
TO_BEAT = (BASELINE, "ar", "online")
SIGNIFICANT = 0.05


class Goal(NamedTuple):
    """One goal, at one horizon."""

    what: str
    horizon: int
    asked: str
    came: str
    met: bool


def goals(results: Results) -> list[Goal]:
    """Return every goal for which there are results."""
    matches = [goal for horizon in results.horizons for goal in _at(results, horizon)]
    return [goal for goal in matches if JUDGED in results.models]


def _at(results: Results, horizon: int) -> Iterator[Goal]:
    r2 = 100 * results.find(JUDGED, horizon, "r2").value
    if horizon in R2:
        yield Goal("R² %", horizon, f"≥ {R2[horizon]}", number(r2, 2), r2 >= R2[horizon])
    for loss, reference, least in (("qlike", REAL_VOLATILITY, QLIKE), ("winkler", BASELINE, WINKLER)):
        less = 100 * results.skill(loss, horizon, JUDGED, reference)
        if horizon in least:
            name = f"{'QLIKE' if loss == 'qlike' else 'Winkler'} below {reference}, %"
            yield Goal(name, horizon, f"≥ {least[horizon]:g}", number(less, 1), less >= least[horizon])
    off = 100 * (results.find(JUDGED, horizon, "coverage_90").value - 0.9)
    yield Goal("90 % coverage off, points", horizon, f"≤ {OVERALL}", number(off, 2, sign=True), abs(off) <= OVERALL)
    yield _cells(results, horizon)
    yield _none_better(results, horizon)
    yield _better(results, horizon)


def _cells(results: Results, horizon: int) -> Goal:
    wanted = (JUDGED, horizon, "coverage_90", "")
    values = [cell.value for cell in results.cells if tuple(cell[:4]) == wanted and cell.cell]
    off = np.array([100 * (value - 0.9) for value in values if np.isfinite(value)])
    far = int((np.abs(off) > WITHIN).sum())
    worst = number(float(off[np.argmax(np.abs(off))]) if len(off) else np.nan, 1, sign=True)
    came = f"{far} of {len(off)}, worst {worst}"
    return Goal(f"cells more than {WITHIN:g} points off", horizon, "0", came, len(off) > 0 and far == 0)


def _none_better(results: Results, horizon: int) -> Goal:
    experts = [model for model in results.models if model not in COMBINERS]
    better = [name for name in experts if _significant(results, horizon, name, JUDGED)]
    return Goal("experts significantly better", horizon, "none", ", ".join(better) or "none", not better)


def _better(results: Results, horizon: int) -> Goal:
    there = [name for name in TO_BEAT if name in results.models]
    beaten = [name for name in there if _significant(results, horizon, JUDGED, name)]
    names = ", ".join(TO_BEAT)
    return Goal("significantly better than", horizon, names, ", ".join(beaten) or "none", beaten == list(TO_BEAT))


def _significant(results: Results, horizon: int, model: str, reference: str) -> bool:
    comparison = results.compared("squared", horizon, model, reference)
    return comparison is not None and comparison.difference < 0 and comparison.p < SIGNIFICANT
