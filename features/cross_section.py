"""The moves of a universe's symbols: the market's and the leader's returns, and each symbol's rank.

A symbol's return is ln(close / close of the bar before). The market's in an interval is the weighted mean over the
symbols that have a bar there, however old their previous bars are: a return over several intervals counts in the market
too. A rank is the share of the others with a smaller return, those with an equal one counted half, among the symbols
whose previous bar is of the interval just before. Each needs two symbols.

A bar's columns of the market and the leader are their moves since the symbol's own previous bar (`moves`), also over
intervals in which the symbol did not trade.
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
"""The most intervals in one computation."""
REMEMBERED = 2_048
"""The most intervals since a symbol's previous bar for which the others' moves are known: the stream keeps no more."""


@dataclass(frozen=True)
class Universe:
    """The symbols that make up the market, in alphabetical order, and their weights."""

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
        """The symbol of the greatest weight, of equals the first. Raises ValueError if there is none."""
        return self.symbols[self.weights.index(max(self.weights))]


def log_return(previous: float, close: float) -> float:
    """Return ln(close / previous), NaN if the ratio is no number.

    Computed one by one also over whole series: NumPy's logarithm may differ in the last bit with the length of the
    array.
    """
    ratio = close / previous
    return log(ratio) if 0 < ratio < inf else nan


def measure(returns: Floats, follows: npt.NDArray[np.bool_], weights: Sequence[float]) -> tuple[Floats, Floats]:
    """Return the market's return [T] and each symbol's rank [S, T] from returns [S, T]; NaN is unknown, in and out.

    `follows` [S, T] marks the returns over one interval.
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
    """Return the cumulative return [n] of a series of returns [T] at these times, after each `before` [n] and up to
    each `at`.

    It is the sum in the order of time, so that its bits do not depend on where the returns begin or on how `at` was
    cut. An unknown return counts as 0; the result is NaN if all are unknown, if `before` is negative (there was no
    bar), if more than `REMEMBERED` intervals (ms) lie between, or if the sum exceeds `MOST_RETURN`.
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

    Symbols outside the universe, and bars not cut by time, are returned unchanged; without a universe, all are. Raises
    ValueError if two frames are of the same symbol and interval.
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
    bar_frames = []
    for frame, place, rank in zip(frames, places, ranks, strict=True):
        spans = np.append(-1, frame.time[:-1])[: len(frame)], frame.time, interval_ms(frame.interval)
        since = {name: moves(times, of, *spans) for name, of in (("market_return", market), ("lead_return", lead))}
        bar_frames.append(frame.with_columns(**since, market_rank=rank[place]))
    return bar_frames


def _returns(frame: BarFrame) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return the log return [n] from each previous bar, and whether [n] that is of the interval just before."""
    closes = frame.close.tolist()
    returns = np.array([nan, *map(log_return, closes, closes[1:])][: len(closes)])
    follows = (np.diff(frame.time, prepend=nan) == interval_ms(frame.interval)) & (frame.gap == 0)
    return returns, follows
