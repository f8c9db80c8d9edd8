"""Runs synthetic bars through every fold, so that all code is compiled before the first real bar."""

import numpy as np

from features.frame import BarFrame, FeatureFrame
from features.step import FeatureState, FeatureStep
from features.suspect_prices import SuspectState, reasons
from models.scoring import outcomes
from models.scoring.outcomes import OutcomesState
from models.serving.predictor import Predictor, PredictorState
from topics.units import interval_ms

SYMBOL = "WARMUP"
BARS = 400
"""More than the features' warm-up and the longest horizon: the last have forecasts and labels."""


def warm_up(features: FeatureStep, predictor: Predictor, interval: str) -> None:
    """Make synthetic bars and compute their features, predictions and outcomes as the stream does: a batch, then one.

    The states go through bytes between the two, as they do after a restart. Nothing is kept.
    """
    bars = _bars(interval)
    folded, served, waiting = features.initial(), predictor.initial(SYMBOL), outcomes.initial()
    looked = SuspectState()
    for part in (bars[:-1], bars[-1:]):
        looked, _ = reasons(looked, part.gap.copy(), part.high.copy(), part.low.copy(), part.close.copy())
        folded = FeatureState.loads(folded.dumps(), features.initial())
        served = PredictorState.loads(served.dumps())
        waiting = OutcomesState.loads(waiting.dumps())
        folded, rows, _ = features.step(folded, part)
        served, predictions = predictor.step(served, FeatureFrame.of(rows.records()))
        waiting, _ = outcomes.step(waiting, predictions)


def _bars(interval: str) -> BarFrame:
    time = np.arange(1, BARS + 1, dtype=np.int64) * interval_ms(interval)
    price = 100.0 + np.sin(np.arange(BARS))
    return BarFrame.build(SYMBOL, interval, time, open=price, high=price, low=price, close=price)
