"""The records of one made-up minute of a symbol, as the stream makes them."""

import math
from collections.abc import Sequence

from msgspec import Struct

from bench.dashboard.stored import MODELS
from features.definition import Definition
from topics.catalog import BARS, FEATURES, OUTCOMES, PREDICTIONS, REGIMES, Topic
from topics.records import HORIZONS, Bar, Features, Forecast, Outcome, Prediction, Regime

MINUTE_MS = 60_000
LEVELS = (-1.6, -1.3, -0.7, 0.0, 0.7, 1.3, 1.6)
DEFINITION = Definition()
Sent = tuple[Topic, str, Sequence[Struct]]


def price(minute: int) -> float:
    """Return a price that goes up and down."""
    return 100.0 * (1 + 0.01 * math.sin(minute / 23) + 0.002 * math.sin(minute * 1.7))


def of(symbol: str, first: int, minute: int) -> list[Sent]:
    """Return what is published of a minute, the bar and what was made of it; `first` is the first minute [epoch ms]."""
    time, before, close = first + minute * MINUTE_MS, price(minute - 1), price(minute)
    high, low = max(before, close) * 1.0005, min(before, close) * 0.9995
    bar = Bar(symbol, "1m", time, before, high, low, close, 10.0 + minute % 7)
    features = Features(
        symbol=symbol,
        interval="1m",
        time=time,
        close=close,
        fingerprint=DEFINITION.fingerprint,
        values=[math.sin(minute)] * len(DEFINITION.names),
    )
    regime = Regime(symbol=symbol, interval="1m", time=time, state="calm", posterior={"calm": 0.8, "turbulent": 0.2})
    return [
        (BARS, symbol, [bar]),
        (FEATURES, symbol, [features]),
        (REGIMES, symbol, [regime]),
        (PREDICTIONS, symbol, [_said(symbol, time, close, model) for model in MODELS]),
        (OUTCOMES, symbol, [_scored(symbol, time, model, h) for model in MODELS for h in HORIZONS]),
    ]


def _said(symbol: str, time: int, close: float, model: str) -> Prediction:
    forecasts = [
        Forecast(
            horizon=horizon,
            mean=0.0,
            scale=0.001,
            quantiles=[level * 0.001 * math.sqrt(horizon) for level in LEVELS],
            p_up=0.52,
        )
        for horizon in HORIZONS
    ]
    return Prediction(
        symbol=symbol,
        interval="1m",
        time=time,
        model=model,
        version="v1",
        fingerprint=DEFINITION.fingerprint,
        price=close,
        forecasts=forecasts,
        regime="calm",
    )


def _scored(symbol: str, time: int, model: str, horizon: int) -> Outcome:
    at = time - horizon * MINUTE_MS
    return Outcome(
        symbol, "1m", at, model, "v1", horizon, time, "scored", 0.001, 0.001, 0.0011, 0.0004, True, time % 3 > 0
    )
