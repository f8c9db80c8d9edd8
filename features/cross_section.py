"""How the symbols of a universe moved: the market's and the leader's returns, and each symbol's rank.

A symbol's return is ln(close / close of the bar before). The market's in an interval is the weighted mean over the
symbols that have a bar there, however long ago their bars before were: what a symbol catches up with moves the market
too. A rank is the share of the others with a smaller return, those with an equal one counted half, among the symbols
whose bar before is of the interval just before. Each needs two symbols.

What a bar is told of the market and of the leader is their move since the symbol's own bar before (`moves`): a symbol
that did not trade for some intervals has them to catch up with.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf, log, nan
from typing import Self

import numpy as np
import numpy.typing as npt

from features.frame import BarFrame, Floats, Ints
from topics.limits import MOST_RETURN
from topics.units import interval_ms, is_time

BLOCK = 65_536
"""Intervals measured in one go, at most."""
REMEMBERED = 2_048
"""Intervals since a symbol's bar before, at most, over which the others' moves are known: the stream keeps no more."""


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

    @cached_property
    def leader(self) -> str:
        """The symbol that counts most, of equals the first. Raises ValueError where there is none."""
        return self.symbols[self.weights.index(max(self.weights))]


def log_return(previous: float, close: float) -> float:
    """Return ln(close / previous), NaN where the ratio is no number.

    Taken one by one also over whole series: NumPy's logarithm may differ in the last bit with the length of the array.
    """
    ratio = close / previous
    return log(ratio) if 0 < ratio < inf else nan


def measure(returns: Floats, follows: npt.NDArray[np.bool_], weights: Sequence[float]) -> tuple[Floats, Floats]:
    """Return the market's return [T] and each symbol's rank [S, T] from returns [S, T]; NaN is unknown, in and out.

    `follows` [S, T] tells which are of one interval.
    """
    known, beside = ~np.isnan(returns), np.where(follows, returns, nan)
    ranked = ~np.isnan(beside)
    others = ranked.sum(axis=0) - 1
    total, weight = np.zeros(returns.shape[1]), np.zeros(returns.shape[1])
    ranks = np.full(returns.shape, nan)
    for place, share in enumerate(weights):  # one symbol after another: the same bits for one interval and for many
        own = known[place]
        total += np.where(own, share * returns[place], 0.0)
        weight += np.where(own, share, 0.0)
        smaller, equal = (beside < beside[place]).sum(axis=0), (beside == beside[place]).sum(axis=0) - 1
        rank = (smaller + 0.5 * equal) / np.maximum(others, 1)
        ranks[place] = np.where(ranked[place] & (others >= 1), rank, nan)
    market = np.where(known.sum(axis=0) >= 2, total / np.where(weight > 0, weight, 1.0), nan)
    return market, ranks


def moves(times: Ints, returns: Floats, before: Ints, at: Ints, interval: int) -> Floats:
    """Return the move [n] of what had these returns [T] at these times, after each `before` [n] and up to each `at`.

    It is the sum in the order of time, so that its bits do not depend on where the returns begin or on how `at` was
    cut. An unknown return is no move; NaN where all are, where `before` is negative (there was no bar), where more than
    `REMEMBERED` intervals (ms) lie between, or where the sum is beyond what a return may be (`MOST_RETURN`).
    """
    known = ~np.isnan(returns)
    times, returns = times[known], returns[known]
    nexts, ends = np.searchsorted(times, before, side="right"), np.searchsorted(times, at, side="right")
    some = (nexts < ends) & (before >= 0) & (at - before <= REMEMBERED * interval)
    total = np.where(some, 0.0, nan)
    left = np.flatnonzero(some)
    while len(left):
        total[left] += returns[nexts[left]]
        nexts[left] += 1
        left = left[nexts[left] < ends[left]]
    return np.where(np.abs(total) <= MOST_RETURN, total, nan)


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
        members = _join([frames[group[symbol]] for symbol in symbols], universe)
        for symbol, frame in zip(symbols, members, strict=True):
            joined[group[symbol]] = frame
    return joined


def _join(frames: Sequence[BarFrame], universe: Universe) -> list[BarFrame]:
    weights = [universe.weights[universe.places[frame.symbol]] for frame in frames]
    times = np.unique(np.concatenate([frame.time for frame in frames]))
    places = [np.searchsorted(times, frame.time) for frame in frames]
    returns, follows = np.full((len(frames), len(times)), nan), np.zeros((len(frames), len(times)), dtype=bool)
    lead = np.full(len(times), nan)
    for k, (place, frame) in enumerate(zip(places, frames, strict=True)):
        returns[k, place], follows[k, place] = _returns(frame)
        if frame.symbol == universe.leader:
            lead = returns[k]
    blocks = range(0, len(times), BLOCK)
    parts = [measure(returns[:, at : at + BLOCK], follows[:, at : at + BLOCK], weights) for at in blocks]
    if not parts:
        return list(frames)
    market, ranks = np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts], axis=1)
    told = []
    for frame, place, rank in zip(frames, places, ranks, strict=True):
        spans = np.append(-1, frame.time[:-1])[: len(frame)], frame.time, interval_ms(frame.interval)
        since = {name: moves(times, of, *spans) for name, of in (("market_return", market), ("lead_return", lead))}
        told.append(frame.told(**since, market_rank=rank[place]))
    return told


def _returns(frame: BarFrame) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return the log return [n] from each bar before, and whether [n] that is of the interval just before."""
    closes = frame.close.tolist()
    returns = np.array([nan, *map(log_return, closes, closes[1:])][: len(closes)])
    follows = (np.diff(frame.time, prepend=nan) == interval_ms(frame.interval)) & (frame.gap == 0)
    return returns, follows
