"""Rows in columns: a dict of arrays of one length. All have `series` (a number of a `Registry`), `time` (epoch ms) and
`row`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from sources.tables.layout import Kind

Array = npt.NDArray[Any]
Columns = dict[str, Array]


class SeriesKey(NamedTuple):
    """What a row belongs to: bars of one symbol and interval, or the trades of one symbol (no interval)."""

    kind: Kind
    symbol: str
    interval: str | None

    @property
    def key(self) -> str:
        """Its name, in progress files and headers."""
        return "/".join((self.kind, self.interval or "-", self.symbol))


@dataclass
class Registry:
    """The series of a replay, numbered in the order in which they are met."""

    series: list[SeriesKey] = field(default_factory=list)
    _numbers: dict[SeriesKey, int] = field(default_factory=dict)

    def number(self, series: SeriesKey) -> int:
        """Return the number of a series, which may be new."""
        if series not in self._numbers:
            self._numbers[series] = len(self.series)
            self.series.append(series)
        return self._numbers[series]


def size(columns: Columns) -> int:
    """Return the number of rows."""
    return len(columns["time"])


def take(columns: Columns, rows: slice | Array) -> Columns:
    """Return those rows."""
    return {name: values[rows] for name, values in columns.items()}


def concat(parts: Sequence[Columns]) -> Columns:
    """Return at least one part's rows, one after the other."""
    if len(parts) == 1:
        return parts[0]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def by_time(columns: Columns) -> Columns:
    """Return the rows in time order; rows of one time keep their order."""
    time = columns["time"]
    if bool((time[1:] >= time[:-1]).all()):
        return columns
    return take(columns, np.argsort(time, kind="stable"))
