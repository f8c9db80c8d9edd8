"""The labels of the scored rows, the same for every model."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from evaluation.labels import Labels
from evaluation.splits import DAY
from features.frame import FeatureFrame, Floats, Ints
from models import ewma_volatility
from models.labels import mature, variances
from topics.units import interval_ms

PAST = 30
"""The days of the symbol's own past that define low and high volatility."""
COLUMNS = ("symbol", "time", "realised", "gapped", "variance", "unit", "tercile")


def labels_of(frames: list[FeatureFrame], horizons: tuple[int, ...], start: int, end: int) -> Labels:
    """Return the labels of the rows in [start, end) of one frame a symbol; closes from the end on are not read."""
    frames = [frame[: int(frame.time.searchsorted(end))] for frame in frames]
    parts = [_columns(frame, horizons, int(frame.time.searchsorted(start))) for frame in frames]
    symbol = np.repeat(np.arange(len(frames)), [len(part[0]) for part in parts])
    columns = {name: np.concatenate(column) for name, column in zip(COLUMNS[1:], zip(*parts, strict=True), strict=True)}
    return Labels(symbols=tuple(frame.symbol for frame in frames), horizons=horizons, symbol=symbol, **columns)


def joined_labels(parts: list[Labels]) -> tuple[Labels, Ints]:
    """Return the labels of several spans of the same symbols, and the order [n] that sorts their rows."""
    order = np.lexsort([np.concatenate([getattr(part, name) for part in parts]) for name in ("time", "symbol")])
    columns = {name: np.concatenate([getattr(part, name) for part in parts])[order] for name in COLUMNS}
    return Labels(symbols=parts[0].symbols, horizons=parts[0].horizons, **columns), order


def _columns(frame: FeatureFrame, horizons: tuple[int, ...], first: int) -> list[npt.NDArray[Any]]:
    bar = interval_ms(frame.interval)
    _, sigma = ewma_volatility.step(ewma_volatility.initial(), frame)
    realised = np.empty((len(frame), len(horizons)))
    gapped = np.full_like(realised, np.nan)
    after, next_known = mature(frame.time, frame.close, bar, frame.time, frame.close)
    follows = ~np.isnan(next_known)
    for column, horizon in enumerate(horizons):
        realised[:, column] = mature(frame.time, frame.close, horizon * bar, frame.time, frame.close)[1]
        gapped[follows, column] = realised[after[follows], column]
    unit = sigma[:, None] * np.sqrt(horizons)
    columns = (frame.time, realised, gapped, variances(frame, horizons), unit, _terciles(frame.time, sigma))
    return [column[first:] for column in columns]


def _terciles(time: Ints, sigma: Floats) -> npt.NDArray[np.int8]:
    """Return in which third of the last `PAST` whole days' sigmas each row's lies: 0, 1 or 2; -1 on the first day."""
    values = np.full(len(time), -1, dtype=np.int8)
    day = time // DAY
    for today in np.unique(day).tolist():
        first, last = np.searchsorted(day, [today - PAST, today])
        past = sigma[first:last]
        past = past[~np.isnan(past)]
        rows = slice(last, int(np.searchsorted(day, today, side="right")))
        if len(past):
            values[rows] = np.searchsorted(np.quantile(past, [1 / 3, 2 / 3]), sigma[rows])
    values[np.isnan(sigma)] = -1
    return values


def at_horizons(labels: Labels, places: list[int]) -> Labels:
    """Return the labels of the horizons in these places."""
    columns = {name: getattr(labels, name)[:, places] for name in ("realised", "gapped", "variance", "unit")}
    return replace(labels, horizons=tuple(labels.horizons[place] for place in places), **columns)
