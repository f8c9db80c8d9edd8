"""One rival library of `bench.forecast`, run by the environment of `bench.forecast_environment`: no package of ours.

Reads series.parquet of the folder: `unique_id`, `ds` (the number of a minute), `y`, the one-bar return over its scale,
and `market`, the mean of y over all symbols. Learns from what is before the cut. Writes <contender>.parquet: for each
bar `ds` from the cut on, the forecast means of the return over the next 1, 5, 15 ... bars in units of its scale, each
the sum of the path's steps over sqrt(h). Prints seconds of the processor, rows forecast and the most memory.
"""

import argparse
import json
import logging
import time
import warnings
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
from mlforecast import MLForecast
from mlforecast.lag_transforms import ExponentiallyWeightedMean, RollingMean, RollingStd
from neuralforecast import NeuralForecast
from neuralforecast.losses.pytorch import MSE
from neuralforecast.models import NHITS, DLinear, PatchTST

LOOK_BACK = 120
"""Bars that a network sees."""
BATCH = 256
"""Windows in a step of training."""
LAGS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20, 30, 45, 60, 90, 120)
MARKET = (1, 2, 3, 5, 15, 60)
"""Bars over which the mean return of all symbols is taken."""
CONTEXT = 2_880
"""Bars before the cut from which the features of the first forecasts are made."""
NETWORKS = {"nhits": NHITS, "patchtst": PatchTST, "dlinear": DLinear}


def hour(minute: Any) -> Any:
    """Return the hour of the day (UTC)."""
    return minute // 60 % 24


def with_lightgbm(series: pd.DataFrame, cut: int, steps: int, options: argparse.Namespace) -> dict[str, Any]:
    """MLForecast's direct strategy: a LightGBM for each step of the path, on lags and on moments, also the market's."""

    def maker() -> MLForecast:
        model = lightgbm.LGBMRegressor(**json.loads(options.lightgbm), n_estimators=options.trees)
        moments = [RollingMean(window) for window in (5, 15, 60, 240)]
        moments += [RollingStd(window) for window in (15, 60, 240)]
        moments += [ExponentiallyWeightedMean(alpha) for alpha in (0.3, 0.05)]
        moments += [RollingMean(window, global_=True, time_agg="mean") for window in MARKET]
        return MLForecast({"lightgbm": model}, 1, list(LAGS), {1: moments}, [hour])

    begun = time.process_time()
    fitted = maker().fit(series[series["ds"] < cut], static_features=[], max_horizon=steps)
    fit = time.process_time() - begun
    begun = time.process_time()
    rows = maker().preprocess(series[series["ds"] >= cut - CONTEXT], static_features=[], dropna=False)
    rows = rows[rows["ds"] > cut]  # a row's lags end with the bar before: the one that is forecast from
    x = rows[fitted.ts.features_order_]
    path = np.column_stack([fitted.models_["lightgbm"][step].predict(x) for step in range(steps)])
    ends = rows[["unique_id", "ds"]].assign(ds=rows["ds"] - 1)
    return {"fit": fit, "forecast": time.process_time() - begun, "ends": ends, "path": path}


def with_network(series: pd.DataFrame, cut: int, steps: int, options: argparse.Namespace) -> dict[str, Any]:
    """NeuralForecast: one network that forecasts the whole path from the last bars, by squared loss."""
    network = NETWORKS[options.contender]
    model = network(
        steps,
        LOOK_BACK,
        hist_exog_list=["market"] if network.EXOGENOUS_HIST else None,
        loss=MSE(),
        max_steps=options.steps,
        learning_rate=1e-3,
        windows_batch_size=BATCH,
        random_seed=0,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    forecaster = NeuralForecast([model], 1)
    begun = time.process_time()
    forecaster.fit(series[series["ds"] < cut])
    fit = time.process_time() - begun
    begun = time.process_time()
    size = int(series["ds"].max()) + 1 - cut
    rows = series[series["ds"] >= cut - LOOK_BACK]
    result = forecaster.cross_validation(rows, n_windows=None, test_size=size, step_size=1, use_fitted=True)
    result = result.sort_values(["unique_id", "cutoff", "ds"], kind="stable")
    path = result[str(model)].to_numpy().reshape(-1, steps)
    ends = result[["unique_id", "cutoff"]].iloc[::steps].rename(columns={"cutoff": "ds"})
    return {"fit": fit, "forecast": time.process_time() - begun, "ends": ends, "path": path}


def memory(name: str) -> int:
    """Return a line of this process's status, in KiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


def main() -> None:
    """Fit, forecast and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contender", choices=["mlforecast", *NETWORKS], required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--cut", type=int, required=True)
    parser.add_argument("--horizons", type=int, nargs="+", required=True)
    parser.add_argument("--lightgbm", default="{}", help="parameters of the trees, as JSON")
    parser.add_argument("--trees", type=int, default=250)
    parser.add_argument("--steps", type=int, default=500)
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # of the libraries' own making
    logging.disable(logging.WARNING)
    series = pd.read_parquet(options.folder / "series.parquet")
    if options.contender not in NETWORKS:
        series = series.drop(columns="market")  # MLForecast would take the column for one that is known beforehand
    act = with_network if options.contender in NETWORKS else with_lightgbm
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    before = memory("VmRSS")
    results = act(series, options.cut, max(options.horizons), options)
    mib = (memory("VmHWM") - before) / 1_024
    sums = np.cumsum(results["path"], axis=1)
    values = {f"mean_{h}": sums[:, h - 1] / h**0.5 for h in options.horizons}
    results["ends"].assign(**values).to_parquet(options.folder / f"{options.contender}.parquet", index=False)
    print(json.dumps({"fit": results["fit"], "forecast": results["forecast"], "rows": len(sums), "mib": mib}))


if __name__ == "__main__":
    main()
