"""Bars one at a time, as `bench.features` measures them, each in a process of its own."""

from datetime import UTC, datetime
from typing import Any

import numpy as np

from bench import market
from bench.contenders import FITTED, ta_columns, timed
from bench.restricted import Fold, columns, restricted
from features import fold
from features.advance import rows_of
from features.frame import BarFrame, Floats
from features.step import FeatureStep
from features.table import FEATURES, Feature
from topics.records import Bar

WARM, WINDOW = 3_000, 500
"""Bars that every contender has seen before the clock begins; bars that ta is given, to have its last row."""


def live(bars: int, repeats: int) -> dict[str, Any]:
    """All columns: a state and a bar's columns in, the new state and the row of features out."""
    step, (old, new) = FeatureStep(), _old_and_new(bars)
    begin, _ = step.features(step.initial(), BarFrame.of(old))
    frames = [BarFrame.of([bar]) for bar in new]

    def act() -> object:
        state = begin
        for frame in frames:
            state, _ = step.features(state, frame)
        return state

    return timed(act, repeats)


def live_records(bars: int, repeats: int) -> dict[str, Any]:
    """All columns, as the stream has them: a bar's record in, the new state and the records of row and regime out."""
    step, (old, new) = FeatureStep(), _old_and_new(bars)
    begin, _, _ = step.step(step.initial(), BarFrame.of(old))

    def act() -> object:
        state = begin
        for bar in new:
            state, features, _ = step.step(state, BarFrame.of([bar]))
            features.records()
        return state

    return timed(act, repeats)


def live_fold(bars: int, repeats: int) -> dict[str, Any]:
    """All columns, by the compiled call alone."""
    return _folded(fold.fold, FEATURES, bars, repeats)


def live_as_talipp(bars: int, repeats: int) -> dict[str, Any]:
    """The features that talipp has: a bar in the fold's form, the new state and a list of numbers out."""
    from bench.peers import of_talipp

    features = [feature for feature, _, _ in of_talipp()]
    some, (old, new), values = restricted(features), _old_and_new(bars), np.empty((columns(features), 1))
    begin = _begun(some, features, old)
    rows, newest = [rows_of(BarFrame.of([bar])) for bar in new], values[:, 0]

    def act() -> list[float]:
        buffer, last = begin, [0.0]
        for row in rows:
            buffer = some(buffer, row, market.INTERVAL, FITTED, values, 0)
            last = newest.tolist()
        return last

    results, ends = timed(act, repeats), dict(zip(_names(features), act(), strict=True))
    return results | {"ends": [[ends[name] for name in feature.names] for feature in features]}


def talipp(bars: int, repeats: int) -> dict[str, Any]:
    """Talipp's indicators: a bar in talipp's form in, each one's newest value out."""
    from talipp.ohlcv import OHLCV

    from bench.peers import CLOSE, of_talipp

    results = of_talipp()
    on_close = [indicator for _, eats, indicator in results if eats == CLOSE]
    on_bars = [indicator for _, eats, indicator in results if eats != CLOSE]
    everything = [indicator for _, _, indicator in results]

    def its_own(bar: Bar) -> OHLCV:
        return OHLCV(bar.open, bar.high, bar.low, bar.close, bar.volume, datetime.fromtimestamp(bar.time / 1_000, UTC))

    def take(some: list[OHLCV]) -> list[Any]:
        last = []
        for bar in some:
            for indicator in on_close:
                indicator.add(bar.close)
            for indicator in on_bars:
                indicator.add(bar)
            last = [indicator[-1] for indicator in everything]
        return last

    old, new = ([its_own(bar) for bar in some] for some in _old_and_new(bars))
    take(old)
    part = len(new) // repeats
    parts = iter([new[turn * part : (turn + 1) * part] for turn in range(repeats)])  # it cannot be set back: it goes on
    measured = timed(lambda: take(next(parts)), repeats, lambda: None)
    rest = new[repeats * part :]
    ends = take(rest) if rest else [indicator[-1] for indicator in everything]
    measured["seconds"] = [seconds * len(new) / part for seconds in measured["seconds"]]
    labels = [f"{type(indicator).__name__} for {feature.names[0]}" for feature, _, indicator in results]
    return measured | {"labels": labels, "ends": [_numbers(end) for end in ends]}


def ta_window(bars: int, repeats: int) -> dict[str, Any]:
    """All of ta's columns made anew on the last bars, for each new one; `bars` of them."""
    rows = market.minutes(WINDOW + bars)[["open", "high", "low", "close", "volume"]]
    add = ta_columns()

    def act() -> object:
        last = None
        for k in range(bars):
            last = add(rows.iloc[k : k + WINDOW].reset_index(drop=True)).iloc[-1]
        return last

    return timed(act, repeats, lambda: add(rows.head(WINDOW).copy()))


def _old_and_new(bars: int) -> tuple[list[Bar], list[Bar]]:
    records = market.records(market.minutes(WARM + bars))
    return records[:WARM], records[WARM:]


def _names(features: list[Feature]) -> list[str]:
    return [name for feature in features for name in feature.names]


def _begun(some: Fold, features: list[Feature] | tuple[Feature, ...], old: list[Bar]) -> Floats:
    values = np.empty((columns(features), len(old)))
    rows = rows_of(BarFrame.of(old))
    return some(fold.fresh(), rows, market.INTERVAL, FITTED, values, 0)


def _folded(some: Fold, features: list[Feature] | tuple[Feature, ...], bars: int, repeats: int) -> dict[str, Any]:
    old, new = _old_and_new(bars)
    begin, values = _begun(some, features, old), np.empty((columns(features), 1))
    rows = [rows_of(BarFrame.of([bar])) for bar in new]

    def act() -> Floats:
        buffer = begin
        for row in rows:
            buffer = some(buffer, row, market.INTERVAL, FITTED, values, 0)
        return buffer

    return timed(act, repeats)


def _numbers(end: Any) -> list[float]:
    parts = [end] if isinstance(end, int | float) else vars(end).values() if end is not None else []
    return [float(part) for part in parts if isinstance(part, int | float)]
