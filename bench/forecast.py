"""Our LightGBM beside mlforecast's, and NeuralForecast's PatchTST, NHITS and DLinear: `python -m bench.forecast`.

All forecast the log returns of the next 1, 5, 15 and 60 bars from the same bars, cut at the same time, and are judged
on the same rows: the last days of the development panel where it is there, else of the bundled sample. Row 0 is the
naive forecast. Ours reads whole bars and the other symbols'; the rivals what they are made for, each symbol's returns,
scaled by the volatility known before them, and what they make of these themselves; the market's mean return where they
have a way to see it (mlforecast and NHITS). Their forecast of a horizon is the
sum of the path of one-bar returns, trained by squared loss: so they have means, but no quantiles of the sum. Like our
trees they learn from all but the last fifth of the bars before the cut; what they say there gives the slope of what
came true on it, by which ours is shrunk, and beside their own R2 stands that of their forecasts shrunk alike.

R2 is against a forecast of zero, of returns in units of sigma sqrt(h) clipped to +-4; pinball is the mean over seven
levels, in the same units. Each contender is a process of its own on one thread: seconds of the processor, and the most
memory above what stood before; forecasting is per row, features included. The rivals live in an environment of their
own (`bench.forecast_environment`).
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from itertools import product
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pandas as pd
from msgspec.structs import replace

from bench import forecast_environment, forecast_rows
from bench.forecast_rows import DAY, MINUTE, Cut
from bench.memory import forget_the_peak, status
from bench.report import save
from settings import ROOT
from topics.records import HORIZONS, QUANTILES

OURS = ("naive", "lightgbm")
RIVALS = ("mlforecast", "nhits", "patchtst", "dlinear")
OF_A_BOOSTER = ("objective", "deterministic", "num_threads")
"""Parameters of our trees that mlforecast's are not given: LightGBM's interface for scikit-learn has its own."""
KEY = ["unique_id", "ds"]
WALKED = 2 * DAY
"""Before the cut our models walk this long, for their scale and intervals."""
SEED = 0


def ours(name: str, bars: Cut, folder: Path) -> dict[str, float]:
    """Fit one of our models and write its forecasts from the cut on, in units of sigma sqrt(h)."""
    from evaluation.walk_forward import forecast
    from models import training
    from models.registry.zoo import ZOO

    forget_the_peak()
    before, begun = status("VmRSS"), process_time()
    universe = {frame.symbol: 1.0 for frame in bars.bars}
    definition = training.define(bars.early())
    model = ZOO[name](definition.names)
    model.fit(training.features(bars.early(), definition, universe), SEED)
    fit, begun = process_time() - begun, process_time()
    parts, walked_rows = [], 0
    for frame in training.features(bars.bars, definition, universe):
        rows = frame.time >= bars.cut - WALKED
        walked = replace(frame, time=frame.time[rows], close=frame.close[rows], values=frame.values[rows])
        walked_rows += len(walked)
        forecasts, unit = forecast(model, walked), forecast_rows.scales(frame)[rows]
        mean, quantiles = forecasts.mean / unit, forecasts.quantiles / unit[:, :, None]
        table: dict[str, Any] = {"unique_id": frame.symbol, "ds": walked.time // MINUTE}
        for column, horizon in enumerate(HORIZONS):
            table[f"mean_{horizon}"] = mean[:, column]
            table |= {f"q{q}_{horizon}": quantiles[:, column, place] for place, q in enumerate(QUANTILES)}
        parts.append(pd.DataFrame(table)[walked.time >= bars.cut])
    spent = process_time() - begun
    values = {"fit": fit, "forecast": spent, "rows": walked_rows, "mib": (status("VmHWM") - before) / 1_024}
    pd.concat(parts).to_parquet(folder / f"{name}.parquet", index=False)
    return values


def alone(command: list[Any]) -> dict[str, float]:
    """Run a contender in a process of its own, on one thread."""
    one = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "POLARS_MAX_THREADS"), "1")
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **one}, stdout=subprocess.PIPE, check=True)
    values: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return values


def scores(folder: Path, names: list[str], cut: int) -> tuple[int, dict[str, dict[str, dict[int, float]]]]:
    """Return how many rows all contenders have forecast, and what each scores at every horizon.

    `cut` is the number of the first minute that is judged; rivals have forecast rows before it too.
    """
    answers = pd.read_parquet(folder / "answers.parquet").set_index(KEY)
    values = {name: pd.read_parquet(folder / f"{name}.parquet").set_index(KEY).dropna() for name in names}
    rows = answers[answers.index.get_level_values("ds") >= cut]
    for table in values.values():
        rows = rows.loc[rows.index.intersection(table.index)]
    results: dict[str, dict[str, dict[int, float]]] = {name: {} for name in names}
    for name, horizon in product(names, HORIZONS):
        true, own = _clipped(rows[f"true_{horizon}"]), values[name].loc[rows.index]
        scored, mean = results[name], own[f"mean_{horizon}"]
        scored.setdefault("r2", {})[horizon] = _r2(true, mean)
        if name in RIVALS:
            early = values[name][values[name].index.get_level_values("ds") < cut - max(HORIZONS)]
            slope = _slope(_clipped(answers[f"true_{horizon}"]), early[f"mean_{horizon}"])
            scored.setdefault("r2_shrunk", {})[horizon] = _r2(true, slope * mean)
        else:
            levels = own.loc[true.index, [f"q{q}_{horizon}" for q in QUANTILES]].to_numpy()
            scored.setdefault("pinball", {})[horizon] = _pinball(true.to_numpy(), levels)
    return len(rows), results


def _clipped(true: "pd.Series[float]") -> "pd.Series[float]":
    return true.dropna().clip(-forecast_rows.CLIP, forecast_rows.CLIP)


def _r2(true: "pd.Series[float]", mean: "pd.Series[float]") -> float:
    return round(float(1 - ((true - mean.loc[true.index]) ** 2).sum() / (true**2).sum()), 5)


def _slope(true: "pd.Series[float]", mean: "pd.Series[float]") -> float:
    """Return the slope of what came true on the mean, between 0 and 1, over the rows that have both."""
    both = true.index.intersection(mean.index)
    true, mean = true.loc[both], mean.loc[both]
    return min(max(float((true * mean).sum() / (mean**2).sum()), 0.0), 1.0)


def _pinball(true: Any, quantiles: Any) -> float:
    miss, level = true[:, None] - quantiles, np.array(QUANTILES)
    return round(float(np.mean(np.maximum(level * miss, (level - 1) * miss))), 5)


def run(options: argparse.Namespace, folder: Path) -> dict[str, object]:
    """Run all contenders and return what the page shows."""
    python = forecast_environment.make()
    from models.trees.lightgbm_point import PARAMETERS

    bars = forecast_rows.cut(options.train_days, options.test_days, options.sample)
    forecast_rows.series(bars).to_parquet(folder / "series.parquet", index=False)
    forecast_rows.answers(bars).to_parquet(folder / "answers.parquet", index=False)
    trees = {name: value for name, value in PARAMETERS.items() if name not in OF_A_BOOSTER} | {"n_jobs": 1}
    common = ["--folder", folder, "--cut", bars.split // MINUTE, "--horizons", *HORIZONS]
    common += ["--lightgbm", json.dumps(trees), "--trees", options.trees, "--steps", options.steps]
    spent = {}
    for name in (*OURS, *options.rivals):
        print(f"running {name}", file=sys.stderr, flush=True)
        if name in OURS:
            own = ["--train-days", options.train_days, "--test-days", options.test_days, "--contender", name]
            own += ["--folder", folder, *(["--sample"] if options.sample else [])]
            command = [sys.executable, "-m", "bench.forecast", *map(str, own)]
        else:
            # -P: the names in bench/ are not to hide a library's.
            rival = [python, "-P", ROOT / "bench" / "forecast_rivals.py", "--contender", name]
            command = list(map(str, [*rival, *common]))
        spent[name] = alone(command)
    judged, results = scores(folder, list(spent), bars.cut // MINUTE)
    figures: dict[str, object] = {
        "symbols": len(bars.bars),
        "bars_to_learn_from": sum(map(len, bars.early())),
        "rows_judged": judged,
        "rivals_training_steps": options.steps,
        "mlforecast_trees_a_step": options.trees,
    }
    for name in spent:
        figures |= {f"{name}_{metric}": values for metric, values in results[name].items()}
        figures[f"{name}_seconds_to_fit"] = round(spent[name]["fit"], 2)
        figures[f"{name}_microseconds_to_forecast_a_row"] = round(
            spent[name]["forecast"] / spent[name]["rows"] * 1e6, 1
        )
        figures[f"{name}_memory_mib"] = round(spent[name]["mib"])
    return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train-days", type=int, default=24)
    parser.add_argument("--test-days", type=int, default=4)
    parser.add_argument("--sample", action="store_true", help="take the bundled sample even where the panel is there")
    parser.add_argument("--trees", type=int, default=250, help="of mlforecast, for each of its steps")
    parser.add_argument("--steps", type=int, default=500, help="of training of each network of NeuralForecast")
    parser.add_argument("--rivals", nargs="*", choices=RIVALS, default=RIVALS)
    parser.add_argument("--contender", choices=OURS, help="be the process that is measured")
    parser.add_argument("--folder", type=Path, help="where the contenders exchange rows, and leave them")
    parser.add_argument("--save", action="store_true", help="keep the figures in bench/results")
    options = parser.parse_args()
    if options.contender:
        bars = forecast_rows.cut(options.train_days, options.test_days, options.sample)
        print(json.dumps(ours(options.contender, bars, options.folder)))
        return
    with tempfile.TemporaryDirectory(prefix="foretick-bench-") as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        try:
            values = run(options, folder)
        except ValueError as error:
            raise SystemExit(str(error)) from error
    print(json.dumps(values, indent=2))
    if options.save:
        days = f"--train-days {options.train_days} --test-days {options.test_days}{' --sample' * options.sample}"
        save("forecast", f"python -m bench.forecast {days} --trees {options.trees} --steps {options.steps}", values)


if __name__ == "__main__":
    main()
