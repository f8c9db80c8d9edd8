"""The results of an evaluation, as plain tables."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from evaluation.bootstrap import FEWEST_DAYS
from evaluation.labels import Ints
from evaluation.significance import Comparison, Membership, Superiority
from models.baselines.naive import Naive
from models.forecaster import Floats
from models.skill import skill

BASELINE = Naive.name
REAL_VOLATILITY = "har"
"""The model that others are compared with in QLIKE."""


class Cell(NamedTuple):
    """A metric's value with its 95 % interval and minimum detectable effect, NaN if unknown.

    Over all rows where `month`, `symbol` and `cell` are empty.
    """

    model: str
    horizon: int
    metric: str
    month: str
    symbol: str
    cell: str
    value: float
    low: float
    high: float
    detectable: float


class Reliability(NamedTuple):
    """A tenth of the rows by p_up: its mean, and the share that rose."""

    model: str
    horizon: int
    p_up: float
    rose: float
    rows: int


class Weight(NamedTuple):
    """The mean weight of an expert in the ensemble while the market was in a regime."""

    regime: str
    horizon: int
    expert: str
    weight: float


@dataclass(frozen=True, kw_only=True)
class Results:
    """All results, the models in the order of scoring, the baseline first.

    `start` and `end` are the first and last row's time (epoch ms), `days` [D] the UTC days since 1970. `differences`
    holds, a loss, the daily sums of the loss less the baseline's [models, H, D]; `baseline` the baseline's own [H, D].
    """

    models: tuple[str, ...]
    horizons: tuple[int, ...]
    symbols: tuple[str, ...]
    seed: int
    rows: int
    start: int
    end: int
    cells: list[Cell]
    comparisons: list[Comparison]
    memberships: list[Membership]
    superiority: list[Superiority]
    reliability: list[Reliability]
    days: Ints
    differences: dict[str, Floats]
    baseline: dict[str, Floats]

    @cached_property
    def _cells(self) -> dict[tuple[object, ...], Cell]:
        return {tuple(cell[:6]): cell for cell in self.cells}

    @cached_property
    def _comparisons(self) -> dict[tuple[object, ...], Comparison]:
        return {tuple(comparison[:4]): comparison for comparison in self.comparisons}

    @cached_property
    def _memberships(self) -> dict[tuple[object, ...], Membership]:
        return {tuple(membership[:3]): membership for membership in self.memberships}

    def find(self, model: str, horizon: int, metric: str, month: str = "", symbol: str = "", cell: str = "") -> Cell:
        """Return a metric, unknown if it was not computed."""
        key = (model, horizon, metric, month, symbol, cell)
        return self._cells.get(key) or Cell(*key, np.nan, np.nan, np.nan, np.nan)

    def compared(self, loss: str, horizon: int, model: str, reference: str) -> Comparison | None:
        """Return a model's test against a reference, None if there is none."""
        return self._comparisons.get((loss, horizon, model, reference))

    def member(self, loss: str, horizon: int, model: str) -> Membership | None:
        """Return a model's place in or outside the confidence set, None if there is none."""
        return self._memberships.get((loss, horizon, model))

    def skill(self, loss: str, horizon: int, model: str, reference: str) -> float:
        """Return 1 - loss / the reference's loss, on the same rows; NaN if either is not here."""
        if model not in self.models or reference not in self.models:
            return np.nan
        column = self.horizons.index(horizon)
        total = self.baseline[loss][column].sum()
        mine, other = (
            total + self.differences[loss][self.models.index(name), column].sum() for name in (model, reference)
        )
        result = skill(float(mine), float(other))
        return np.nan if result is None else result

    @property
    def undecided(self) -> bool:
        """Return whether the days are too few for any test or interval."""
        return len(self.days) < FEWEST_DAYS

    @property
    def months(self) -> tuple[str, ...]:
        """Return the scored months, in order."""
        return tuple(sorted({cell.month for cell in self.cells} - {""}))
