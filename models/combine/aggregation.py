"""Online aggregation of experts by ML-Poly with delayed feedback, contexts as sleeping experts, and fixed share.

ML-Poly with the gradient trick for the square loss (Gaillard, Stoltz and van Erven 2014, "A second-order bound with
excess losses"): the weight of an expert is its regret so far, where positive, times its own learning rate
1 / (largest squared regret + sum of squared regrets). Each pair of a context r and an expert k is an expert of its own,
awake with confidence c_r, the context's probability (their section on confidence regrets). Old evidence fades with
`MEMORY`, and the published weights are mixed with even ones by `SHARE` and with a floor on the strong experts.
All is in units of the scale: forecasts and labels are divided by sigma sqrt(h) and clipped.
"""

import numpy as np

from features.compiled import compiled, compiled_and_kept
from features.frame import Floats, Ints

MEMORY = 0.5 ** (1 / 43_200)
"""Decay per label of full confidence: a half-life of 30 days of minutes."""
SHARE = 0.02
"""The share distributed evenly among awake experts (fixed share)."""
FLOOR = 0.10
"""The share distributed evenly among the strong experts, whatever their regret."""
LARGEST_SLOPE = 1.2
PRIOR = 10.0
"""The weight of the prior of one for the calibration slope: a standard error of about 0.3, times the h overlapping
labels."""
TIME, PRICE, SIGMA, FIRST = 0, 1, 2, 3
PLAYED = 2
"""The last columns of a row: the forecast of the regrets alone, and with the share and the floor."""
REGRET, ENERGY, LARGEST = 0, 1, 2
XX, XY = 0, 1


@compiled_and_kept
def advance(
    rows: Floats, old: int, at: Ints, y: Floats, memory: Floats, slope: Floats, strong: Floats, prior: float
) -> tuple[int, Floats, Floats]:
    """Forecast the rows from `old` on, before each learning what matured with it, at one horizon.

    `rows` [m, 3 + R + K + 2] hold time, price, sigma, the contexts' probabilities, the experts' forecasts (NaN: asleep)
    and the published forecasts; `at` [m] is the new row at which the label `y` [m] of each matures, NaN if there is
    none. `memory` [3, R, K] (regret, squared regret, largest squared regret) and `slope` [2] change in place; `strong`
    [K] is one for experts with a floor. Returns the number of rows learnt, the forecasts [n] and the weights [n, K].
    """
    contexts, experts = memory.shape[1], memory.shape[2]
    output = np.full(len(rows) - old, np.nan)
    weights = np.zeros((len(rows) - old, experts))
    pure = np.empty(experts)
    first = FIRST + contexts
    learnt = 0
    for row in range(old, len(rows)):
        while learnt < row and at[learnt] <= row - old:
            if not np.isnan(y[learnt]) and not np.isnan(rows[learnt, -1]):
                _learn(rows[learnt], y[learnt], memory)
                _remember(rows[learnt, -1], y[learnt], slope)
            learnt += 1
        played = weights[row - old]
        if _weigh(rows[row], memory, strong, pure, played):
            rows[row, -2] = rows[row, -1] = 0.0
            for k in range(experts):
                if played[k] > 0:
                    rows[row, -2] += pure[k] * rows[row, first + k]
                    rows[row, -1] += played[k] * rows[row, first + k]
            trust = (slope[XY] + prior) / (slope[XX] + prior)
            output[row - old] = min(max(trust, 0.0), LARGEST_SLOPE) * rows[row, -1]
    return learnt, output, weights


@compiled
def _weigh(row: Floats, memory: Floats, strong: Floats, pure: Floats, played: Floats) -> bool:
    """Set the weights of the regrets, and the published ones; False if every expert sleeps."""
    contexts, experts = memory.shape[1], memory.shape[2]
    first = FIRST + contexts
    awake, firm, total = 0, 0.0, 0.0
    for k in range(experts):
        pure[k] = 0.0
        if not np.isnan(row[first + k]):
            awake += 1
            firm += strong[k]
            for r in range(contexts):
                if memory[REGRET, r, k] > 0:
                    rate = 1 / (memory[LARGEST, r, k] + memory[ENERGY, r, k])
                    pure[k] += row[FIRST + r] * rate * memory[REGRET, r, k]
            total += pure[k]
    if awake == 0:
        return False
    floor = FLOOR if firm > 0 else 0.0
    for k in range(experts):
        if not np.isnan(row[first + k]):
            pure[k] = pure[k] / total if total > 0 else 1.0 / awake
            played[k] = (1.0 - SHARE - floor) * pure[k] + SHARE / awake
            if firm > 0:
                played[k] += floor * strong[k] / firm
    return True


@compiled
def _learn(row: Floats, y: float, memory: Floats) -> None:
    """Add to each pair's regret the linearised loss of the regrets' own forecast less the pair's."""
    contexts, experts = memory.shape[1], memory.shape[2]
    gradient = 2.0 * (row[-1] - y)
    for r in range(contexts):
        confidence = row[FIRST + r]
        kept = 1.0 - (1.0 - MEMORY) * confidence
        for k in range(experts):
            forecast = row[FIRST + contexts + k]
            if not np.isnan(forecast):
                regret = confidence * gradient * (row[-2] - forecast)
                memory[REGRET, r, k] = kept * memory[REGRET, r, k] + regret
                memory[ENERGY, r, k] = kept * memory[ENERGY, r, k] + regret * regret
                memory[LARGEST, r, k] = max(memory[LARGEST, r, k], regret * regret)


@compiled
def _remember(forecast: float, y: float, slope: Floats) -> None:
    """Add a forecast and its label to the sums of the calibration slope."""
    slope[XX] = MEMORY * slope[XX] + forecast * forecast
    slope[XY] = MEMORY * slope[XY] + forecast * y
