"""Groups of rows: days, months, symbols, and the cells for the intervals' coverage."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from evaluation.labels import Ints, Labels
from evaluation.metrics import Rows
from evaluation.sum_metrics import Parts, add_up
from models.forecaster import Floats

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
TERCILES = ("calm", "middle", "turbulent")
HOURS = ("00-06", "06-12", "12-18", "18-24")
"""Six hours each, UTC."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """Some rows: of a month ("2020-01"), of a symbol, or all where both are empty; `days` are places in `Groups.days`.

    `place` is that of the symbol, None for all of them.
    """

    month: str
    symbol: str
    rows: Rows
    days: Ints
    place: int | None

    def daily(self, sums: Parts) -> Parts:
        """Return the sums of each of the group's days, from those by symbol and day [S, D]."""
        if self.place is None:
            return {name: part.sum(axis=0)[self.days] for name, part in sums.items()}
        return {name: part[self.place, self.days] for name, part in sums.items()}


class Groups:
    """The UTC days [D] of labels, in days since 1970, and the groups that metrics are given for."""

    def __init__(self, labels: Labels) -> None:
        self.labels = labels
        self.days, day = np.unique(labels.time // DAY_MS, return_inverse=True)
        self.day = day.astype(np.int64)
        self.symbol_day = labels.symbol * len(self.days) + self.day
        hours = labels.time % DAY_MS // (6 * HOUR_MS)
        cell = (labels.symbol * len(TERCILES) + labels.tercile) * len(HOURS) + hours
        self.cells = len(labels.symbols) * len(TERCILES) * len(HOURS)
        self.cell = np.where(labels.tercile < 0, self.cells, cell)  # one place more for what is in no cell
        self.all = list(self._groups())

    def _groups(self) -> Iterator[Group]:
        every = np.arange(len(self.days))
        yield Group(month="", symbol="", rows=slice(None), days=every, place=None)
        months = self.days.astype("datetime64[D]").astype("datetime64[M]")
        for month in np.unique(months):
            days = np.flatnonzero(months == month)
            rows = np.flatnonzero((self.day >= days[0]) & (self.day <= days[-1]))
            yield Group(month=str(month), symbol="", rows=rows, days=days, place=None)
        for place, symbol in enumerate(self.labels.symbols):
            start, end = np.searchsorted(self.labels.symbol, [place, place + 1])
            days = np.unique(self.day[start:end])
            yield Group(month="", symbol=symbol, rows=slice(int(start), int(end)), days=days, place=place)

    def by_symbol_and_day(self, parts: Parts) -> Parts:
        """Return the sums of each symbol and day: [S, D]."""
        shape = len(self.labels.symbols), len(self.days)
        sums = add_up(parts, self.symbol_day, shape[0] * shape[1])
        return {name: part.reshape(shape) for name, part in sums.items()}

    def by_day(self, part: Floats) -> Floats:
        """Return the sums of each day: [D]."""
        return add_up({"": part}, self.day, len(self.days))[""]

    def by_cell(self, parts: Parts) -> Parts:
        """Return the sums of each cell of symbol, tercile and time of day, in the order of `cell_names`."""
        sums = add_up(parts, self.cell, self.cells + 1)
        return {name: part[:-1] for name, part in sums.items()}

    def cell_names(self) -> list[tuple[str, str]]:
        """Return each cell's symbol, and its tercile and hours in words."""
        return [
            (symbol, f"{tercile} {hours}") for symbol in self.labels.symbols for tercile in TERCILES for hours in HOURS
        ]
