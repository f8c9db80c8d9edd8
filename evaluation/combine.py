"""The combiners' walk: they go on from fold to fold, as a stream does whose models are replaced on the way."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.walk import CHUNK, Walked, joined, keep, taken
from features.frame import Floats
from models import calibration
from models.calibration import Calibration
from models.combiner import Combination
from models.forecaster import JSON, Forecasts
from topics.records import HORIZONS, QUANTILES


@dataclass
class _Symbol:
    """What is known of one symbol: the combiner's state, its intervals', and the last row that was combined."""

    state: JSON
    calibrated: Calibration
    last_time: int = -1


def combine(combiner: type[Combination], walked: Sequence[Walked], experts: Sequence[str]) -> list[Floats]:
    """Keep a combiner's forecasts beside the models', fold after fold; return the scored rows' weights [n, H, K].

    In the first fold it learns through the warm-up too; in a later one it takes over at the cut, and the rows before
    keep NaN.
    """
    symbols: dict[str, _Symbol] = {}
    weights = []
    for fold in walked:
        found, own = _fold(combiner, fold, experts, symbols)
        keep(fold.folder / combiner.name, found, {})
        weights.append(own)
    return weights


def _fold(
    combiner: type[Combination], fold: Walked, experts: Sequence[str], symbols: dict[str, _Symbol]
) -> tuple[Forecasts, Floats]:
    one = combiner(fold.definition.names, HORIZONS, fold.definition.fingerprint)
    forecasts = {name: fold.load(name) for name in experts}
    parts, weights, first = [], [], 0
    for frame in fold.frames:
        symbol = symbols.setdefault(frame.symbol, _Symbol(one.initial(), Calibration.initial(len(HORIZONS))))
        old = int(frame.time.searchsorted(symbol.last_time, side="right"))
        parts.append(silent(old))
        for begin in range(old, len(frame), CHUNK):
            end = min(begin + CHUNK, len(frame))
            rows, said = frame[begin:end], slice(first + begin, first + end)
            own = {name: taken(found, said) for name, found in forecasts.items()}
            symbol.state, found, weight = one.step(symbol.state, rows, own)
            symbol.calibrated, quantiles = calibration.step(symbol.calibrated, rows, found, HORIZONS)
            parts.append(Forecasts(found.mean, found.scale, quantiles, found.p_up))
            weights.append(weight[rows.time >= fold.fold.cut])
        first += len(frame)
        symbol.last_time = int(frame.time[-1])
    return joined(parts), np.concatenate(weights)


def silent(rows: int) -> Forecasts:
    """Return forecasts that say nothing."""
    plain, each = np.full((rows, len(HORIZONS)), np.nan), np.full((rows, len(HORIZONS), len(QUANTILES)), np.nan)
    return Forecasts(plain, plain, each, plain)
