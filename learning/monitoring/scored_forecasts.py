"""Scored forecasts as columns, and computations on them."""

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from features.frame import Floats, Ints
from models.skill import NAIVE

Flags = npt.NDArray[np.bool_]


class Version(NamedTuple):
    """A version of a model."""

    model: str
    version: str


class Scored(NamedTuple):
    """Outcomes in the order of `bar`, the time (epoch ms) at which the label matured: each column is [n].

    `symbol`, `version` and `regime` are indices into the lists. `role` is ``c``, ``h`` or ``s``, as the table has it.
    Losses are pinball losses, errors absolute ones; `naive_loss` is NaN if the naive model had no forecast.
    """

    bar: Ints
    symbol: Ints
    version: Ints
    horizon: Ints
    regime: Ints
    role: npt.NDArray[np.bytes_]
    loss: Floats
    naive_loss: Floats
    error: Floats
    naive_error: Floats
    hit: Floats
    versions: list[Version]
    regimes: list[str]

    def where(self, rows: Flags | Ints) -> Self:
        """Return some of the rows, by a mask or indices."""
        return self._replace(**{name: getattr(self, name)[rows] for name in self._fields[:-2]})

    @property
    def gain(self) -> Floats:
        """(L_naive - L) / (L_naive + L) [n], in [-1, 1]; 0 if both are 0."""
        return relative(self.naive_loss, self.loss)


def relative(before: Floats, after: Floats) -> Floats:
    """Return the gains (before - after) / (before + after) of losses; 0 if both are 0."""
    total = before + after
    with np.errstate(invalid="ignore", divide="ignore"):
        gain = (before - after) / total
    return np.where(total == 0.0, 0.0, gain)


def with_naive(scored: Scored) -> Scored:
    """Return the rows with the naive model's losses of the same symbol, bar and horizon.

    If the naive model has several versions there, the champion counts, and of champions the newest.
    """
    naive = np.array([one.model == NAIVE for one in scored.versions], dtype=bool)[scored.version]
    _, key = np.unique(np.stack([scored.bar, scored.symbol, scored.horizon]), axis=1, return_inverse=True)
    known = np.flatnonzero(naive)
    known = known[np.lexsort((scored.version[known], scored.role[known] == b"c"))]
    losses = np.full(int(key.max(initial=-1)) + 1, np.nan)
    losses[key[known]] = scored.loss[known]  # the last counts
    return scored._replace(naive_loss=losses[key])


def per_bar(scored: Scored, values: Floats, horizons: Sequence[int]) -> tuple[Ints, Floats]:
    """Return the bars [m], and the mean over the symbols of a value [n], by bar and horizon: [m, H], NaN for none."""
    rows = np.isfinite(values)
    bars, place = np.unique(scored.bar[rows], return_inverse=True)
    column = np.searchsorted(horizons, scored.horizon[rows])
    total, count = np.zeros((len(bars), len(horizons))), np.zeros((len(bars), len(horizons)))
    np.add.at(total, (place, column), values[rows])
    np.add.at(count, (place, column), 1.0)
    with np.errstate(invalid="ignore"):
        return bars, total / count


def against(champion: Scored, challenger: Scored, horizons: Sequence[int]) -> tuple[Ints, Floats]:
    """Return the bars [m] and the challenger's gains over the champion there [m, H], of forecasts that both made."""
    ours, theirs = _keys(champion, horizons), _keys(challenger, horizons)
    _, at, of = np.intersect1d(ours, theirs, assume_unique=True, return_indices=True)
    rows = np.zeros(len(challenger.bar), dtype=bool)
    rows[of] = True
    losses = np.full(len(challenger.bar), np.nan)
    losses[of] = champion.loss[at]
    return per_bar(challenger, np.where(rows, relative(losses, challenger.loss), np.nan), horizons)


def _keys(scored: Scored, horizons: Sequence[int]) -> Ints:
    """Return a number for each row's bar, symbol and horizon."""
    column = np.searchsorted(horizons, scored.horizon)
    return (scored.bar * 4_096 + scored.symbol) * len(horizons) + column
