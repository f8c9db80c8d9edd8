"""Real minutes with a rule planted in their returns: each carries on a part of the one before it, or takes it back."""

from dataclasses import dataclass

import numpy as np

from features.frame import BarFrame
from settings import ROOT
from sources.bars import read_bars
from topics.records import Bar

SAMPLE = sorted((ROOT / "sample").glob("*.csv.gz"))


@dataclass(frozen=True)
class Rule:
    """From the bar `start` on, a return is `carried` times the one before and the real one, scaled to its variance."""

    start: int
    carried: float


def planted(rules: tuple[Rule, ...], bars: int) -> list[BarFrame]:
    """Return the first bars of the bundled sample, one frame a symbol, with the rules planted.

    The shape of each bar (its wicks, relative to its body) and its volume stay those of the real bar.
    """
    return [_with(frame[:bars], rules) for frame in read_bars(SAMPLE, "1m")]


def _with(frame: BarFrame, rules: tuple[Rule, ...]) -> BarFrame:
    carried = np.zeros(len(frame))
    for rule in rules:
        carried[rule.start :] = rule.carried
    real = np.diff(np.log(frame.close), prepend=np.log(frame.open[0]))
    returns = np.empty(len(frame))
    before = 0.0
    for row in range(len(frame)):
        before = returns[row] = carried[row] * before + np.sqrt(1 - carried[row] ** 2) * real[row]
    close = frame.open[0] * np.exp(np.cumsum(returns))
    opened = np.concatenate([frame.open[:1], close[:-1]])
    highest, lowest = np.maximum(opened, close), np.minimum(opened, close)
    high = np.maximum(highest, highest * frame.high / np.maximum(frame.open, frame.close))
    low = np.minimum(lowest, lowest * frame.low / np.minimum(frame.open, frame.close))
    return frame.told(open=opened, high=high, low=low, close=close)


def records(frame: BarFrame) -> list[Bar]:
    """Return the bars as the topic carries them."""
    names = ("open", "high", "low", "close", "volume")
    columns = [getattr(frame, name).tolist() for name in names]
    return [
        Bar(frame.symbol, frame.interval, time, *numbers)
        for time, *numbers in zip(frame.time.tolist(), *columns, strict=True)
    ]
