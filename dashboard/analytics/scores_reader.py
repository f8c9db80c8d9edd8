"""Reads the champions' skill and coverage over time, and which symbols and models there are."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg import Connection

from dashboard.analytics.hourly_scores import NO_HOURS, HourlyScores, Hours, Series, Sums, curve
from dashboard.analytics.queries import QUERIES
from dashboard.analytics.source import Kept
from dashboard.analytics.view_state import Catalog, Market
from dashboard.live.columns import Columns
from models.forecaster import Floats
from models.skill import skill

PERIOD_S = 0.1
"""A look for a newer forecast is cheap, and what is drawn waits for it."""
SUMS_S = 0.5
"""How old the sums may be while none is newer: outcomes of other symbols come after the first."""


@dataclass(frozen=True, kw_only=True)
class BoardRow:
    """A champion's scores at one horizon over the whole window; None is unknown."""

    model: str
    horizon: int
    scored: int
    pinball_skill: float | None
    mae_skill: float | None
    coverage: float | None


@dataclass(frozen=True, kw_only=True)
class Scores:
    """What is known of a market: `newest` is the time of the newest forecast that was scored, None if none was.

    `changed` is when that was seen to change, on the monotonic clock, None if it was not; `curves` is by model.
    """

    catalog: Catalog
    newest: datetime | None
    changed: float | None
    curves: dict[str, Columns]
    board: tuple[BoardRow, ...]


NOTHING = Scores(catalog=Catalog((), ()), newest=None, changed=None, curves={}, board=())


class ScoresSource:
    """The scores behind one connection."""

    def __init__(self, connection: Connection, interval: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._connection, self._interval, self._clock = connection, interval, clock
        self._hours = HourlyScores(connection, interval, clock)
        self._summed: Kept[Market, tuple[Hours, Catalog]] = Kept()
        self._kept: Kept[Market, Scores] = Kept()
        self._newest: dict[Market, datetime | None] = {}
        self._changed: dict[Market, float] = {}

    def read(self, market: Market) -> Scores:
        """Return the scores; of a database that was not set up yet, nothing."""
        try:
            newest = newest_scored(self._connection, self._interval, market)
            stamp = newest, self._clock() // SUMS_S
            hours, catalog = self._summed.get(
                market, stamp, lambda: (self._read_hours(market, newest), self._catalog())
            )
        except psycopg.errors.UndefinedTable:
            return NOTHING
        if market in self._newest and newest != self._newest[market]:
            self._changed[market] = self._clock()
        self._newest[market] = newest
        # What has not changed is the same object: a page then draws and sends nothing.
        return self._kept.get(market, (newest, hours, catalog), lambda: self._scores(market, newest, hours, catalog))

    def _read_hours(self, market: Market, newest: datetime | None) -> Hours:
        return NO_HOURS if newest is None else self._hours.read(market, newest)

    def _catalog(self) -> Catalog:
        rows = self._connection.execute(QUERIES["catalog"], {"interval": self._interval}).fetchall()
        return Catalog(tuple(sorted({symbol for symbol, _ in rows})), tuple(sorted({model for _, model in rows})))

    def _scores(self, market: Market, newest: datetime | None, hours: Hours, catalog: Catalog) -> Scores:
        changed = self._changed.get(market)
        if newest is None:
            return Scores(catalog=catalog, newest=None, changed=changed, curves={}, board=())
        since = (newest - market.window.length).timestamp()
        curves, board = {}, []
        for series, (times, sums) in hours.by_series.items():
            if series.horizon == market.horizon:
                curves[series.model] = curve(times, sums, market.window, newest)
            within = sums[times > since]
            if len(within):
                board.append(_row(series, within))
        return Scores(catalog=catalog, newest=newest, changed=changed, curves=curves, board=tuple(board))


def _row(series: Series, sums: Floats) -> BoardRow:
    of = Sums(*sums.sum(axis=0).tolist())
    return BoardRow(
        model=series.model,
        horizon=series.horizon,
        scored=round(of.scored),
        pinball_skill=skill(of.pinball, of.naive_pinball),
        mae_skill=skill(of.absolute_error, of.naive_absolute_error),
        coverage=of.hits / of.intervals if of.intervals else None,
    )


def newest_scored(connection: Connection, interval: str, market: Market) -> datetime | None:
    """Return the time of the newest forecast that was scored, None if none was."""
    parameters = {"interval": interval, "horizon": market.horizon, "symbol": market.symbol}
    row = connection.execute(QUERIES["newest"], parameters).fetchone()
    newest: datetime | None = row[0] if row else None
    return newest


def span(interval: str, market: Market, newest: datetime) -> dict[str, Any]:
    """Return the parameters of what is read of a market, up to the newest forecast."""
    return {
        "interval": interval,
        "horizon": market.horizon,
        "symbol": market.symbol,
        "since": newest - market.window.length,
        "end": newest,
    }
