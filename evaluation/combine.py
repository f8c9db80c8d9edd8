"""The combiners' walk: their state continues from split to split, as in a stream whose models are replaced."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.walk_forward import CHUNK, WalkedSplit, joined, save_forecasts, take_rows
from features.frame import Floats
from models.combine.combiner import Combination
from models.forecaster import Forecasts
from models.intervals import calibration
from models.intervals.calibration import Calibration
from models.json_type import JSON
from topics.records import HORIZONS, QUANTILES


@dataclass
class _Symbol:
    """The state of one symbol: the combiner's, its intervals', and the last combined row."""

    state: JSON
    calibrated: Calibration
    last_time: int = -1


def combine(combiner: type[Combination], walked: Sequence[WalkedSplit], experts: Sequence[str]) -> list[Floats]:
    """Save a combiner's forecasts beside the models', split after split; return the scored rows' weights [n, H, K].

    In the first split it learns through the warm-up too; in a later one it takes over at the cut, and the rows before
    keep NaN.
    """
    symbols: dict[str, _Symbol] = {}
    weights = []
    for split in walked:
        forecasts, own = _split(combiner, split, experts, symbols)
        save_forecasts(split.folder / combiner.name, forecasts, {})
        weights.append(own)
    return weights


def _split(
    combiner: type[Combination], split: WalkedSplit, experts: Sequence[str], symbols: dict[str, _Symbol]
) -> tuple[Forecasts, Floats]:
    one = combiner(split.definition.names, HORIZONS, split.definition.fingerprint)
    forecasts = {name: split.load(name) for name in experts}
    parts, weights, first = [], [], 0
    for frame in split.frames:
        symbol = symbols.setdefault(frame.symbol, _Symbol(one.initial(), Calibration.initial(len(HORIZONS))))
        old = int(frame.time.searchsorted(symbol.last_time, side="right"))
        parts.append(silent(old))
        for begin in range(old, len(frame), CHUNK):
            end = min(begin + CHUNK, len(frame))
            rows, output = frame[begin:end], slice(first + begin, first + end)
            own = {name: take_rows(result, output) for name, result in forecasts.items()}
            symbol.state, result, weight = one.step(symbol.state, rows, own)
            symbol.calibrated, quantiles = calibration.step(symbol.calibrated, rows, result, HORIZONS)
            parts.append(Forecasts(result.mean, result.scale, quantiles, result.p_up))
            weights.append(weight[rows.time >= split.split.cut])
        first += len(frame)
        symbol.last_time = int(frame.time[-1])
    return joined(parts), np.concatenate(weights)


def silent(rows: int) -> Forecasts:
    """Return unknown forecasts."""
    plain, each = np.full((rows, len(HORIZONS)), np.nan), np.full((rows, len(HORIZONS), len(QUANTILES)), np.nan)
    return Forecasts(plain, plain, each, plain)
