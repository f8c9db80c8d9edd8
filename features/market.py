"""The bars of a universe's symbols, each with how the market went in its interval: a fold over all of them together.

Bars wait in event time: those of time t go out once every symbol of the universe has shown a bar of t or later. A
symbol that lags is not waited for without end: t goes out without it once every other symbol that is still there has
delivered `PATIENCE` messages (frames) whose rows are all later than t. Counted in messages, a backfill in frames of
hundreds and a live stream in frames of one behave alike. A symbol has left, and holds nothing up, when those before it
are all that far ahead of its last bar. Its bars for a past t go out when they come; nothing is lost.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from math import isnan, nan

import msgspec
import numpy as np
from msgspec import Struct, field
from msgspec.structs import astuple, replace

from features.cross_section import Universe, log_return, measure
from topics.records import Bar
from topics.units import interval_ms

PATIENCE = 3
"""Messages later than t that the others deliver before t goes out without a symbol."""
REMEMBERED = 2_048
"""Intervals that went out without some symbol whose market return is kept, for the bars that come after all."""
WAITING = 25_000
"""Bars that wait, at most: a state must fit into one Kafka record of `topics.catalog.MAX_MESSAGE_BYTES`."""

Row = tuple[Bar, float]
"""A bar that waits, and its return."""


class Follower(Struct, frozen=True, array_like=True):
    """One symbol: its last bar's time and close, and the first times of its newest `PATIENCE` messages."""

    frontier: int = -1
    close: float = nan
    firsts: tuple[int, ...] = ()

    @property
    def passed(self) -> int:
        """Every time before this lies behind `PATIENCE` messages."""
        return self.firsts[0] if len(self.firsts) == PATIENCE else -1


class MarketState(Struct, frozen=True):
    """What one interval's market remembers. Never changed in place.

    `waiting` has each symbol's bars in time order; what is not later than `done` went out; `remembered` has the
    market's return by time.
    """

    followers: dict[str, Follower] = field(default_factory=dict)
    waiting: dict[str, list[Row]] = field(default_factory=dict)
    done: int = -1
    remembered: dict[int, float] = field(default_factory=dict)

    def dumps(self) -> bytes:
        """Return the state as bytes, exactly."""
        waiting = {s: [(*astuple(bar)[1:], change) for bar, change in rows] for s, rows in self.waiting.items()}
        return _encoder.encode((self.followers, waiting, self.done, self.remembered))

    @classmethod
    def loads(cls, data: bytes) -> "MarketState":
        """Read what `dumps` wrote. Raises ValueError where it is something else."""
        followers, waiting, done, remembered = _decoder.decode(data)
        rows = {symbol: [(Bar(symbol, *row[:-1]), row[-1]) for row in rows] for symbol, rows in waiting.items()}
        return cls(followers, rows, done, remembered)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(
    tuple[dict[str, Follower], dict[str, list[tuple]], int, dict[int, float]]  # type: ignore[type-arg]
)


def initial() -> MarketState:
    """Return the state before the first bar."""
    return MarketState()


def step(state: MarketState, bars: Sequence[Bar], universe: Universe) -> tuple[MarketState, list[Bar]]:
    """Fold one message's bars, of one interval of time; return the new state and the bars that go out.

    Each symbol's bars go out in time order. A bar that is not later than the symbol's last one was delivered again, and
    is skipped. One of a symbol outside the universe goes straight on, with nothing known of the market.
    """
    followers, waiting, out = dict(state.followers), dict(state.waiting), list[Bar]()
    for symbol in [symbol for symbol in waiting if symbol not in universe.places]:
        out += _unknown(bar for bar, _ in waiting.pop(symbol))
    for symbol, own in _by_symbol(bars).items():
        if symbol not in universe.places:
            out += _unknown(own)
            continue
        follower = followers.get(symbol, Follower())
        rows, follower = _follow(follower, own)
        if rows:
            late = bisect_right(rows, state.done, key=_time)
            out += [_with(bar, state.remembered.get(bar.time, nan), nan) for bar, _ in rows[:late]]
            waiting[symbol] = [*waiting.get(symbol, ()), *rows[late:]]
            followers[symbol] = follower
    done = max(state.done, _bound([followers.get(symbol, Follower()) for symbol in universe.symbols], waiting))
    due = {symbol: rows[: bisect_right(rows, done, key=_time)] for symbol, rows in waiting.items()}
    due = {symbol: rows for symbol, rows in due.items() if rows}
    waiting = {s: rest for s, rows in waiting.items() if (rest := rows[len(due.get(s, ())) :])}
    if not due:
        return MarketState(followers, waiting, done, state.remembered), out
    market, ranks, place = _measure(due, universe)
    for symbol, rows in due.items():
        at = [place[bar.time] for bar, _ in rows]
        out += [_with(bar, market[k], ranks[universe.places[symbol]][k]) for k, (bar, _) in zip(at, rows, strict=True)]
    met = min(followers[symbol].frontier if symbol in followers else -1 for symbol in universe.symbols)
    missed = {time: market[k] for time, k in place.items() if time > met and not isnan(market[k])}
    return MarketState(followers, waiting, done, _newest(state.remembered, missed)), out


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
            rows.append((bar, log_return(close, bar.close) if follows else nan))
            frontier, close = bar.time, bar.close
    firsts = (*follower.firsts, rows[0][0].time)[-PATIENCE:] if rows else follower.firsts
    return rows, Follower(frontier, close, firsts)


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
        bound = max(bound, sorted(bar.time for rows in waiting.values() for bar, _ in rows)[beyond - 1])
    return bound


def _measure(due: Mapping[str, list[Row]], universe: Universe) -> tuple[list[float], list[list[float]], dict[int, int]]:
    """Return the market's return [T], the ranks [S][T], and the place of each time in them."""
    place = {time: k for k, time in enumerate(sorted({bar.time for rows in due.values() for bar, _ in rows}))}
    returns = np.full((len(universe.symbols), len(place)), nan)
    for symbol, rows in due.items():
        returns[universe.places[symbol], [place[bar.time] for bar, _ in rows]] = [change for _, change in rows]
    market, ranks = measure(returns, universe.weights)
    return market.tolist(), ranks.tolist(), place


def _newest(remembered: dict[int, float], more: dict[int, float]) -> dict[int, float]:
    if not more:
        return remembered
    return dict(list({**remembered, **more}.items())[-REMEMBERED:])


def _with(bar: Bar, market: float, rank: float) -> Bar:
    return replace(bar, market_return=None if isnan(market) else market, market_rank=None if isnan(rank) else rank)


def _unknown(bars: Iterable[Bar]) -> list[Bar]:
    return [_with(bar, nan, nan) for bar in bars]
