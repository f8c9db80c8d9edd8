"""Adds the market's move since the previous bar to the bars of a universe's symbols: a fold over all of them.

Bars wait in event time: those of time t are emitted once every symbol of the universe has sent a bar of t or later. The
wait for a symbol that lags is bounded: t is emitted without it once every other present symbol has delivered
`ALLOWED_LATENESS` messages (frames) whose rows are all later than t. Counted in messages, a backfill in frames of
hundreds and a live stream in frames of one behave alike. A symbol is absent, and delays no other, when those before it
are all that far ahead of its last bar. Its bars for a past t are emitted when they arrive; nothing is lost.

The market's moves in the emitted intervals are kept until every symbol has sent a later bar, at most
`cross_section.REMEMBERED` intervals: a bar gets the market's move since its symbol's previous bar.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from math import isnan, nan

import msgspec
import numpy as np
from msgspec import Struct, field
from msgspec.structs import astuple, replace

from features.cross_section import REMEMBERED, Universe, log_return, measure, moves
from features.frame import Floats, Ints
from topics.records import Bar
from topics.units import interval_ms

ALLOWED_LATENESS = 3
"""Messages later than t that the others deliver before t is emitted without a symbol."""
WAITING = 25_000
"""The most waiting bars: a state must fit into one Kafka record of `topics.catalog.MAX_MESSAGE_BYTES`."""

Row = tuple[Bar, float, bool]
"""A waiting bar, its return from the previous bar, and whether that is of the interval just before."""
Past = dict[int, tuple[float, float]]
"""The market's and the leader's return, by time in order; at least one is known."""


class SymbolProgress(Struct, frozen=True, array_like=True):
    """One symbol: its last bar's time and close, the first times of its newest `ALLOWED_LATENESS` messages, and the
    time of its last emitted bar.
    """

    frontier: int = -1
    close: float = nan
    firsts: tuple[int, ...] = ()
    shown: int = -1

    @property
    def passed(self) -> int:
        """`ALLOWED_LATENESS` messages are all later than every time before this."""
        return self.firsts[0] if len(self.firsts) == ALLOWED_LATENESS else -1


class MarketState(Struct, frozen=True):
    """The state of one interval's market. Never changed in place.

    `waiting` has each symbol's bars in time order; those up to `done` have been emitted; `remembered` has the market's
    moves since.
    """

    followers: dict[str, SymbolProgress] = field(default_factory=dict)
    waiting: dict[str, list[Row]] = field(default_factory=dict)
    done: int = -1
    remembered: Past = field(default_factory=dict)

    def dumps(self) -> bytes:
        """Return the state as bytes, exactly."""
        waiting = {s: [(*astuple(bar)[1:], *own) for bar, *own in rows] for s, rows in self.waiting.items()}
        return _encoder.encode((self.followers, waiting, self.done, self.remembered))

    @classmethod
    def loads(cls, data: bytes) -> "MarketState":
        """Read the output of `dumps`. Raises ValueError for anything else."""
        progresses, waiting, done, remembered = _decoder.decode(data)
        rows = {symbol: [(Bar(symbol, *row[:-2]), *row[-2:]) for row in rows] for symbol, rows in waiting.items()}
        return cls(progresses, rows, done, remembered)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(
    tuple[dict[str, SymbolProgress], dict[str, list[tuple]], int, Past]  # type: ignore[type-arg] # msgspec takes the tuple of any length as it is
)


def initial() -> MarketState:
    """Return the state before the first bar."""
    return MarketState()


def step(state: MarketState, bars: Sequence[Bar], universe: Universe) -> tuple[MarketState, list[Bar]]:
    """Fold one message's bars, of one interval of time; return the new state and the bars to emit.

    Each symbol's bars are emitted in time order. A bar that is not later than the symbol's last one was delivered
    again, and is skipped. One of a symbol outside the universe is emitted at once, with unknown market columns.
    """
    progresses = {symbol: one for symbol, one in state.followers.items() if symbol in universe.places}
    waiting, out = dict(state.waiting), list[Bar]()
    for symbol in [symbol for symbol in waiting if symbol not in universe.places]:
        out += _unknown(bar for bar, *_ in waiting.pop(symbol))
    for symbol, own in _by_symbol(bars).items():
        if symbol not in universe.places:
            out += _unknown(own)
            continue
        progress = progresses.get(symbol, SymbolProgress())
        rows, progress = _follow(progress, own)
        if rows:
            late = bisect_right(rows, state.done, key=_time)
            waiting[symbol] = [*waiting.get(symbol, ()), *rows[late:]]
            progresses[symbol] = progress
            if late:
                oldest = state.done - REMEMBERED * interval_ms(own[0].interval)
                out += _meet(rows[:late], progress.shown, _series(state.remembered), [nan] * late, oldest)
                progresses[symbol] = replace(progress, shown=rows[late - 1][0].time)
    done = max(state.done, _bound([progresses.get(symbol, SymbolProgress()) for symbol in universe.symbols], waiting))
    due = {symbol: rows[: bisect_right(rows, done, key=_time)] for symbol, rows in waiting.items()}
    due = {symbol: rows for symbol, rows in due.items() if rows}
    waiting = {s: rest for s, rows in waiting.items() if (rest := rows[len(due.get(s, ())) :])}
    if not due:
        return MarketState(progresses, waiting, done, state.remembered), out
    more, ranks = _measure(due, universe)
    past = state.remembered | more
    series = _series(past)
    for symbol, rows in due.items():
        out += _meet(rows, progresses[symbol].shown, series, ranks[symbol])
        progresses[symbol] = replace(progresses[symbol], shown=rows[-1][0].time)
    met = min(progresses[symbol].shown if symbol in progresses else -1 for symbol in universe.symbols)
    interval = next(iter(due.values()))[0][0].interval
    oldest = max(met, done - REMEMBERED * interval_ms(interval))
    return MarketState(progresses, waiting, done, {time: both for time, both in past.items() if time > oldest}), out


def _time(row: Row) -> int:
    return row[0].time


def _by_symbol(bars: Sequence[Bar]) -> dict[str, list[Bar]]:
    values: dict[str, list[Bar]] = {}
    for bar in bars:
        values.setdefault(bar.symbol, []).append(bar)
    return values


def _follow(progress: SymbolProgress, bars: Iterable[Bar]) -> tuple[list[Row], SymbolProgress]:
    """Return the bars that are new, each with its return, and the symbol after them."""
    frontier, close, rows = progress.frontier, progress.close, list[Row]()
    for bar in bars:
        if bar.time > frontier:
            follows = bar.gap == 0 and frontier >= 0 and bar.time - frontier == interval_ms(bar.interval)
            rows.append((bar, log_return(close, bar.close), follows))
            frontier, close = bar.time, bar.close
    firsts = (*progress.firsts, rows[0][0].time)[-ALLOWED_LATENESS:] if rows else progress.firsts
    return rows, SymbolProgress(frontier, close, firsts, progress.shown)


def _bound(progresses: Sequence[SymbolProgress], waiting: Mapping[str, list[Row]]) -> int:
    """Return the time up to which bars can be emitted."""
    furthest = sorted(progresses, key=lambda progress: progress.frontier, reverse=True)
    there: list[SymbolProgress] = []
    for progress in furthest:
        if there and all(other.passed > progress.frontier for other in there):
            break  # it is absent, and so are those behind it
        there.append(progress)
    bound = max(furthest[-1].frontier, min(progress.passed for progress in there) - 1)
    beyond = sum(map(len, waiting.values())) - WAITING
    if beyond > 0:
        bound = max(bound, sorted(bar.time for rows in waiting.values() for bar, *_ in rows)[beyond - 1])
    return bound


def _measure(due: Mapping[str, list[Row]], universe: Universe) -> tuple[Past, dict[str, list[float]]]:
    """Return the market's returns at the times of the due bars, and the rank of each bar of each symbol."""
    times = sorted({bar.time for rows in due.values() for bar, *_ in rows})
    place = {time: k for k, time in enumerate(times)}
    at = {symbol: [place[bar.time] for bar, *_ in rows] for symbol, rows in due.items()}
    returns = np.full((len(universe.symbols), len(place)), nan)
    follows = np.zeros(returns.shape, dtype=bool)
    for symbol, rows in due.items():
        where = universe.places[symbol], at[symbol]
        returns[where], follows[where] = [change for _, change, _ in rows], [after for *_, after in rows]
    market, ranks = measure(returns, follows, universe.weights)
    lead = returns[universe.places[universe.leader]]
    both = zip(times, zip(market.tolist(), lead.tolist(), strict=True), strict=True)
    known = {time: pair for time, pair in both if not (isnan(pair[0]) and isnan(pair[1]))}
    return known, {symbol: ranks[universe.places[symbol], at[symbol]].tolist() for symbol in due}


def _series(past: Past) -> tuple[Ints, Floats]:
    """Return the times [T] and the returns [2, T]."""
    return np.array(list(past), dtype=np.int64), np.array(list(past.values())).reshape(-1, 2).T


def _meet(
    rows: Sequence[Row], shown: int, series: tuple[Ints, Floats], ranks: Sequence[float], oldest: int = 0
) -> list[Bar]:
    """Return one symbol's bars with the market's moves since the previous bar of each; `shown` is the time of the last
    emitted one.

    Moves since a bar older than `oldest` are no longer kept, and so unknown.
    """
    times, returns = series
    at = np.array([bar.time for bar, *_ in rows], dtype=np.int64)
    before = np.append(shown, at[:-1])
    span = np.where(before < oldest, -1, before), at, interval_ms(rows[0][0].interval)
    market, lead = (moves(times, of, *span).tolist() for of in returns)
    return [_with(bar, *messages) for (bar, *_), *messages in zip(rows, market, ranks, lead, strict=True)]


def _with(bar: Bar, *messages: float) -> Bar:
    market, rank, lead = (None if isnan(number) else number for number in messages)
    return replace(bar, market_return=market, market_rank=rank, lead_return=lead)


def _unknown(bars: Iterable[Bar]) -> list[Bar]:
    return [_with(bar, nan, nan, nan) for bar in bars]
