"""Reads the champions' skill and coverage over time, and which symbols and models there are."""

import time
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

import numpy as np
import psycopg
from psycopg import Connection

from dashboard.analytics.queries import QUERIES
from dashboard.analytics.source import Kept
from dashboard.analytics.view_state import Catalog, Market
from dashboard.live.columns import Columns

PERIOD_S = 5.0
COLUMNS = ("time", "scored", "skill", "coverage")
LEAST_SCORED = 60
"""Over fewer forecasts no point is drawn."""


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

    def __init__(self, connection: Connection, interval: str) -> None:
        self._connection, self._interval = connection, interval
        self._kept: Kept[Market, Scores] = Kept(PERIOD_S)
        self._newest: dict[Market, datetime | None] = {}
        self._changed: dict[Market, float] = {}

    def read(self, market: Market) -> Scores:
        """Return the scores; of a database that was not set up yet, nothing."""
        try:
            newest = newest_scored(self._connection, self._interval, market)
            if market in self._newest and newest != self._newest[market]:
                self._changed[market] = time.monotonic()
            self._newest[market] = newest
            return self._kept.get(market, newest, lambda: self._scores(market, newest))
        except psycopg.errors.UndefinedTable:
            return NOTHING

    def _scores(self, market: Market, newest: datetime | None) -> Scores:
        rows = self._rows("catalog", {"interval": self._interval})
        catalog = Catalog(tuple(sorted({symbol for symbol, _ in rows})), tuple(sorted({model for _, model in rows})))
        changed = self._changed.get(market)
        if newest is None:
            return Scores(catalog=catalog, newest=None, changed=changed, curves={}, board=())
        parameters = span(self._interval, market, newest) | {
            "step": market.window.step,
            "rolling": market.window.rolling,
            "least": LEAST_SCORED,
        }
        curves = {}
        for model, of_model in groupby(self._rows("over_time", parameters), key=lambda row: str(row[0])):
            table = np.array([row[1:] for row in of_model], dtype=np.float64)
            curves[model] = {name: np.ascontiguousarray(table[:, place]) for place, name in enumerate(COLUMNS)}
        board = tuple(
            BoardRow(model=model, horizon=horizon, scored=scored, pinball_skill=pinball, mae_skill=mae, coverage=share)
            for model, horizon, scored, pinball, mae, share in self._rows("board", parameters)
        )
        return Scores(catalog=catalog, newest=newest, changed=changed, curves=curves, board=board)

    def _rows(self, name: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
        return self._connection.execute(QUERIES[name], parameters).fetchall()


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
