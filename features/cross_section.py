"""How the symbols of a universe moved in the same interval: the market's return, and each symbol's rank in it.

A symbol's return is ln(close / close of the bar before), known only where that bar is of the interval just before; else
the symbol takes no part. The market's return is the weighted mean over those that take part, the symbol's own return
included; a rank is the share of the others with a smaller return, those with an equal one counted half. Both need two
symbols that take part.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf, log, nan
from typing import Self

import numpy as np

from features.frame import BarFrame, Floats
from topics.units import interval_ms, is_time

BLOCK = 65_536
"""Intervals measured in one go, at most."""


@dataclass(frozen=True)
class Universe:
    """The symbols that make up the market, in alphabetical order, and how much each counts."""

    symbols: tuple[str, ...]
    weights: tuple[float, ...]

    @classmethod
    def of(cls, weights: Mapping[str, float]) -> Self:
        """Return the universe of these symbols; sums are taken in one order, however the symbols were listed."""
        symbols = tuple(sorted(weights))
        return cls(symbols, tuple(weights[symbol] for symbol in symbols))

    @cached_property
    def places(self) -> dict[str, int]:
        """The place of each symbol."""
        return {symbol: place for place, symbol in enumerate(self.symbols)}


def log_return(previous: float, close: float) -> float:
    """Return ln(close / previous), NaN where the ratio is no number.

    Taken one by one also over whole series: NumPy's logarithm may differ in the last bit with the length of the array.
    """
    ratio = close / previous
    return log(ratio) if 0 < ratio < inf else nan


def measure(returns: Floats, weights: Sequence[float]) -> tuple[Floats, Floats]:
    """Return the market's return [T] and each symbol's rank [S, T] from returns [S, T]; NaN is unknown, in and out."""
    known = ~np.isnan(returns)
    taking_part = known.sum(axis=0)
    total, weight = np.zeros(returns.shape[1]), np.zeros(returns.shape[1])
    ranks = np.full(returns.shape, nan)
    for place, share in enumerate(weights):  # one symbol after another: the same bits for one interval and for many
        own = known[place]
        total += np.where(own, share * returns[place], 0.0)
        weight += np.where(own, share, 0.0)
        smaller, equal = (returns < returns[place]).sum(axis=0), (returns == returns[place]).sum(axis=0) - 1
        rank = (smaller + 0.5 * equal) / np.maximum(taking_part - 1, 1)
        ranks[place] = np.where(own & (taking_part >= 2), rank, nan)
    market = np.where(taking_part >= 2, total / np.where(weight > 0, weight, 1.0), nan)
    return market, ranks


def join(frames: Sequence[BarFrame], weights: Mapping[str, float]) -> list[BarFrame]:
    """Return the frames with the market's columns filled in, as the stream does it: one frame a symbol and interval.

    Symbols outside the universe, and bars not cut by time, are returned as they are; without a universe, all are.
    Raises ValueError where two frames are of the same symbol and interval.
    """
    universe = Universe.of(weights)
    joined = list(frames)
    groups: dict[str, dict[str, int]] = {}
    for number, frame in enumerate(frames):
        if frame.symbol in universe.places and is_time(frame.interval):
            group = groups.setdefault(frame.interval, {})
            if frame.symbol in group:
                raise ValueError(f"two frames of {frame.interval} bars of {frame.symbol}: the market needs one")
            group[frame.symbol] = number
    for group in groups.values():
        symbols = [symbol for symbol in universe.symbols if symbol in group]
        members = _join([frames[group[symbol]] for symbol in symbols], [weights[symbol] for symbol in symbols])
        for symbol, frame in zip(symbols, members, strict=True):
            joined[group[symbol]] = frame
    return joined


def _join(frames: Sequence[BarFrame], weights: Sequence[float]) -> list[BarFrame]:
    times = np.unique(np.concatenate([frame.time for frame in frames]))
    places = [np.searchsorted(times, frame.time) for frame in frames]
    returns = np.full((len(frames), len(times)), nan)
    for row, place, frame in zip(returns, places, frames, strict=True):
        row[place] = _returns(frame)
    blocks = range(0, len(times), BLOCK)
    parts = [measure(returns[:, first : first + BLOCK], weights) for first in blocks]
    if not parts:
        return list(frames)
    market, ranks = np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts], axis=1)
    return [
        frame.told(market_return=market[place], market_rank=rank[place])
        for frame, place, rank in zip(frames, places, ranks, strict=True)
    ]


def _returns(frame: BarFrame) -> Floats:
    returns = np.full(len(frame), nan)
    follows = (np.diff(frame.time) == interval_ms(frame.interval)) & (frame.gap[1:] == 0)
    closes = frame.close
    pairs = zip(closes[:-1][follows].tolist(), closes[1:][follows].tolist(), strict=True)
    returns[1:][follows] = [log_return(previous, close) for previous, close in pairs]
    return returns
