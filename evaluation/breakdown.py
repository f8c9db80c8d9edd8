"""The errors of forecasts by group: regime, hour of the day, tercile of volatility, symbol."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.labels import Ints
from evaluation.sum_metrics import FEWEST
from models.forecaster import Floats
from models.skill import skill

TERCILE_LEVELS = (1 / 3, 2 / 3)


@dataclass(frozen=True, kw_only=True)
class Losses:
    """The losses of n forecasts and the naive model's of the same bars, each [n]; NaN is unknown. `hit` is 0 or 1."""

    pinball: Floats
    naive_pinball: Floats
    error: Floats
    naive_error: Floats
    hit: Floats


@dataclass(frozen=True, kw_only=True)
class GroupScore:
    """The scores of one group; None if unknown, as with fewer than `FEWEST` forecasts. `error` is the mean absolute."""

    name: str
    forecasts: int
    pinball_skill: float | None
    mae_skill: float | None
    coverage: float | None
    error: float | None


def by_group(losses: Losses, group: Ints, names: Sequence[str]) -> list[GroupScore]:
    """Return the scores of each group, in the order of the names; a row whose `group` [n] is negative is in none.

    A skill is of the sums over the rows that have both losses, as everywhere.
    """
    return [_score(losses, np.flatnonzero(group == place), name) for place, name in enumerate(names)]


def _score(losses: Losses, rows: Ints, name: str) -> GroupScore:
    hit, error = losses.hit[rows], losses.error[rows]
    known = int((~np.isnan(error)).sum())
    enough = known >= FEWEST
    return GroupScore(
        name=name,
        forecasts=known,
        pinball_skill=_skill(losses.pinball[rows], losses.naive_pinball[rows]) if enough else None,
        mae_skill=_skill(error, losses.naive_error[rows]) if enough else None,
        coverage=float(np.nanmean(hit)) if enough and not np.isnan(hit).all() else None,
        error=float(np.nanmean(error)) if enough else None,
    )


def _skill(loss: Floats, reference: Floats) -> float | None:
    both = ~np.isnan(loss) & ~np.isnan(reference)
    return skill(float(loss[both].sum()), float(reference[both].sum()))


def terciles(symbol: Ints, scale: Floats) -> Ints:
    """Return in which third of its symbol's scales [n] each row's lies: 0 (calm) to 2 (turbulent), -1 if unknown."""
    places = np.full(len(scale), -1, dtype=np.int64)
    for one in np.unique(symbol).tolist():
        rows = np.flatnonzero((symbol == one) & ~np.isnan(scale))
        if len(rows):
            places[rows] = np.searchsorted(np.quantile(scale[rows], TERCILE_LEVELS), scale[rows])
    return places
