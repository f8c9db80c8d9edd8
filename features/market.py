"""The bars of a universe's symbols, each with how the market went since the one before: a fold over all of them.

Bars wait in event time: those of time t go out once every symbol of the universe has shown a bar of t or later. A
symbol that lags is not waited for without end: t goes out without it once every other symbol that is still there has
delivered `PATIENCE` messages (frames) whose rows are all later than t. Counted in messages, a backfill in frames of
hundreds and a live stream in frames of one behave alike. A symbol has left, and holds nothing up, when those before it
are all that far ahead of its last bar. Its bars for a past t go out when they come; nothing is lost.

What the market did in the intervals that went out is remembered until every symbol has shown a later bar, at most
`cross_section.REMEMBERED` intervals: a bar is told the market's move since its symbol's bar before.
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

PATIENCE = 3
"""Messages later than t that the others deliver before t goes out without a symbol."""
WAITING = 25_000
"""Bars that wait, at most: a state must fit into one Kafka record of `topics.catalog.MAX_MESSAGE_BYTES`."""

Row = tuple[Bar, float, bool]
"""A bar that waits, its return from the bar before, and whether that is of the interval just before."""
Past = dict[int, tuple[float, float]]
"""The market's and the leader's return, by time in order; at least one is known."""


class Follower(Struct, frozen=True, array_like=True):
    """One symbol: its last bar's time and close, the first times of its newest `PATIENCE` messages, and the time of
    its last bar that went out.
    """

    frontier: int = -1
    close: float = nan
    firsts: tuple[int, ...] = ()
    shown: int = -1

    @property
    def passed(self) -> int:
        """Every time before this lies behind `PATIENCE` messages."""
        return self.firsts[0] if len(self.firsts) == PATIENCE else -1


class MarketState(Struct, frozen=True):
    """What one interval's market remembers. Never changed in place.

    `waiting` has each symbol's bars in time order; what is not later than `done` went out; `remembered` has what
    happened meanwhile.
    """

    followers: dict[str, Follower] = field(default_factory=dict)
    waiting: dict[str, list[Row]] = field(default_factory=dict)
    done: int = -1
    remembered: Past = field(default_factory=dict)

    def dumps(self) -> bytes:
        """Return the state as bytes, exactly."""
        waiting = {s: [(*astuple(bar)[1:], *own) for bar, *own in rows] for s, rows in self.waiting.items()}
        return _encoder.encode((self.followers, waiting, self.done, self.remembered))

    @classmethod
    def loads(cls, data: bytes) -> "MarketState":
        """Read what `dumps` wrote. Raises ValueError where it is something else."""
        followers, waiting, done, remembered = _decoder.decode(data)
        rows = {symbol: [(Bar(symbol, *row[:-2]), *row[-2:]) for row in rows] for symbol, rows in waiting.items()}
        return cls(followers, rows, done, remembered)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(
    tuple[dict[str, Follower], dict[str, list[tuple]], int, Past]  # type: ignore[type-arg]
)


def initial() -> MarketState:
    """Return the state before the first bar."""
    return MarketState()


def step(state: MarketState, bars: Sequence[Bar], universe: Universe) -> tuple[MarketState, list[Bar]]:
    """Fold one message's bars, of one interval of time; return the new state and the bars that go out.

    Each symbol's bars go out in time order. A bar that is not later than the symbol's last one was delivered again, and
    is skipped. One of a symbol outside the universe goes straight on, with nothing known of the market.
    """
    followers = {symbol: one for symbol, one in state.followers.items() if symbol in universe.places}
    waiting, out = dict(state.waiting), list[Bar]()
    for symbol in [symbol for symbol in waiting if symbol not in universe.places]:
        out += _unknown(bar for bar, *_ in waiting.pop(symbol))
    for symbol, own in _by_symbol(bars).items():
        if symbol not in universe.places:
            out += _unknown(own)
            continue
        follower = followers.get(symbol, Follower())
        rows, follower = _follow(follower, own)
        if rows:
            late = bisect_right(rows, state.done, key=_time)
            waiting[symbol] = [*waiting.get(symbol, ()), *rows[late:]]
            followers[symbol] = follower
            if late:
                oldest = state.done - REMEMBERED * interval_ms(own[0].interval)
                out += _meet(rows[:late], follower.shown, _series(state.remembered), [nan] * late, oldest)
                followers[symbol] = replace(follower, shown=rows[late - 1][0].time)
    done = max(state.done, _bound([followers.get(symbol, Follower()) for symbol in universe.symbols], waiting))
    due = {symbol: rows[: bisect_right(rows, done, key=_time)] for symbol, rows in waiting.items()}
    due = {symbol: rows for symbol, rows in due.items() if rows}
    waiting = {s: rest for s, rows in waiting.items() if (rest := rows[len(due.get(s, ())) :])}
    if not due:
        return MarketState(followers, waiting, done, state.remembered), out
    more, ranks = _measure(due, universe)
    past = state.remembered | more
    series = _series(past)
    for symbol, rows in due.items():
        out += _meet(rows, followers[symbol].shown, series, ranks[symbol])
        followers[symbol] = replace(followers[symbol], shown=rows[-1][0].time)
    met = min(followers[symbol].shown if symbol in followers else -1 for symbol in universe.symbols)
    interval = next(iter(due.values()))[0][0].interval
    oldest = max(met, done - REMEMBERED * interval_ms(interval))
    return MarketState(followers, waiting, done, {time: both for time, both in past.items() if time > oldest}), out


def _time(row: Row) -> int:
    return row[0].time


def _by_symbol(bars: Sequence[Bar]) -> dict[str, list[Bar]]:
    found: dict[str, list[Bar]] = {}
    for bar in bars:
        found.setdefault(bar.symbol, []).append(bar)
    return found


def _follow(follower: Follower, bars: Iterable[Bar]) -> tuple[list[Row], Follower]:
    """Return the bars that are new, each with its return, and the symbol after them."""
    frontier, close, rows = follower.frontier, follower.close, list[Row]()
    for bar in bars:
        if bar.time > frontier:
            follows = bar.gap == 0 and frontier >= 0 and bar.time - frontier == interval_ms(bar.interval)
            rows.append((bar, log_return(close, bar.close), follows))
            frontier, close = bar.time, bar.close
    firsts = (*follower.firsts, rows[0][0].time)[-PATIENCE:] if rows else follower.firsts
    return rows, Follower(frontier, close, firsts, follower.shown)


def _bound(followers: Sequence[Follower], waiting: Mapping[str, list[Row]]) -> int:
    """Return the time up to which the bars go out."""
    furthest = sorted(followers, key=lambda follower: follower.frontier, reverse=True)
    there: list[Follower] = []
    for follower in furthest:
        if there and all(other.passed > follower.frontier for other in there):
            break  # it has left, and so have those behind it
        there.append(follower)
    bound = max(furthest[-1].frontier, min(follower.passed for follower in there) - 1)
    beyond = sum(map(len, waiting.values())) - WAITING
    if beyond > 0:
        bound = max(bound, sorted(bar.time for rows in waiting.values() for bar, *_ in rows)[beyond - 1])
    return bound


def _measure(due: Mapping[str, list[Row]], universe: Universe) -> tuple[Past, dict[str, list[float]]]:
    """Return what happened at the times of the bars that are due, and the rank of each bar of each symbol."""
    times = sorted({bar.time for rows in due.values() for bar, *_ in rows})
    place = {time: k for k, time in enumerate(times)}
    at = {symbol: [place[bar.time] for bar, *_ in rows] for symbol, rows in due.items()}
    returns, lead = np.full((len(universe.symbols), len(place)), nan), np.full(len(place), nan)
    for symbol, rows in due.items():
        returns[universe.places[symbol], at[symbol]] = [change if follows else nan for _, change, follows in rows]
        if symbol == universe.leader:
            lead[at[symbol]] = [change for _, change, _ in rows]
    market, ranks = measure(returns, universe.weights)
    both = zip(times, zip(market.tolist(), lead.tolist(), strict=True), strict=True)
    known = {time: pair for time, pair in both if not (isnan(pair[0]) and isnan(pair[1]))}
    return known, {symbol: ranks[universe.places[symbol], at[symbol]].tolist() for symbol in due}


def _series(past: Past) -> tuple[Ints, Floats]:
    """Return the times [T] and the returns [2, T]."""
    return np.array(list(past), dtype=np.int64), np.array(list(past.values())).reshape(-1, 2).T


def _meet(
    rows: Sequence[Row], shown: int, series: tuple[Ints, Floats], ranks: Sequence[float], oldest: int = 0
) -> list[Bar]:
    """Return one symbol's bars with what happened since the one before each; the last one `shown` was of that time.

    What happened after a bar that is older than `oldest` is remembered no more, and so unknown.
    """
    times, returns = series
    at = np.array([bar.time for bar, *_ in rows], dtype=np.int64)
    before = np.append(shown, at[:-1])
    span = np.where(before < oldest, -1, before), at, interval_ms(rows[0][0].interval)
    market, lead = (moves(times, of, *span).tolist() for of in returns)
    return [_with(bar, *told) for (bar, *_), *told in zip(rows, market, ranks, lead, strict=True)]


def _with(bar: Bar, *told: float) -> Bar:
    market, rank, lead = (None if isnan(number) else number for number in told)
    return replace(bar, market_return=market, market_rank=rank, lead_return=lead)


def _unknown(bars: Iterable[Bar]) -> list[Bar]:
    return [_with(bar, nan, nan, nan) for bar in bars]
