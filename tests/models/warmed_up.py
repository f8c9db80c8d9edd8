"""In a process of its own: warm up the models in a folder, go on with a file's bars, print what was compiled.

One JSON object: for each compiled function of ours, how many machine codes it had after the warm-up and at the end.
"""

import json
import sys
from pathlib import Path

from numba.core.dispatcher import Dispatcher

from features.definition import Definition
from features.frame import BarFrame, FeatureFrame
from features.step import FeatureState, FeatureStep
from features.suspect_prices import SuspectState, mark
from models.registry.model_registry import load_all
from models.scoring import outcomes
from models.scoring.outcomes import OutcomesState
from models.serving.predictor import Predictor, PredictorState
from models.serving.warm_up import warm_up
from sources.reading.bars import read_bars
from topics.records import Bar

SIZES = (1, 1, 300, 5, 1, 2, 400)


def compiled() -> dict[str, int]:
    modules = [module for name, module in sys.modules.items() if name.partition(".")[0] in ("features", "models")]
    values = {id(item): item for module in modules for item in vars(module).values() if isinstance(item, Dispatcher)}
    return {f"{item.__module__}.{item.__name__}": len(item.signatures) for item in values.values()}


def walk(step: FeatureStep, predictor: Predictor, bars: BarFrame) -> None:
    folded, served, waiting = step.initial(), predictor.initial(bars.symbol), outcomes.initial()
    looked, at = SuspectState(), 0
    for size in SIZES:
        part, at = bars[at : at + size], at + size
        folded = FeatureState.loads(folded.dumps(), step.initial())
        served, waiting = PredictorState.loads(served.dumps()), OutcomesState.loads(waiting.dumps())
        for turn in (part[:1], part[1:]):
            if len(turn):
                folded, rows, _ = step.step(folded, turn)
                served, predictions = predictor.step(served, FeatureFrame.of(rows.records()))
                waiting, _ = outcomes.step(waiting, predictions)
                gap, prices = turn.gap.tolist(), (turn.open, turn.high, turn.low, turn.close)
                of_bar = zip(turn.time.tolist(), *(column.tolist() for column in prices), gap, strict=True)
                results = [Bar(bars.symbol, "1m", *four, None, gap=missing) for *four, missing in of_bar]
                looked, _ = mark(looked, results)


if __name__ == "__main__":
    folder, file = Path(sys.argv[1]), Path(sys.argv[2])
    definition = Definition.load(folder)
    features = FeatureStep(definition)
    models = Predictor.of(load_all(folder, definition.fingerprint), definition.names)
    if "--without" not in sys.argv:
        warm_up(features, models, "1m")
    bars = read_bars([file], "1m")[0]
    before = compiled()
    walk(features, models, bars)
    sys.stdout.write(json.dumps([before, compiled()]))
