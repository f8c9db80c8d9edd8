"""Checks data before a training for useless or wrong rows. Pure."""

from collections.abc import Sequence

import msgspec
import numpy as np

from features.frame import BarFrame
from topics.catalog import DAY_MS
from topics.units import interval_ms

FEWEST_DAYS = 7.0
"""The least history: models walk a week before they are scored, and a week has every hour of every weekday."""
LARGEST_RETURN = 0.5
"""A log return from bar to bar beyond this (a price that halves, or more) is far more likely a data error than a market
move: the largest in a minute of BTCUSDT's and ETHUSDT's history is below 0.15."""
MOST_IMPOSSIBLE = 1e-4
"""The share of such returns above which the data are unfit for training."""
MOST_MISSING, MOST_STALE = 0.05, 0.5
"""The shares of missing bars, and of bars without a price change, above which there is a warning."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Statistics of one symbol's bars. Times are epoch ms; shares are of its rows, `missing` of the whole span."""

    rows: int
    first: int
    last: int
    missing: float
    duplicates: int
    impossible: int
    stale: float


class Findings(msgspec.Struct, frozen=True):
    """The findings: an error stops the pipeline, a warning is recorded. Each is one line."""

    symbols: dict[str, Facts]
    errors: list[str] = []
    warnings: list[str] = []


def check(bars: Sequence[BarFrame], interval: str) -> Findings:
    """Return the findings about the bars of an interval, one frame per symbol."""
    symbols = {frame.symbol: facts(frame, interval) for frame in bars if len(frame)}
    if not symbols:
        return Findings({}, [f"no {interval} bars are stored: let the stream run, or give files"])
    errors, warnings = [], []
    begin, end = min(each.first for each in symbols.values()), max(each.last for each in symbols.values())
    days = (end - begin) / DAY_MS
    if days < FEWEST_DAYS:
        errors.append(
            f"{days:.1f} days of {interval} bars: at least {FEWEST_DAYS:g} are needed for training and evaluation"
        )
    names = [frame.symbol for frame in bars]
    errors += [f"{name}: two frames of its bars" for name in sorted({one for one in names if names.count(one) > 1})]
    for symbol, result in symbols.items():
        if result.duplicates:
            errors.append(f"{symbol}: {result.duplicates} bars are not later than the one before")
        impossible = f"{symbol}: {result.impossible} of {result.rows} returns are beyond {LARGEST_RETURN:+g} or unknown"
        if result.impossible > MOST_IMPOSSIBLE * result.rows:
            errors.append(f"{impossible}: the data are broken")
        elif result.impossible:
            warnings.append(impossible)
        if result.missing > MOST_MISSING:
            warnings.append(f"{symbol}: {100 * result.missing:.1f} % of its bars are missing")
        if result.stale > MOST_STALE:
            warnings.append(f"{symbol}: the price did not change in {100 * result.stale:.1f} % of its bars")
        if (end - result.last) > DAY_MS:
            warnings.append(f"{symbol}: its last bar is {(end - result.last) / DAY_MS:.1f} days before the others'")
    return Findings(symbols, errors, warnings)


def facts(frame: BarFrame, interval: str) -> Facts:
    """Return the statistics of a symbol's bars, at least one."""
    first, last = int(frame.time[0]), int(frame.time[-1])
    steps = np.diff(frame.time)
    whole = (last - first) // interval_ms(interval) + 1
    with np.errstate(divide="ignore", invalid="ignore"):
        returns = np.abs(np.diff(np.log(frame.close)))
    still = (frame.volume == 0) | (frame.high == frame.low) & (np.diff(frame.close, prepend=np.nan) == 0)
    return Facts(
        rows=len(frame),
        first=first,
        last=last,
        missing=max(1 - len(frame) / whole, 0.0) if whole > 0 else 0.0,
        duplicates=int((steps <= 0).sum()),
        impossible=int((~(returns <= LARGEST_RETURN)).sum()),
        stale=float(still.mean()),
    )
