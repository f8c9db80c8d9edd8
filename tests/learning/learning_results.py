"""A small evaluation: two models, two horizons, three folds of ten days."""

import numpy as np

from evaluation.metrics import LOSSES
from evaluation.results import Cell, Reliability, Results
from evaluation.splits import DAY, Split

DAYS, HORIZONS, MODELS = 30, (1, 5), ("naive", "gbm")
FIRST = 20_000
METRICS = {"r2": 0.02, "ic": 0.11, "accuracy": 0.53, "crps": 0.55, "coverage_90": 0.9, "edge_bp": 0.4, "qlike": 0.3}
FOLDS = [Split(f"fold {place}", 0, (FIRST + 10 * place) * DAY, (FIRST + 10 * (place + 1)) * DAY) for place in range(3)]
GAINS = np.repeat([0.01, 0.02, 0.03], 10)
"""What the second model saves of the first's loss a day: more in each fold."""


def results() -> Results:
    """Return it."""
    cells = [
        Cell(model, horizon, metric, "", "", "", value * (model != "naive"), value - 0.01, value + 0.01, 0.01)
        for model in MODELS
        for horizon in HORIZONS
        for metric, value in METRICS.items()
    ]
    baseline = np.ones((len(HORIZONS), DAYS))
    difference = np.stack([np.zeros_like(baseline), -baseline * GAINS])
    return Results(
        models=MODELS,
        horizons=HORIZONS,
        symbols=("BTCUSDT",),
        seed=7,
        rows=43_200,
        start=FIRST * DAY,
        end=(FIRST + DAYS) * DAY - 60_000,
        cells=cells,
        comparisons=[],
        memberships=[],
        superiority=[],
        reliability=[
            Reliability(model, horizon, 0.5 + up, 0.5 + up, 10)
            for model in MODELS
            for horizon in HORIZONS
            for up in (-0.1, 0.1)
        ],
        days=np.arange(FIRST, FIRST + DAYS),
        differences=dict.fromkeys(LOSSES, difference),
        baseline=dict.fromkeys(LOSSES, baseline),
    )
