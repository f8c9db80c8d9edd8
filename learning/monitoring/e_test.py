"""A challenger against the champion: a test that may be looked at after every bar.

For each bar and horizon the gain is (L_champion - L_challenger) / (L_champion + L_challenger), of the pinball losses of
the same forecast, in [-1, 1], averaged over the symbols. What is tested is one number, the weighted mean of the gains
over the horizons, block by block (`models.scoring.weighted_gains`). The hypothesis is that in no block a weighted mean
above the margin was expected. The margin is the cost of switching: a challenger that is better by less is not promoted.

One bettor per direction bets on each block, before it begins: for the challenger that the mean will be above the
margin, for the champion that it will be below 0. The bets are on the mean in units of `LIMIT` standard errors, cut off
at 1, since a bet on a number in [-1, 1] grows with its size, and a block's mean is small. Everything that counts for a
block is forecast and matures between two bets, so each wealth is an e-process, and a promotion of one that is no better
has the probability alpha at most, however often it is looked at (Ville's inequality). One step is shown by simulation
only (`python -m bench.promotion`): that what is cut off above and below has no part in it. It has one where a
challenger is slightly better in most blocks and, in a few, worse by several standard errors: up to 20 % of such were
promoted at an alpha of 5 % (docs/LOG.md).

A challenger wins with enough evidence and enough bars, if at no horizon there is as much evidence for the champion; it
loses with enough evidence that the champion is better. The evidence by horizon is what that veto asks, and is shown: of
the h starting points of each h-th bar, whose labels do not overlap, the mean wealth (Arnold, Henzi and Ziegel 2023,
"Sequentially valid tests for forecast calibration").
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Self

import numpy as np

from features.frame import Floats, Ints
from models.scoring import e_process, weighted_gains
from settings import Settings

LIMIT = 3.0
"""The standard errors at which a block's mean is cut off: a lower one bets more, and sees less of a bad block."""
STAKES = np.array([0.3, 0.9])
"""The shares of the wealth that are bet on a block's mean, for a small and for a large gain."""
SMALLEST = 1e-9
"""The least standard error: that of versions whose losses are the same is 0."""


@dataclass(frozen=True)
class ChallengeResult:
    """The result of a test, at the bar at `time` (epoch ms): `evidence` is numbers by their names."""

    outcome: Literal["won", "lost"]
    time: int
    evidence: Mapping[str, float]


@dataclass(kw_only=True)
class ChampionChallengerTest:
    """The test of one challenger against one champion.

    `alpha` is the probability of a false promotion, `margin` the weighted mean gain that a challenger has to exceed,
    `least` the minimum number of bars for a win, `span` the length of a bar in ms. `evidence` [2] is that for the
    challenger and for the champion, `by_horizon` [2, H]. `result` is the first one reached, and final.
    """

    horizons: tuple[int, ...]
    span: int
    alpha: float
    margin: float
    least: int
    bars: int = 0
    first: int | None = None
    result: ChallengeResult | None = None
    evidence: Floats = field(init=False)
    by_horizon: Floats = field(init=False)
    _blocks: weighted_gains.State = field(init=False)
    _bets: list[Floats] = field(init=False)
    _wealth: list[Floats] = field(init=False)
    _sums: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.evidence, self.by_horizon = np.ones(2), np.ones((2, len(self.horizons)))
        self._blocks = weighted_gains.initial(self.horizons)
        self._bets = [e_process.initial(1, STAKES) for _ in range(2)]  # two, since the margin is in one direction
        self._wealth = [e_process.initial(horizon) for horizon in self.horizons]
        self._sums = np.zeros((2, len(self.horizons)))  # of the gains, and how many there were

    @classmethod
    def of(cls, settings: Settings, horizons: tuple[int, ...], span: int) -> Self:
        """Return a new test by the settings: the monitor's, and what a page shows of it."""
        alpha, margin, least = settings.promote_alpha, settings.promote_margin, settings.promote_bars
        return cls(horizons=horizons, span=span, alpha=alpha, margin=margin, least=least)

    def update(self, time: Ints, gain: Floats) -> ChallengeResult | None:
        """Add the gains [n, H] realised at the bars at `time` [n], in order, NaN if there was none.

        Return the result, for or against the challenger, if it was reached at one of these bars.
        """
        if not len(time):
            return None
        number = time // self.span
        evidence, by_horizon = self._overall(number, gain), self._each(number, gain)
        known = np.isfinite(gain)
        terms = np.stack([np.where(known, gain, 0.0), known], axis=1)
        sums = np.cumsum(np.concatenate([self._sums[None], terms]), axis=0)[1:]
        bars = self.bars + np.cumsum(known.any(axis=1))
        enough = 1.0 / self.alpha
        for_it, against_it = evidence.T
        won = (for_it >= enough) & (bars >= self.least) & (by_horizon[:, 1] < enough).all(axis=1)
        reached = np.flatnonzero(won | (against_it >= enough))
        new = None
        if self.result is None and len(reached):
            at = int(reached[0])
            fields = self._summary(evidence[at], by_horizon[at], int(bars[at]), sums[at])
            new = self.result = ChallengeResult("won" if won[at] else "lost", int(time[at]), fields)
        self.bars, self.evidence, self.by_horizon, self._sums = int(bars[-1]), evidence[-1], by_horizon[-1], sums[-1]
        self.first = int(time[0]) if self.first is None else self.first
        return new

    def summary(self) -> dict[str, float]:
        """Return the present evidence, numbers by their names."""
        return self._summary(self.evidence, self.by_horizon, self.bars, self._sums)

    def _overall(self, number: Ints, gain: Floats) -> Floats:
        """Return the evidence [n, 2] after each bar, of the weighted mean."""
        self._blocks, (mean, error) = weighted_gains.step(self._blocks, self.horizons, number, gain)
        unit = LIMIT * np.maximum(error, SMALLEST)
        sides = []
        for side, value in enumerate((mean - self.margin, mean)):
            bet = np.clip(value / unit, -1.0, 1.0)
            self._bets[side], wealth = e_process.step(self._bets[side], np.zeros_like(number), bet, STAKES)
            sides.append(wealth[side])
        return np.stack(sides, axis=1)

    def _each(self, number: Ints, gain: Floats) -> Floats:
        """Return the evidence [n, 2, H] after each bar, by horizon."""
        evidence = np.empty((len(number), 2, len(self.horizons)))
        for column, horizon in enumerate(self.horizons):
            self._wealth[column], wealth = e_process.step(self._wealth[column], number % horizon, gain[:, column])
            evidence[:, :, column] = wealth.T
        return evidence

    def _summary(self, evidence: Floats, by_horizon: Floats, bars: int, sums: Floats) -> dict[str, float]:
        fields = {
            "e_value": float(evidence[0]),
            "e_value_against": float(evidence[1]),
            "bars": float(bars),
            "alpha": self.alpha,
            "margin": self.margin,
        }
        with np.errstate(invalid="ignore"):
            means = sums[0] / sums[1]
        if np.isfinite(means).all():
            fields["weighted_gain"] = float(means @ weighted_gains.weights(self.horizons))
        for horizon, value, mean in zip(self.horizons, by_horizon[0].tolist(), means.tolist(), strict=True):
            if np.isfinite(mean):
                fields[f"gain_{horizon}"] = mean
            fields[f"e_value_{horizon}"] = value
        return fields
