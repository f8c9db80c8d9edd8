"""Records for the tests of alerts: made of the few numbers that a test is about."""

from topics.records import Forecast, Outcome, Prediction, Regime

MINUTE = 60_000
START = 1_750_000_020_000
"""2025-06-15 15:07 UTC."""


def prediction(
    minute: int,
    mean: float | None = 0.002,
    *,
    symbol: str = "BTCUSDT",
    model: str = "ensemble",
    p_up: float | None = 0.6,
    role: str = "champion",
    horizons: tuple[int, ...] = (15,),
) -> Prediction:
    """Return a prediction of the bar at that minute."""
    forecasts = [Forecast(h, mean, 0.001, [-0.003, -0.002, -0.001, 0.0, 0.001, 0.002, 0.003], p_up) for h in horizons]
    return Prediction(symbol, "1m", START + minute * MINUTE, model, "v1", "f", 64_000.0, forecasts, "calm", role)  # type: ignore[arg-type]


def outcome(minute: int, hit: bool | None, *, horizon: int = 15) -> Outcome:
    """Return the outcome of a prediction made at that minute."""
    time = START + minute * MINUTE
    scores = (0.001, 0.002, 0.001, 0.0005, hit, hit) if hit is not None else ()
    return Outcome(
        "BTCUSDT",
        "1m",
        time,
        "ensemble",
        "v1",
        horizon,
        time + horizon * MINUTE,
        "scored" if scores else "stale",
        *scores,
    )


def regime(minute: int, state: str) -> Regime:
    """Return the regime after the bar at that minute."""
    return Regime("BTCUSDT", "1m", START + minute * MINUTE, state, {state: 0.9})
