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
    forecasts = [
        Forecast(
            horizon=h, mean=mean, scale=0.001, quantiles=[-0.003, -0.002, -0.001, 0.0, 0.001, 0.002, 0.003], p_up=p_up
        )
        for h in horizons
    ]
    return Prediction(
        symbol=symbol,
        interval="1m",
        time=START + minute * MINUTE,
        model=model,
        version="v1",
        fingerprint="f",
        price=64_000.0,
        forecasts=forecasts,
        regime="calm",
        role=role,
    )


def outcome(minute: int, hit: bool | None, *, horizon: int = 15, naive_pinball: float | None = None) -> Outcome:
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
        naive_pinball=naive_pinball,
    )


def regime(minute: int, state: str) -> Regime:
    """Return the regime after the bar at that minute."""
    return Regime(symbol="BTCUSDT", interval="1m", time=START + minute * MINUTE, state=state, posterior={state: 0.9})
