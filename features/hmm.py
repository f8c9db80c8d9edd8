"""Fits the regimes' parameters: Baum-Welch over several symbols, with a prior that matches the states' names.

The observations of neighbouring bars share most of their windows, and expectation-maximisation would count each as new
evidence, which gives states of a few bars that follow the noise. So it uses every 15th bar, whose `heat` shares no
returns with the last one's, and the transition matrix of 15 bars is then converted to one bar. The filter uses every
bar, with a fixed power of the likelihood (`temper`). The likelihood alone does not give states that match the names: on
a year of Bitfinex one state covers minutes without trades, on a month of Binance one covers half a drift, and neither
has a turbulent state. So the fit is a posterior mode: pseudo-observations, `PRIOR` times as many as the data and
distributed as `features.regimes.DEFAULT`, are added to the data. Source: Rabiner (1989), sections III.C and V.B;
Dempster, Laird and Rubin (1977) for the mode.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from features.compiled import compiled, compiled_and_kept
from features.frame import BarFrame, Floats
from features.regimes import DEFAULT, LEAST_DEVIATION, LONG, SHORT, STATES, RegimeParameters, observe
from features.table import LONGEST_GAP
from topics.units import interval_ms

Flags = npt.NDArray[np.bool_]

THIN = SHORT
PRIOR = 0.5
LEAST_PRIOR = 400.0
"""The least number of pseudo-observations: a few days of bars contain little evidence on how the states differ."""
ITERATIONS, SETTLED = 500, 1e-5
DIGITS = 6
"""Decimals of the parameters: rounded, they are equal on machines whose logarithms differ in the last bit."""


def observations(frame: BarFrame) -> list[Floats]:
    """Return (heat, drift) [n, 2] of one symbol's bars, one array for each stretch without a long gap; NaN: unknown.

    A stretch begins at the first bar with a complete window.
    """
    cuts = np.flatnonzero(np.diff(frame.time) > (LONGEST_GAP + 1) * interval_ms(frame.interval)) + 1
    pieces = []
    for first, end in pairwise([0, *cuts.tolist(), len(frame)]):
        if end - first > LONG:
            returns = np.diff(np.log(frame.close[first:end]))
            values = np.empty((2, len(returns) - LONG + 1))
            observe(returns, LONG - 1, values[0], values[1])
            pieces.append(np.ascontiguousarray(values.T))
    return pieces


def fit(observed: Sequence[Floats], start: RegimeParameters = DEFAULT, prior: float = PRIOR) -> RegimeParameters:
    """Return the parameters fitted to sequences of (heat, drift) [n, 2], a row a bar; states ordered by `named`.

    `start` is the initial value of the iteration and the distribution of the pseudo-observations; `prior` is their
    number over the data's (0: likelihood alone). The result is deterministic. Without observations the start is
    returned.
    """
    thin = [sequence[::THIN] for sequence in observed if len(sequence)]
    if not thin:
        return start
    rows = np.concatenate(thin)
    begins = np.zeros(len(rows), dtype=np.bool_)
    begins[np.cumsum([0, *(len(sequence) for sequence in thin[:-1])])] = True
    means, deviations = np.array(start.means), np.array(start.deviations)
    transition = np.linalg.matrix_power(np.array(start.transition), THIN)
    made_up = (max(prior * len(rows), LEAST_PRIOR) if prior else 0.0) / len(STATES)
    leaned = made_up * np.ones(len(STATES)), made_up * means, made_up * (means**2 + deviations**2), made_up * transition
    for _ in range(ITERATIONS):
        seen, first, second, steps = (
            part + result
            for part, result in zip(leaned, _expected(rows, begins, means, deviations, transition), strict=True)
        )
        before, means = means, first / seen[:, None]
        deviations = np.sqrt(np.maximum(second / seen[:, None] - means**2, LEAST_DEVIATION**2))
        transition = steps / steps.sum(axis=1, keepdims=True)
        if np.abs(means - before).max() < SETTLED:
            break
    order = named(means)
    return _parameters(means[order], deviations[order], per_bar(transition)[np.ix_(order, order)], start.temper)


def named(means: Floats) -> list[int]:
    """Return which state is calm, trending up, trending down and turbulent, by (heat, drift) [4, 2].

    Turbulent is the hottest, trending up and down are those of the greatest drift among the others, calm is what
    remains.
    """
    left = list(range(len(STATES)))
    turbulent = max(left, key=lambda state: float(means[state, 0]))
    left.remove(turbulent)
    up = max(left, key=lambda state: float(means[state, 1]))
    left.remove(up)
    down = min(left, key=lambda state: float(means[state, 1]))
    left.remove(down)
    return [left[0], up, down, turbulent]


def per_bar(transition: Floats) -> Floats:
    """Return the transition matrix of one bar, whose power `THIN` is the given one, or as close to it as possible.

    It is computed by the logarithm, whose negative rates, if a matrix has no such root, are set to 0.
    Source: Israel, Rosenthal and Wei (2001).
    """
    values, vectors = np.linalg.eig(transition.astype(np.complex128))
    rates = (vectors @ np.diag(np.log(values)) @ np.linalg.inv(vectors)).real
    rates = np.where(np.eye(len(rates)) > 0, 0.0, np.maximum(rates, 0.0)) / THIN
    rates -= np.diag(rates.sum(axis=1))
    term = result = np.eye(len(rates))
    for k in range(1, 20):
        term = term @ rates / k
        result = result + term
    root: Floats = result
    return root


def _parameters(means: Floats, deviations: Floats, transition: Floats, temper: float) -> RegimeParameters:
    def pairs(values: Floats) -> tuple[tuple[float, float], ...]:
        return tuple((round(float(heat), DIGITS), round(float(drift), DIGITS)) for heat, drift in values)

    leaving = np.round(np.where(np.eye(len(transition)) > 0, 0.0, np.maximum(transition, 0.0)), DIGITS)
    rows = leaving + np.diag(1.0 - leaving.sum(axis=1))
    staying = tuple(tuple(round(value, DIGITS) for value in row) for row in rows.tolist())
    return RegimeParameters(pairs(means), pairs(deviations), staying, temper)


@compiled
def _densities(rows: Floats, means: Floats, deviations: Floats) -> Floats:
    """Return the likelihood of each row under each state [n, 4], over the greatest of the row; 1 where unknown."""
    n, states = len(rows), len(means)
    density = np.ones((n, states))
    for t in range(n):
        if rows[t, 0] == rows[t, 0] and rows[t, 1] == rows[t, 1]:  # not NaN
            best = -np.inf
            for s in range(states):
                a, b = (rows[t, 0] - means[s, 0]) / deviations[s, 0], (rows[t, 1] - means[s, 1]) / deviations[s, 1]
                density[t, s] = -0.5 * (a * a + b * b) - np.log(deviations[s, 0] * deviations[s, 1])
                best = max(best, density[t, s])
            for s in range(states):
                density[t, s] = np.exp(density[t, s] - best)
    return density


@compiled
def _forward(density: Floats, begins: Flags, transition: Floats) -> tuple[Floats, Floats]:
    """Return each row's filtered posterior [n, 4], and the mass [n] by which it was scaled to one."""
    n, states = density.shape
    forward, scale = np.empty((n, states)), np.zeros(n)
    for t in range(n):
        for s in range(states):
            chance = 1.0 / states if begins[t] else 0.0
            if not begins[t]:
                for j in range(states):
                    chance += forward[t - 1, j] * transition[j, s]
            forward[t, s] = chance * density[t, s]
            scale[t] += forward[t, s]
        for s in range(states):
            forward[t, s] /= scale[t]
    return forward, scale


@compiled_and_kept
def _expected(
    rows: Floats, begins: Flags, means: Floats, deviations: Floats, transition: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the states' expected statistics: counts [4], sums and squares [4, 2], transitions [4, 4].

    A sequence begins in any state; an unknown row is not counted, but the chain makes a transition.
    """
    n, states = len(rows), len(means)
    density = _densities(rows, means, deviations)
    forward, scale = _forward(density, begins, transition)
    seen, first, second = np.zeros(states), np.zeros((states, 2)), np.zeros((states, 2))
    steps, backward, before = np.zeros((states, states)), np.ones(states), np.empty(states)
    for t in range(n - 1, -1, -1):
        if rows[t, 0] == rows[t, 0] and rows[t, 1] == rows[t, 1]:  # not NaN
            for s in range(states):
                share = forward[t, s] * backward[s]
                seen[s] += share
                for d in range(2):
                    first[s, d] += share * rows[t, d]
                    second[s, d] += share * rows[t, d] * rows[t, d]
        for j in range(states):
            before[j] = 1.0 if begins[t] else 0.0
            for s in range(0 if begins[t] else states):
                follows = transition[j, s] * density[t, s] * backward[s] / scale[t]
                steps[j, s] += forward[t - 1, j] * follows
                before[j] += follows
        for j in range(states):
            backward[j] = before[j]
    return seen, first, second, steps
