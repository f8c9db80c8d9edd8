"""The data's check before a training: what would teach models nothing, or something wrong. Pure."""

from collections.abc import Sequence

import msgspec
import numpy as np

from features.frame import BarFrame
from topics.catalog import DAY_MS
from topics.units import interval_ms

FEWEST_DAYS = 7.0
"""The least history: models walk a week before they are judged, and a week has every hour of every weekday."""
LARGEST_RETURN = 0.5
"""A log return from bar to bar beyond this (a price that halves, or more) is an error of the data's far sooner than a
move of the market's: the largest in a minute of BTCUSDT's and ETHUSDT's history is below 0.15."""
MOST_IMPOSSIBLE = 1e-4
"""The share of such returns beyond which the data are not to be learnt from."""
MOST_MISSING, MOST_STALE = 0.05, 0.5
"""The shares of missing bars, and of bars in which nothing moved, that are worth a warning."""


class Facts(msgspec.Struct, frozen=True):
    """What is known of one symbol's bars. Times are epoch ms; shares are of its rows, `missing` of the whole span."""

    rows: int
    first: int
    last: int
    missing: float
    duplicates: int
    impossible: int
    stale: float


class Findings(msgspec.Struct, frozen=True):
    """What the check found: an error stops the pipeline, a warning is recorded. Each is one line."""

    symbols: dict[str, Facts]
    errors: list[str] = []
    warnings: list[str] = []


def check(bars: Sequence[BarFrame], interval: str) -> Findings:
    """Return what is to be said of the bars of an interval, one frame a symbol."""
    symbols = {frame.symbol: facts(frame, interval) for frame in bars if len(frame)}
    if not symbols:
        return Findings({}, [f"no {interval} bars are stored: let the stream run, or give files"])
    errors, warnings = [], []
    begin, end = min(each.first for each in symbols.values()), max(each.last for each in symbols.values())
    days = (end - begin) / DAY_MS
    if days < FEWEST_DAYS:
        errors.append(f"{days:.1f} days of {interval} bars: at least {FEWEST_DAYS:g} are needed to train and judge on")
    names = [frame.symbol for frame in bars]
    errors += [f"{name}: two frames of its bars" for name in sorted({one for one in names if names.count(one) > 1})]
    for symbol, found in symbols.items():
        if found.duplicates:
            errors.append(f"{symbol}: {found.duplicates} bars are not later than the one before")
        impossible = f"{symbol}: {found.impossible} of {found.rows} returns are beyond {LARGEST_RETURN:+g} or unknown"
        if found.impossible > MOST_IMPOSSIBLE * found.rows:
            errors.append(f"{impossible}: the data are broken")
        elif found.impossible:
            warnings.append(impossible)
        if found.missing > MOST_MISSING:
            warnings.append(f"{symbol}: {100 * found.missing:.1f} % of its bars are missing")
        if found.stale > MOST_STALE:
            warnings.append(f"{symbol}: nothing moved in {100 * found.stale:.1f} % of its bars")
        if (end - found.last) > DAY_MS:
            warnings.append(f"{symbol}: its last bar is {(end - found.last) / DAY_MS:.1f} days before the others'")
    return Findings(symbols, errors, warnings)


def facts(frame: BarFrame, interval: str) -> Facts:
    """Return what is known of a symbol's bars, at least one."""
    first, last = int(frame.time[0]), int(frame.time[-1])
    steps = np.diff(frame.time)
    whole = (last - first) // interval_ms(interval) + 1
    with np.errstate(divide="ignore", invalid="ignore"):
        returns = np.abs(np.diff(np.log(frame.close)))
    still = (frame.volume == 0) | (frame.high == frame.low) & (np.diff(frame.close, prepend=np.nan) == 0)
    return Facts(
        len(frame),
        first,
        last,
        max(1 - len(frame) / whole, 0.0) if whole > 0 else 0.0,
        int((steps <= 0).sum()),
        int((~(returns <= LARGEST_RETURN)).sum()),
        float(still.mean()),
    )
