"""What a bar costs each model: `python -m bench.inference [--bars N] [--models FOLDER] [--save]`.

20 symbols, each with a state of its own, get one row after another, as the stream steps them: a figure is the
milliseconds that a model takes for one bar of all symbols and all horizons, the median and the 99th percentile over the
bars. All models, combiners and the calibration (of one model) take turns within a bar, so that none finds the
processor's caches as it left them. Rows are made of the bundled sample, each symbol's at another place in it.

Trees and networks have the size of those in service: all rounds are kept, and leaves may be small, so that few rows
grow all of them. Networks are trained for an epoch of few rows, which no forecast takes longer or shorter for.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from bench.report import save
from features.frame import FeatureFrame, Floats
from models import training
from models.combine.combiner import Combiner
from models.forecaster import Forecaster, Forecasts
from models.intervals import calibration
from models.intervals.calibration import Calibration
from models.networks.network import Network
from models.registry.zoo import COMBINERS, ZOO
from models.trees import boosted, lightgbm_point, multi_output, xgboost_point
from models.trees.lightgbm_volatility import LightGBMVolatility
from settings import ROOT
from sources.reading.bars import read_bars

SYMBOLS = 20
BARS = 200
WARM_UP = 600
"""Rows that each state has seen before: every label that is awaited matures bar by bar."""
TAIL = 15_000
"""Rows of the sample, from its end, that models are fitted on."""
LEAF_ROWS = 50
"""Rows in a leaf, at least: with the 1,000 of a real fit, so few rows would grow small trees."""
TREES = ("gbm", "lightgbm", "lightgbm_market", "lightgbm_volatility", "xgboost", "catboost")
WITH_HAR = (*TREES, "lightgbm_har")
NETWORKS = ("transformer", "lstm")
CALIBRATED = "ridge"


def fitted(folder: Path | None) -> tuple[list[FeatureFrame], dict[str, Forecaster], list[Combiner]]:
    """Return the sample's features and every model, fitted on them, or read from the folder where it is there."""
    shorten()
    bars = [frame[-TAIL:] for frame in read_bars(sorted((ROOT / "sample").glob("*.csv.gz")), "1m")]
    definition = training.define(bars)
    frames = training.features(bars, definition, {frame.symbol: 1.0 for frame in bars})
    models: dict[str, Forecaster] = {}
    for name, model in ZOO.items():
        if folder and (folder / name / "model.json").exists():
            models[name] = model.load(folder / name)
            continue
        print(f"fitting {name}", file=sys.stderr, flush=True)
        models[name] = model(definition.names)
        models[name].fit(frames, seed=0)
        if folder:
            models[name].save(folder / name)
    names = definition.names
    return frames, models, [of(names, fingerprint=definition.fingerprint) for of in COMBINERS.values()]


def shorten() -> None:
    """Make fits short that do not change what a forecast costs."""
    boosted.SHARES = (1.0,)
    for parameters in (lightgbm_point.PARAMETERS, LightGBMVolatility.library, multi_output.PARAMETERS):
        parameters["min_data_in_leaf"] = LEAF_ROWS
    xgboost_point.PARAMETERS["min_child_weight"] = LEAF_ROWS
    Network.EPOCHS, Network.ROWS, Network.JUDGED = 1, 2_000, 1_000


def measured(
    frames: list[FeatureFrame], models: Mapping[str, Forecaster], combiners: list[Combiner], bars: int
) -> dict[str, Floats]:
    """Return the milliseconds of each model, combiner and of the calibration, for all symbols: one number a bar."""
    frame_of = [frames[symbol % len(frames)] for symbol in range(SYMBOLS)]
    longest = min(map(len, frames)) - WARM_UP - bars
    starts = [longest * symbol // SYMBOLS for symbol in range(SYMBOLS)]
    states: dict[str, list[Any]] = {}
    raw: list[dict[str, Forecasts]] = [{} for _ in range(SYMBOLS)]
    took: dict[str, list[float]] = {}

    def warm(name: str, initial: Any, step: Any) -> None:
        rows = [frame[start : start + WARM_UP] for frame, start in zip(frame_of, starts, strict=True)]
        states[name] = [step(initial(), row, symbol) for symbol, row in enumerate(rows)]

    def timed(name: str, step: Any, rows: list[FeatureFrame]) -> None:
        before = perf_counter()
        for symbol, row in enumerate(rows):
            states[name][symbol] = step(states[name][symbol], row, symbol)
        took.setdefault(name, []).append((perf_counter() - before) * 1e3)

    steps: dict[str, Any] = {name: _model(model, raw) for name, model in models.items()}
    initials: dict[str, Any] = {name: model.initial for name, model in models.items()}
    for combiner in combiners:
        steps[combiner.name], initials[combiner.name] = _combiner(combiner, raw), combiner.initial
    horizons = models[CALIBRATED].horizons
    steps["calibration"] = lambda state, row, symbol: calibration.step(state, row, raw[symbol][CALIBRATED], horizons)[0]
    initials["calibration"] = lambda: Calibration.initial(len(horizons))
    for name, step in steps.items():
        print(f"warming up {name}", file=sys.stderr, flush=True)
        warm(name, initials[name], step)
    for bar in range(-5, bars):
        rows = [frame[at : at + 1] for frame, at in zip(frame_of, (s + WARM_UP + 5 + bar for s in starts), strict=True)]
        for name, step in steps.items():
            timed(name, step, rows)
    return {name: np.array(milliseconds[5:]) for name, milliseconds in took.items()}


def _model(model: Forecaster, raw: list[dict[str, Forecasts]]) -> Any:
    def step(state: Any, row: FeatureFrame, symbol: int) -> Any:
        state, raw[symbol][model.name] = model.step(state, row)
        return state

    return step


def _combiner(combiner: Combiner, raw: list[dict[str, Forecasts]]) -> Any:
    return lambda state, row, symbol: combiner.step(state, row, raw[symbol])[0]


def figures(values: dict[str, Floats], models: Mapping[str, Forecaster]) -> dict[str, object]:
    """Return what the page shows."""
    shown: dict[str, object] = {"symbols": SYMBOLS, "horizons": len(models[CALIBRATED].horizons)}
    shown["bars"] = len(values[CALIBRATED])
    shown["trees_of_each"] = {name: _trees(models[name]) for name in WITH_HAR}
    shown |= {f"{name}_ms": _percentiles(milliseconds) for name, milliseconds in values.items()}
    shown["trees_together_ms"] = _percentiles(sum(values[name] for name in TREES))
    shown["trees_and_lightgbm_har_with_its_har_together_ms"] = _percentiles(sum(values[name] for name in WITH_HAR))
    shown["networks_together_ms"] = _percentiles(sum(values[name] for name in NETWORKS))
    every = [values[name] for name in values if name != "calibration"]
    shown["all_with_the_calibration_of_each_ms"] = _percentiles(sum(every) + len(every) * values["calibration"])
    return shown


def _trees(model: Any) -> int:
    """Return how many trees a row passes through."""
    readers = [model._trees] if model.name == "gbm" else [one.trees for part in model.boosters for one in part]
    return sum(len(reader.leaves) for reader in readers)


def _percentiles(milliseconds: Any) -> dict[str, float]:
    p50, p99 = np.quantile(milliseconds, (0.5, 0.99))
    return {"p50": round(float(p50), 2), "p99": round(float(p99), 2)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bars", type=int, default=BARS)
    parser.add_argument("--models", type=Path, help="keep the fitted models in this folder, or take them from it")
    parser.add_argument("--save", action="store_true", help="keep the figures in bench/results")
    options = parser.parse_args()
    frames, models, combiners = fitted(options.models)
    values = figures(measured(frames, models, combiners, options.bars), models)
    print(json.dumps(values, indent=2))
    if options.save:
        save("inference", f"python -m bench.inference --bars {options.bars}", values)


if __name__ == "__main__":
    main()
