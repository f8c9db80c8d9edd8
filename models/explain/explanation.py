"""The explanation of one forecast: each input's contribution."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isnan
from typing import Any

import numpy as np

from models.contributions import Parts, Quantity
from models.networks.windows import WINDOW

EIGHTHS = 8
"""Parts of a network's window that attention is summed over: as many as the Transformer has patches of bars."""


@dataclass(frozen=True)
class Contribution:
    """The contribution of one model input to the forecast; `value` is NaN if unknown or a whole window."""

    name: str
    value: float
    contribution: float


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """One forecast explained: `base` and the contributions, the largest first, add up to `total`.

    They are parts of the `quantity`: ``mean``, in units of sigma sqrt(h), or ``log variance``, the natural logarithm
    of the variance over sigma^2 h. `unit` is that sigma sqrt(h) in log return, and so are `mean` and `scale` of the
    forecast. `attention` has a network's maps as nested lists; `note` is a further remark in one line.
    """

    model: str
    version: str
    symbol: str
    interval: str
    time: int
    horizon: int
    price: float
    mean: float
    scale: float
    quantity: Quantity
    unit: float
    base: float
    total: float
    contributions: tuple[Contribution, ...] = ()
    attention: dict[str, Any] = field(default_factory=dict)
    note: str = ""

    @property
    def remainder(self) -> float:
        """Return the unexplained remainder: rounding, and a network's integral being taken in steps."""
        return self.total - self.base - sum(part.contribution for part in self.contributions)

    def looked(self) -> list[tuple[str, float]]:
        """Return where the model looked, as `looked` has it."""
        return looked(self.attention)


def looked(attention: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Return the share of the attention by bars back, the oldest first, then the row's own; empty without a map.

    Of the Transformer it is what the row's token asks for in its last layer, over its heads; of the LSTM the
    weights of its states.
    """
    maps = {name: np.array(values) for name, values in attention.items()}
    if not maps:
        return []
    last = maps["thinned"] if maps["thinned"].size else maps["encoder"]
    shares = last.reshape(-1, last.shape[-1]).mean(axis=0)
    bars, row = (shares[:EIGHTHS], shares[EIGHTHS:]) if len(shares) < WINDOW else (shares, shares[:0])
    sums = bars.reshape(EIGHTHS, -1).sum(axis=1).tolist()
    size = WINDOW // EIGHTHS
    ends = [WINDOW - size * (place + 1) for place in range(EIGHTHS)]
    results = [(f"{end + size - 1} to {end} bars back", share) for end, share in zip(ends, sums, strict=True)]
    return results + [("the bar's own features", share) for share in row.tolist()]


def largest_first(parts: Parts) -> tuple[Contribution, ...]:
    """Return the contributions by their size, equal ones by name; an unknown value that added nothing is left out."""
    contributions = [
        Contribution(name, value, part)
        for name, value, part in zip(parts.names, parts.values, parts.parts, strict=True)
        if part != 0 or not isnan(value)
    ]
    return tuple(sorted(contributions, key=lambda part: (-abs(part.contribution), part.name)))
