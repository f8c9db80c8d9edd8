"""A challenger against the champion: a test that may be looked at after every bar.

For each bar and horizon the gain is (L_champion - L_challenger) / (L_champion + L_challenger), of the pinball losses of
the same forecast, in [-1, 1], averaged over the symbols. The hypothesis is that no gain was expected at the time of the
forecast. The labels of horizon h overlap; the gains of every h-th bar do not. So each horizon has h places, each with
its own bets (`models.betting`), and its evidence is their mean (Arnold, Henzi and Ziegel 2023, "Sequentially valid
tests for forecast calibration"); the overall evidence is the mean over the horizons.

What is valid at any time: each place's wealth is an e-process, so also that of horizon 1, whatever the volatility does.
What is not: the mean over the places of a longer horizon, and over horizons, is an e-value at every fixed bar, but not
an e-process, for each place's bets are fair only to who does not know the bars in between (Choe and Ramdas 2024,
"Combining evidence across filtrations"). That it too is reached by chance as rarely as alpha says is shown by
simulation only (tests/learning/test_learning_sequential.py). Nor does the test speak of a challenger that was better on
the whole and is not any more: the hypothesis that it refutes is that there was never a gain to expect. A gain that is
expected for a while only, and as large a loss afterwards, is such a gain.

Won is a trial with enough evidence overall and enough bars, if at no horizon there is as much evidence for the
champion; lost is one with enough evidence, overall, that the champion is better.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from features.frame import Floats, Ints
from models import betting


@dataclass(frozen=True)
class Verdict:
    """What a trial ended with, at the bar at `time` (epoch ms): `evidence`, numbers by their names."""

    outcome: Literal["won", "lost"]
    time: int
    evidence: Mapping[str, float]


@dataclass
class Trial:
    """The gains of one challenger over one champion until now.

    `alpha` is the chance of a promotion that is none, `least` the bars before which nothing is won, `span` the length
    of a bar in ms. `verdict` is the first that was reached, and stays.
    """

    horizons: tuple[int, ...]
    span: int
    alpha: float
    least: int
    bars: int = 0
    first: int | None = None
    verdict: Verdict | None = None
    evidence: Floats = field(init=False)
    _wealth: list[Floats] = field(init=False)
    _sums: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.evidence = np.ones((2, len(self.horizons)))
        self._wealth = [betting.initial(horizon) for horizon in self.horizons]
        self._sums = np.zeros((2, len(self.horizons)))  # of the gains, and how many there were

    def update(self, time: Ints, gain: Floats) -> Verdict | None:
        """Take the gains [n, H] that came true at the bars at `time` [n], in order, NaN where none did.

        Return the verdict if it was reached at one of these bars: of the challenger, for or against it.
        """
        if not len(time):
            return None
        evidence = np.empty((len(time), 2, len(self.horizons)))
        for column, horizon in enumerate(self.horizons):
            place = time // self.span % horizon
            self._wealth[column], wealth = betting.step(self._wealth[column], place, gain[:, column])
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
        if self.verdict is None and len(reached):
            at = int(reached[0])
            told = self._told(evidence[at], int(bars[at]), sums[at])
            new = self.verdict = Verdict("won" if won[at] else "lost", int(time[at]), told)
        self.bars, self.evidence, self._sums = int(bars[-1]), evidence[-1], sums[-1]
        self.first = int(time[0]) if self.first is None else self.first
        return new

    def told(self) -> dict[str, float]:
        """Return the evidence until now, numbers by their names."""
        return self._told(self.evidence, self.bars, self._sums)

    def _told(self, evidence: Floats, bars: int, sums: Floats) -> dict[str, float]:
        for_it, against_it = evidence
        told = {
            "e_value": float(for_it.mean()),
            "e_value_against": float(against_it.mean()),
            "bars": float(bars),
            "alpha": self.alpha,
        }
        for horizon, value, total, count in zip(self.horizons, for_it.tolist(), *sums.tolist(), strict=True):
            if count:
                told[f"gain_{horizon}"] = total / count
            told[f"e_value_{horizon}"] = value
        return told
