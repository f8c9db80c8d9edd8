"""Reads the newest of all symbols for all viewers: one thread, a few queries, whatever the number of symbols."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby

import psycopg
from psycopg import Connection

from dashboard.database import connected, no_answer
from dashboard.live.quantile_forecast import QuantileForecast
from dashboard.live.series_reader import read_series
from dashboard.overview.queries import QUERIES
from dashboard.polled_reader import PolledReader
from storage.errors import place
from topics.units import interval_ms

PERIOD_S = 0.5
CATALOG_S = 10.0
"""New symbols and models are looked for, and inactive series dropped, after so long."""
ACTIVE = timedelta(days=1)
"""A series without a forecast for so long by the data's time is inactive."""
PAST_BARS = 180
PAST_POINTS = 36
"""The line of a price is over so many bars, in so many points."""
MOST_KEPT = 16


@dataclass(frozen=True)
class Key:
    """What is looked at; a `model` of None is not known yet."""

    interval: str
    model: str | None


@dataclass(frozen=True, kw_only=True)
class SymbolNow:
    """The newest of a symbol. `bar` is the time of its newest bar [epoch ms], `past` are times [epoch ms] and closes of
    the `PAST_BARS` up to it, `said` the champion's forecasts by horizon [bars]."""

    symbol: str
    bar: float
    close: float
    state: str | None
    past: tuple[tuple[float, float], ...]
    said: Mapping[int, QuantileForecast]

    @property
    def change(self) -> float | None:
        """Return by which share the price has moved over its line, None without one."""
        return self.close / self.past[0][1] - 1 if self.past else None

    @property
    def forecast(self) -> float | None:
        """Return the bar of the newest forecast [epoch ms], None without one."""
        return max((one.time for one in self.said.values()), default=None)


@dataclass(frozen=True, kw_only=True)
class Overview:
    """All symbols of a `key`. By the monotonic clock: since when they are watched, when something was seen to change,
    and when a forecast was."""

    key: Key
    intervals: tuple[str, ...]
    models: tuple[str, ...]
    symbols: tuple[SymbolNow, ...]
    since: float
    changed: float | None = None
    forecast: float | None = None

    @property
    def newest_bar(self) -> float | None:
        """Return the newest bar of all [epoch ms]."""
        return max((one.bar for one in self.symbols), default=None)

    @property
    def newest_forecast(self) -> float | None:
        """Return the bar of the newest forecast of all [epoch ms]."""
        return max((one.forecast for one in self.symbols if one.forecast is not None), default=None)


@dataclass(kw_only=True)
class Catalog:
    """What is stored: `active` are the model's series with recent forecasts, `last` the newest series of all known."""

    looked: float
    intervals: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()
    active: Sequence[int] = ()
    last: int = 0


@dataclass(kw_only=True)
class Known:
    """What is known of a key."""

    catalog: Catalog = field(default_factory=lambda: Catalog(looked=float("-inf")))
    past: dict[str, tuple[float, tuple[tuple[float, float], ...]]] = field(default_factory=dict)
    overview: Overview | None = None


class OverviewSource:
    """Reads keys and remembers them, so that what has not changed is neither read nor drawn again."""

    def __init__(self) -> None:
        self._known: dict[Key, Known] = {}

    def read(self, connection: Connection, key: Key) -> Overview:
        """Return the newest of all symbols; the same object if nothing has changed."""
        known = self._known.pop(key, None) or Known()
        self._known[key] = known
        if len(self._known) > MOST_KEPT:
            del self._known[next(iter(self._known))]
        try:
            found = self._symbols(connection, key, known)
        except psycopg.errors.UndefinedTable:
            known.catalog, found = Catalog(looked=float("-inf")), ()  # a database that was not set up yet is empty
        catalog, now, before = known.catalog, time.monotonic(), known.overview
        overview = Overview(
            key=key,
            intervals=catalog.intervals,
            models=catalog.models,
            symbols=found,
            since=before.since if before else now,
            changed=before.changed if before else None,
            forecast=before.forecast if before else None,
        )
        if before is None or overview == before:
            known.overview = before or overview
        else:
            known.overview = arrived(before, overview, now)
        return known.overview

    def _symbols(self, connection: Connection, key: Key, known: Known) -> tuple[SymbolNow, ...]:
        now = time.monotonic()
        if now - known.catalog.looked >= CATALOG_S or not known.catalog.symbols:
            known.catalog = read_catalog(connection, key, now)
        catalog = known.catalog
        asked = {"symbols": list(catalog.symbols), "interval": key.interval}
        bars = connection.execute(QUERIES["now"], asked).fetchall()
        said = read_said(connection, key, catalog)
        moved = [(symbol, bar) for symbol, bar, *_ in bars if known.past.get(symbol, (None,))[0] != bar]
        known.past |= read_past(connection, key.interval, moved)
        return tuple(
            SymbolNow(
                symbol=symbol, bar=bar, close=close, state=state, past=known.past[symbol][1], said=said.get(symbol, {})
            )
            for symbol, bar, close, state in bars
        )


def arrived(before: Overview, overview: Overview, now: float) -> Overview:
    """Return the overview with the times at which something came; what was found at first was not seen to arrive."""
    is_new = overview.newest_forecast != before.newest_forecast
    return Overview(
        key=overview.key,
        intervals=overview.intervals,
        models=overview.models,
        symbols=overview.symbols,
        since=before.since,
        changed=now if overview.symbols != before.symbols else before.changed,
        forecast=now if is_new else before.forecast,
    )


def read_catalog(connection: Connection, key: Key, now: float) -> Catalog:
    """Return which intervals, models and symbols there are, and which series of the model are active."""
    series = read_series(connection)
    intervals = sorted({one.interval for one in series}, key=interval_ms)
    models = connection.execute(QUERIES["models"], {"interval": key.interval}).fetchall()
    asked = {"interval": key.interval, "model": key.model}
    rows = connection.execute(QUERIES["active"], asked).fetchall() if key.model else []
    oldest = max(at for _, at in rows) - ACTIVE if rows else None
    return Catalog(
        looked=now,
        intervals=tuple(intervals),
        models=tuple(str(model) for (model,) in models),
        symbols=tuple(one.symbol for one in series if one.interval == key.interval),
        active=[number for number, at in rows if oldest is None or at > oldest],
        last=max((number for number, _ in rows), default=0),
    )


def read_said(connection: Connection, key: Key, catalog: Catalog) -> dict[str, dict[int, QuantileForecast]]:
    """Return the champion's newest forecasts by symbol and horizon."""
    if key.model is None:
        return {}
    asked = {
        "interval": key.interval,
        "model": key.model,
        "active": list(catalog.active),
        "last": catalog.last,
    }
    rows = connection.execute(QUERIES["said"], asked).fetchall()
    result: dict[str, dict[int, QuantileForecast]] = {}
    for symbol, horizon, at, price, q05, q10, q50, q90, q95, p_up in rows:
        said = QuantileForecast(time=at, price=price, q05=q05, q10=q10, q50=q50, q90=q90, q95=q95, p_up=p_up)
        result.setdefault(symbol, {})[horizon] = said
    return result


def read_past(
    connection: Connection, interval: str, newest: Sequence[tuple[str, float]]
) -> dict[str, tuple[float, tuple[tuple[float, float], ...]]]:
    """Return the newest bar and the line of the price of these symbols, each up to its newest bar [epoch ms]."""
    if not newest:
        return {}
    length = timedelta(milliseconds=interval_ms(interval))
    asked = {
        "symbols": [symbol for symbol, _ in newest],
        "newest": [datetime.fromtimestamp(bar / 1000, UTC) for _, bar in newest],
        "interval": interval,
        "span": PAST_BARS * length,
        "step": PAST_BARS // PAST_POINTS * length,
    }
    rows = connection.execute(QUERIES["past"], asked).fetchall()
    lines = {
        symbol: tuple((start, close) for _, start, close in of_symbol)
        for symbol, of_symbol in groupby(rows, key=lambda row: str(row[0]))
    }
    return {symbol: (bar, lines.get(symbol, ())) for symbol, bar in newest}


def overview_reader(url: str) -> PolledReader[Connection, Key, Overview]:
    """Return the thread that reads for all viewers."""
    where, source = place(url), OverviewSource()
    return PolledReader(
        lambda: connected(url),
        source.read,
        period_s=PERIOD_S,
        failures=(psycopg.Error,),
        describe=lambda error: no_answer(where, error),
    )
