"""Files to cleaned rows of each series, merged by time: all that a replay does before it sends."""

import difflib
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np

from features.suspect_prices import SuspectState, reasons
from sources.errors import NotTradedError, SourceError
from sources.markets.market import Kind
from sources.reading.clean import clean_bars, clean_ticks
from sources.reading.container import tables
from sources.reading.counts import Counts
from sources.reading.datafile import DataFile, look_through
from sources.reading.market_conflicts import check_distinct
from sources.reading.merge import Window, merge
from sources.reading.parse import Parsed, is_symbol
from sources.reading.request import ReadRequest
from sources.tables.columns import Columns, Registry, by_time, concat, size, take
from topics.markets import canonical, contract, is_inverse, kind_of
from topics.records import DeadLetter
from topics.units import interval_ms
from topics.value_size import BOUNDS

FEW = 10
"""Symbols that are all named where the wished one is none of them."""


@dataclass(frozen=True)
class Part:
    """Some cleaned rows of each series (by its number) of a span of time, and what was found impossible meanwhile."""

    rows: dict[int, Columns]
    dead: list[DeadLetter]


@dataclass(kw_only=True)
class Reader:
    """Reads files. `registry` names the series; `counts` grow while `parts` is gone through."""

    files: list[DataFile]
    request: ReadRequest
    registry: Registry = field(default_factory=Registry)
    counts: Counts = field(default_factory=Counts)
    _last: dict[int, int] = field(default_factory=dict)
    _looked: dict[int, SuspectState] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """The number of rows in all files."""
        return sum(file.rows for file in self.files)

    @property
    def last(self) -> int:
        """The latest time (epoch ms) that is asked for and can be in the files."""
        last = max(file.span.last for file in self.files)
        return last if self.request.end is None else min(last, self.request.end - 1)

    def check_asked(self) -> None:
        """Raise SourceError if all rows were read and none that can be used is of the times asked for."""
        if self.counts.outside and not self.counts.bars + self.counts.ticks:
            raise SourceError(f"no row is of the times asked for: {_held(self.files)}")

    def parts(self, scratch: Path) -> Iterator[Part]:
        """Yield all rows, span after span. The same files and request give the same series in the same order each
        time."""
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
        if self.request.start is not None:
            inside &= rows["time"] >= self.request.start
        if self.request.end is not None:
            inside &= rows["time"] < self.request.end
        if self.request.symbol is not None:
            numbers = [
                number for number, series in enumerate(self.registry.series) if series.symbol == self.request.symbol
            ]
            inside &= np.isin(rows["series"], numbers)
        if inside.all():
            return rows
        counts.outside += int((~inside).sum())
        return take(rows, inside)

    def _cleaned(self, window: Window) -> dict[int, Columns]:
        values: dict[int, list[Columns]] = defaultdict(list)
        for rows in window:
            numbers = rows["series"]
            if (numbers == numbers[0]).all():
                values[int(numbers[0])].append(rows)
                continue
            for number in np.unique(numbers).tolist():
                values[number].append(take(rows, numbers == number))
        return {number: self._series(number, by_time(concat(parts))) for number, parts in sorted(values.items())}

    def _series(self, number: int, rows: Columns) -> Columns:
        series, counts = self.registry.series[number], self.counts
        if series.kind == "bar":
            cleaned = clean_bars(rows, self._last.get(number), interval_ms(series.interval or ""))
            self._suspect(number, cleaned.rows)
            counts.bars += size(cleaned.rows)
            counts.gaps += int((cleaned.rows["gap"] > 0).sum())
            counts.missing_intervals += int(cleaned.rows["gap"].sum())
        else:
            cleaned = clean_ticks(rows)
            counts.ticks += size(cleaned.rows)
        counts.duplicates += cleaned.duplicates
        counts.conflicts += cleaned.conflicts
        counts.strangers += cleaned.strangers
        if size(cleaned.rows):
            times = cleaned.rows["time"]
            self._last[number] = int(times[-1])
            counts.span(int(times[0]), int(times[-1]))
            counts.symbols[series.symbol] = counts.symbols.get(series.symbol, 0) + size(cleaned.rows)
        return cleaned.rows

    def _suspect(self, number: int, rows: Columns) -> None:
        """Write into the column `suspect` which price of a bar is hardly right, and why; most rows need none."""
        columns = (rows[name] for name in ("gap", "high", "low", "close"))
        self._looked[number], values = reasons(self._looked.get(number, SuspectState()), *columns)
        if values:
            rows["suspect"] = np.full(size(rows), None, dtype=object)
        for row, reason in values.items():
            rows["suspect"][row] = reason
        self.counts.suspect += len(values)


def open_files(
    paths: Sequence[Path],
    request: ReadRequest,
    scratch: Path,
    on_rows: Callable[[int], None] = lambda _: None,
    ahead_ms: int = BOUNDS.ahead_ms,
) -> Reader:
    """Recognise and scan all files. `on_rows` gets the number of rows so far.

    A row that is more than `ahead_ms` later than now is impossible: every later one would be older than it.

    Raises SourceError if a file is of an unknown format, cannot be read, or does not have the requested symbol.
    """
    if request.symbol is not None:
        request = replace(request, symbol=_wished(request.symbol, request.market))
    files: list[DataFile] = []
    passed_over: dict[str, str] = {}
    latest = int(time.time() * 1_000) + ahead_ms
    for path in paths:
        result = 0
        of_path = list(tables(path, scratch, passed_over))
        for table in of_path:
            before = sum(file.rows for file in files)
            alone = len(paths) == len(of_path) == 1
            try:
                files.append(look_through(table, request, partial(_on, on_rows, before), latest, alone=alone))
            except SourceError as error:
                if not table.packed and not (isinstance(error, NotTradedError) and len(paths) > 1):
                    raise
                passed_over[table.name] = str(error)
            else:
                result += 1
        reasons = [why for name, why in passed_over.items() if name.startswith(f"{path.name}:")]
        if not result and reasons:
            raise SourceError(f"{path.name}: holds no table to replay; {reasons[0]}")
    if not files:
        raise SourceError(f"there is no table to replay in the files given; {next(iter(passed_over.values()), '')}")
    if request.symbol is not None:
        files = _chosen(files, request.symbol)
    _check_span(files, request)
    check_distinct(files)
    reader = Reader(files=files, request=request)
    reader.counts.passed_over = passed_over
    reader.counts.understood = [file.understood() for file in files]
    return reader


def _wished(text: str, market: Kind | None) -> str:
    """Return the symbol that a user types, of the market that is typed beside it."""
    symbol = canonical(text)
    if market not in (None, "spot") and ":" not in symbol:
        symbol = contract(symbol, linear=market == "linear") or symbol
    if market is not None and ":" in symbol and (market == "spot" or (market == "inverse") is not is_inverse(symbol)):
        raise SourceError(f"--symbol {text} says {kind_of(symbol)}, and --market {market} another market")
    if not is_symbol(symbol):
        raise SourceError(f"--symbol {text!r} has characters that a symbol cannot have")
    return symbol


def _on(on_rows: Callable[[int], None], before: int, rows: int) -> None:
    on_rows(before + rows)


def _check_span(files: list[DataFile], request: ReadRequest) -> None:
    """Raise where all rows are earlier or later than what is wished."""
    spans = [file.span for file in files if file.span.last]
    if not spans:
        return
    if request.start is not None and request.start > max(span.last for span in spans):
        raise SourceError(f"no row is of {_utc(request.start)} UTC or later: {_held(files)}")
    if request.end is not None and request.end <= min(span.first for span in spans):
        raise SourceError(f"no row is earlier than {_utc(request.end)} UTC: {_held(files)}")


def _held(files: list[DataFile]) -> str:
    spans = [file.span for file in files if file.span.last]
    first, last = min(span.first for span in spans), max(span.last for span in spans)
    return f"the first row is of {_utc(first)}, the last of {_utc(last)}"


def _utc(time: int) -> str:
    return f"{datetime.fromtimestamp(time / 1_000, UTC):%Y-%m-%d %H:%M:%S}"


def _chosen(files: list[DataFile], symbol: str) -> list[DataFile]:
    """Keep the files that hold the symbol; the only file, of one other symbol, is called so."""
    named = next((file for file in files if not file.nameless), None)
    nameless = next((file for file in files if file.nameless), None)
    if named is not None and nameless is not None:
        raise SourceError(
            f"{nameless.name}: its symbol is not told, and beside {named.name} --symbol only chooses: call the file "
            "such as BTCUSDT-1m.csv, or replay it alone"
        )
    holding = [file for file in files if symbol in file.symbols]
    if holding:
        return holding
    others = sorted(set().union(*(file.symbols for file in files)))
    if len(files) == 1 and len(others) == 1 and files[0].may_be(symbol):
        return [files[0].renamed(symbol)]
    near = difflib.get_close_matches(symbol, others, 1) if len(others) > FEW else []
    held = f"the nearest of {len(others)} is {near[0]}" if near else f"they hold {', '.join(others)}"
    raise SourceError(f"no file holds {symbol}; {held}")
