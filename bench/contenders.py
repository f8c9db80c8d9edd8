"""Whole histories, as `bench.features` measures them, each in a process of its own.

The seconds, and the memory above what stood before.
"""

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from bench import market
from bench.memory import forget_the_peak, status
from features import fold
from features.advance import BLOCK, rows_of
from features.definition import DEFAULT
from features.frame import Floats
from features.series import SERIES, TIME, derive
from features.step import FeatureStep
from features.table import FEATURES, HISTORY, Feature

FITTED = DEFAULT.regimes.array()
PRICES = ("open", "high", "low", "close", "volume")


def timed(act: Callable[[], object], repeats: int, warm: Callable[[], object] | None = None) -> dict[str, Any]:
    """Return the seconds of each call of `act` and the most memory (MiB) that they took, after one that warms up.

    Seconds of the processor: all contenders work in one thread, and what else runs on the machine is not counted.
    """
    (warm or act)()
    forget_the_peak()
    before, seconds = status("VmRSS"), []
    for _ in range(repeats):
        begun = time.process_time()
        kept = act()
        seconds.append(time.process_time() - begun)
        del kept
    return {"seconds": seconds, "mib": (status("VmHWM") - before) / 1_024}


def ours(rows: int, repeats: int) -> dict[str, Any]:
    """All columns of the table, over the whole history."""
    step, frame = FeatureStep(), market.frame(market.minutes(rows))
    return timed(lambda: list(step.compute([frame])), repeats)


def ours_as_talib(rows: int, repeats: int) -> dict[str, Any]:
    """The features that TA-Lib has, by a fold of these alone, unasked columns included."""
    from bench.peers import of_talib
    from bench.restricted import columns, restricted

    features = of_talib()
    some, all_rows = restricted(features), rows_of(market.frame(market.minutes(rows)))

    def act() -> Floats:
        values, buffer = np.empty((columns(features), rows)), fold.fresh()
        for first in range(0, rows, BLOCK):
            block = np.ascontiguousarray(all_rows[:, first : first + BLOCK])
            buffer = some(buffer, block, market.INTERVAL, FITTED, values, first)
        return values

    return timed(act, repeats)


def talib(rows: int, repeats: int) -> dict[str, Any]:
    """TA-Lib's functions, each distinct call once."""
    from bench.peers import talib_calls

    names, calls = _names_for_talib(market.minutes(rows)), talib_calls()[0]
    code = {name: compile(call, call, "eval") for name, call in calls.items()}

    def act() -> object:
        made = dict(names)
        for name, call in code.items():
            made[name] = eval(call, made)  # noqa: S307 - of our own table
        return made

    return timed(act, repeats)


def _names_for_talib(bars: pd.DataFrame) -> dict[str, Any]:
    import talib as library

    names: dict[str, Any] = {name: getattr(library, name) for name in library.__all__ if name.isupper()}
    return names | {"np": np} | {name: bars[name].to_numpy(dtype=np.float64) for name in PRICES}


def each_function(rows: int, repeats: int) -> dict[str, Any]:
    """Seconds a row of every function of ours on one block, and of every call of TA-Lib over the whole history."""
    from bench.peers import talib_calls

    bars = market.minutes(rows)
    block = rows_of(market.frame(bars.head(HISTORY + BLOCK)))
    x = np.full((SERIES, block.shape[1]), np.nan)
    x[: fold.ROWS - 1], x[TIME] = block[:-1], block[-1]
    derive(x, 1, 0.0, market.INTERVAL)
    names, theirs = _names_for_talib(bars), {}
    for name, call in talib_calls()[0].items():
        code = compile(call, call, "eval")
        theirs[f"{name} = {call}"] = timed(lambda of=code: eval(of, names), repeats)["seconds"]  # noqa: S307 - our own text
        names[name] = eval(code, names)  # noqa: S307 - our own text
    mine = {feature.names[0]: _alone(feature, x, repeats) for feature in FEATURES}
    derived = timed(lambda: derive(x, HISTORY, 0.0, market.INTERVAL), repeats * 10)["seconds"]
    return {
        "ours": {name: float(np.median(seconds)) / BLOCK for name, seconds in mine.items()},
        "derived": float(np.median(derived)) / BLOCK,
        "talib": {call: float(np.median(seconds)) / rows for call, seconds in theirs.items()},
    }


def _alone(feature: Feature, x: Floats, repeats: int) -> list[float]:
    out, state = np.empty((len(feature.names), BLOCK)), np.zeros(feature.state)
    own = ([state] if feature.state else []) + ([FITTED] if feature.fitted else [])
    parts = (x, HISTORY, out, *own, *feature.parameters)
    seconds: list[float] = timed(lambda: feature.function(*parts), repeats * 10)["seconds"]
    return seconds


def ta(rows: int, repeats: int) -> dict[str, Any]:
    """All of ta's columns."""
    bars = market.minutes(rows)[list(PRICES)].reset_index(drop=True)
    add = ta_columns()
    return timed(lambda: add(bars.copy()), repeats, lambda: add(bars.head(1_000).copy()))


def ta_columns() -> Callable[[Any], Any]:
    """Return the function that adds all of ta's columns to bars."""
    import ta as library

    warnings.simplefilter("ignore")  # of ta's own making, under today's pandas
    np.seterr(all="ignore")
    return lambda bars: library.add_all_ta_features(bars, *PRICES)
