"""Files to cleaned rows of each series, merged by time: all that a replay does before it sends."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np

from sources.clean import clean_bars, clean_ticks
from sources.columns import Columns, Registry, by_time, concat, size, take
from sources.container import tables
from sources.counts import Counts
from sources.datafile import DataFile, look_through
from sources.errors import SourceError, UnknownFormatError
from sources.layout import joined
from sources.merge import Window, merge
from sources.parse import SYMBOL, Parsed
from sources.wish import Wish
from topics.bounds import BOUNDS
from topics.records import DeadLetter
from topics.units import interval_ms


@dataclass(frozen=True)
class Part:
    """Some cleaned rows of each series (by its number) of a span of time, and what was found impossible meanwhile."""

    rows: dict[int, Columns]
    dead: list[DeadLetter]


@dataclass
class Reader:
    """Reads files. `registry` names the series; `counts` grow while `parts` is gone through."""

    files: list[DataFile]
    wish: Wish
    registry: Registry = field(default_factory=Registry)
    counts: Counts = field(default_factory=Counts)
    _last: dict[int, int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """The number of rows in all files."""
        return sum(file.rows for file in self.files)

    def parts(self, scratch: Path) -> Iterator[Part]:
        """Yield all rows, span after span. The same files and wish give the same series in the same order each time."""
        dead: list[DeadLetter] = []
        streams = [file.read(self.registry, scratch, lambda parsed: self._accept(parsed, dead)) for file in self.files]
        for window in merge(streams):
            part = Part(self._cleaned(window), list(dead))
            dead.clear()
            yield part
        if dead:
            yield Part({}, dead)

    def _accept(self, parsed: Parsed, dead: list[DeadLetter]) -> Columns:
        rows, counts = parsed.columns, self.counts
        dead.extend(parsed.dead)
        counts.rows += size(rows) + len(parsed.dead) + parsed.empty + parsed.unfinished
        for letter in parsed.dead:
            counts.refuse(letter)
        counts.empty += parsed.empty
        counts.unfinished += parsed.unfinished
        counts.shifted += parsed.shifted
        for name, cells in parsed.unknown.items():
            counts.unknown[name] = counts.unknown.get(name, 0) + cells
        inside = np.ones(size(rows), dtype=bool)
        if self.wish.start is not None:
            inside &= rows["time"] >= self.wish.start
        if self.wish.end is not None:
            inside &= rows["time"] < self.wish.end
        if self.wish.symbol is not None:
            numbers = [
                number for number, series in enumerate(self.registry.series) if series.symbol == self.wish.symbol
            ]
            inside &= np.isin(rows["series"], numbers)
        if inside.all():
            return rows
        counts.outside += int((~inside).sum())
        return take(rows, inside)

    def _cleaned(self, window: Window) -> dict[int, Columns]:
        found: dict[int, list[Columns]] = defaultdict(list)
        for rows in window:
            numbers = rows["series"]
            if (numbers == numbers[0]).all():
                found[int(numbers[0])].append(rows)
                continue
            for number in np.unique(numbers).tolist():
                found[number].append(take(rows, numbers == number))
        return {number: self._series(number, by_time(concat(parts))) for number, parts in sorted(found.items())}

    def _series(self, number: int, rows: Columns) -> Columns:
        series, counts = self.registry.series[number], self.counts
        if series.kind == "bar":
            cleaned = clean_bars(rows, self._last.get(number), interval_ms(series.interval or ""))
            counts.bars += size(cleaned.rows)
            counts.gaps += int((cleaned.rows["gap"] > 0).sum())
            counts.missing_intervals += int(cleaned.rows["gap"].sum())
        else:
            cleaned = clean_ticks(rows)
            counts.ticks += size(cleaned.rows)
        counts.duplicates += cleaned.duplicates
        counts.conflicts += cleaned.conflicts
        if size(cleaned.rows):
            times = cleaned.rows["time"]
            self._last[number] = int(times[-1])
            counts.span(int(times[0]), int(times[-1]))
            counts.symbols[series.symbol] = counts.symbols.get(series.symbol, 0) + size(cleaned.rows)
        return cleaned.rows


def open_files(
    paths: Sequence[Path],
    wish: Wish,
    scratch: Path,
    on_rows: Callable[[int], None] = lambda _: None,
    ahead_ms: int = BOUNDS.ahead_ms,
) -> Reader:
    """Recognise and look through all files. `on_rows` hears of the rows counted so far.

    A row that is more than `ahead_ms` later than now is impossible: every later one would be older than it.

    Raises SourceError where a file is of an unknown format, cannot be read, or does not hold the wished symbol.
    """
    if wish.symbol is not None:
        wish = replace(wish, symbol=_checked(joined(wish.symbol)))
    files: list[DataFile] = []
    passed_over: dict[str, str] = {}
    latest = int(time.time() * 1_000) + ahead_ms
    for path in paths:
        found = 0
        for table in tables(path, scratch, passed_over):
            before = sum(file.rows for file in files)
            try:
                files.append(look_through(table, wish, partial(_on, on_rows, before), latest))
            except UnknownFormatError as error:
                if not table.packed:
                    raise
                passed_over[table.name] = str(error)
            else:
                found += 1
        reasons = [why for name, why in passed_over.items() if name.startswith(f"{path.name}:")]
        if not found and reasons:
            raise SourceError(f"{path.name}: holds no table to replay; {reasons[0]}")
    if not files:
        raise SourceError("there is no table to replay in the files given")
    if wish.symbol is not None:
        files = _chosen(files, wish.symbol)
    reader = Reader(files, wish)
    reader.counts.passed_over = passed_over
    reader.counts.understood = [file.understood() for file in files]
    return reader


def _checked(symbol: str) -> str:
    if not SYMBOL.fullmatch(symbol):
        raise SourceError(f"--symbol {symbol!r} has characters that a symbol cannot have")
    return symbol


def _on(on_rows: Callable[[int], None], before: int, rows: int) -> None:
    on_rows(before + rows)


def _chosen(files: list[DataFile], symbol: str) -> list[DataFile]:
    """Keep the files that hold the symbol; where none does and there is but one other symbol, that is called so."""
    holding = [file for file in files if symbol in file.symbols]
    if holding:
        return holding
    others = sorted(set().union(*(file.symbols for file in files)))
    if len(others) == 1:
        return [file.renamed(symbol) for file in files]
    raise SourceError(f"no file holds {symbol}; they hold {', '.join(others)}")
