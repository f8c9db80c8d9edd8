"""A challenger against the champion: a test that may be looked at after every bar.

For each bar and horizon the gain is (L_champion - L_challenger) / (L_champion + L_challenger), of the pinball losses of
the same forecast, in [-1, 1], averaged over the symbols. The hypothesis is that no gain was expected at the time of the
forecast. The labels of horizon h overlap; the gains of every h-th bar do not. So each horizon has h starting points,
each with its own bets (`models.scoring.e_process`), and its evidence is their mean (Arnold, Henzi and Ziegel 2023,
"Sequentially valid tests for forecast calibration"); the overall evidence is the mean over the horizons.

Anytime-valid: the wealth of each starting point is an e-process, and so is that of horizon 1, whatever the volatility.
Not so: the mean over the starting points of a longer horizon, and over horizons, is an e-value at every fixed bar, but
not an e-process, since each one's bets are fair only in the filtration without the bars in between (Choe and Ramdas
2024, "Combining evidence across filtrations"). That its false positive rate is at most alpha too is shown by simulation
only (tests/learning/test_learning_e_test.py). The test does not detect a challenger that was better in the past and no
longer is: its null hypothesis is that no gain was ever expected. A temporary gain followed by an equal loss contradicts
it too.

A challenger wins with enough evidence overall and enough bars, if at no horizon there is as much evidence for the
champion; it loses with enough evidence, overall, that the champion is better.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from features.frame import Floats, Ints
from models.scoring import e_process


@dataclass(frozen=True)
class ChallengeResult:
    """The result of a test, at the bar at `time` (epoch ms): `evidence` is numbers by their names."""

    outcome: Literal["won", "lost"]
    time: int
    evidence: Mapping[str, float]


@dataclass(kw_only=True)
class ChampionChallengerTest:
    """The test of one challenger against one champion.

    `alpha` is the probability of a false promotion, `least` the minimum number of bars for a win, `span` the length of
    a bar in ms. `result` is the first one reached, and final.
    """

    horizons: tuple[int, ...]
    span: int
    alpha: float
    least: int
    bars: int = 0
    first: int | None = None
    result: ChallengeResult | None = None
    evidence: Floats = field(init=False)
    _wealth: list[Floats] = field(init=False)
    _sums: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.evidence = np.ones((2, len(self.horizons)))
        self._wealth = [e_process.initial(horizon) for horizon in self.horizons]
        self._sums = np.zeros((2, len(self.horizons)))  # of the gains, and how many there were

    def update(self, time: Ints, gain: Floats) -> ChallengeResult | None:
        """Add the gains [n, H] realised at the bars at `time` [n], in order, NaN if there was none.

        Return the result, for or against the challenger, if it was reached at one of these bars.
        """
        if not len(time):
            return None
        evidence = np.empty((len(time), 2, len(self.horizons)))
        for column, horizon in enumerate(self.horizons):
            place = time // self.span % horizon
            self._wealth[column], wealth = e_process.step(self._wealth[column], place, gain[:, column])
            evidence[:, :, column] = wealth.T
        known = np.isfinite(gain)
        terms = np.stack([np.where(known, gain, 0.0), known], axis=1)
        sums = np.cumsum(np.concatenate([self._sums[None], terms]), axis=0)[1:]
        bars = self.bars + np.cumsum(known.any(axis=1))
        enough = 1.0 / self.alpha
        for_it, against_it = evidence.mean(axis=2).T
        won = (for_it >= enough) & (bars >= self.least) & (evidence[:, 1] < enough).all(axis=1)
        reached = np.flatnonzero(won | (against_it >= enough))
        new = None
        if self.result is None and len(reached):
            at = int(reached[0])
            fields = self._summary(evidence[at], int(bars[at]), sums[at])
            new = self.result = ChallengeResult("won" if won[at] else "lost", int(time[at]), fields)
        self.bars, self.evidence, self._sums = int(bars[-1]), evidence[-1], sums[-1]
        self.first = int(time[0]) if self.first is None else self.first
        return new

    def summary(self) -> dict[str, float]:
        """Return the present evidence, numbers by their names."""
        return self._summary(self.evidence, self.bars, self._sums)

    def _summary(self, evidence: Floats, bars: int, sums: Floats) -> dict[str, float]:
        for_it, against_it = evidence
        fields = {
            "e_value": float(for_it.mean()),
            "e_value_against": float(against_it.mean()),
            "bars": float(bars),
            "alpha": self.alpha,
        }
        for horizon, value, total, count in zip(self.horizons, for_it.tolist(), *sums.tolist(), strict=True):
            if count:
                fields[f"gain_{horizon}"] = total / count
            fields[f"e_value_{horizon}"] = value
        return fields
