"""A snapshot of the live page without a database, and how it looks, for the tests of what is made of it."""

from datetime import UTC, datetime
from typing import Any

import numpy as np

from dashboard.clock import Clock
from dashboard.live.fan import LEVELS
from dashboard.live.look import Look
from dashboard.live.series_reader import Key, Latest, Newest, RegimeNow, Snapshot
from dashboard.live.timeframes import Window
from dashboard.live.view_state import BarSeries
from dashboard.palette import LIGHT

MINUTE = 60_000
QUANTILES = (104_210.0, 104_300.0, 104_500.0, 104_610.0, 104_700.0, 104_900.0, 105_030.0)
MADE = datetime(2025, 5, 18, 12, 30, tzinfo=UTC)


def fan(p_up: float = 0.63) -> dict[str, np.ndarray]:
    """Return a fan made at `MADE` with one horizon."""
    at = MADE.timestamp() * 1000
    known = {
        "time": np.array([at, at + 15 * MINUTE]),
        "horizon": np.array([0.0, 15.0]),
        "p_up": np.array([np.nan, p_up]),
    }
    return known | {name: np.array([104_600.0, value]) for name, value in zip(LEVELS, QUANTILES, strict=True)}


def snapshot(symbol: str = "BTCUSDT", model: str = "gbm", state: str = "calm", **more: Any) -> Snapshot:
    column = np.array([100.0, 99.0])
    known: dict[str, Any] = {
        "key": Key(series=BarSeries(symbol, "1m"), model=model, horizon=15, span=180, window=Window(180, None, "1m")),
        "serial": 1,
        "newest": Newest(bar=datetime(2025, 5, 18, 15, 32, tzinfo=UTC), prediction=MADE, outcome=None, regime=None),
        "latest": Latest(close=99.0, before=100.0, first=datetime(2025, 5, 9, tzinfo=UTC)),
        "models": (model,),
        "bars": dict.fromkeys(("time", "open", "high", "low", "close", "volume"), column),
        "fan": fan(),
        "runs": (),
        "regime": RegimeNow(state, 0.82),
        "scores": {
            model: dict.fromkeys(("time", "scored", "coverage", "skill", "direction", "moved", "error"), column / 100)
        },
    }
    return Snapshot(**known | more)


def look(colours: dict[str, str] | None = None, **more: Any) -> Look:
    known = {"gbm": LIGHT.hit} if colours is None else colours
    plain: dict[str, Any] = {"palette": LIGHT, "models": known, "regimes": known, "model": "gbm"}
    return Look(**plain | {"hidden": frozenset(), "clock": Clock(), "old": False} | more)
