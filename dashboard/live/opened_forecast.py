"""Which forecast the viewer opens: by a button, or by a click on the candles or the fan."""

from dataclasses import replace

import numpy as np

from dashboard.live.detail import ForecastKey
from dashboard.live.forecast_time import read, written
from dashboard.live.series_reader import Snapshot
from dashboard.live.view_state import Choice
from topics.units import interval_ms

PRESS = "forecast:"
"""What the name of a button that opens a forecast begins with; after it stands the time, or one of the steps."""
CLOSE, BACK, ON = "close", "back", "on"
STEPS = {BACK: -1, ON: 1}
"""By how many bars a button leads on."""


def key(choice: Choice) -> ForecastKey | None:
    """Return the opened forecast once the series and the model are known, None if none is open."""
    if choice.forecast is None or choice.series is None or choice.model is None:
        return None
    return ForecastKey(
        series=choice.series,
        model=choice.model,
        horizon=choice.horizon,
        time=choice.forecast,
        until=choice.past.replay,
    )


def button(time: float) -> str:
    """Return the name of the button that opens the forecast of that bar [epoch ms]."""
    return PRESS + written(round(time))


def pressed(choice: Choice, name: str) -> Choice:
    """Return the choice after a button was pressed: the same one if it is another's."""
    what = name.removeprefix(PRESS)
    if what == name:
        return choice
    if what == CLOSE:
        return replace(choice, forecast=None)
    if what in STEPS:
        if choice.forecast is None or choice.interval is None:
            return choice
        return replace(choice, forecast=max(0, choice.forecast + STEPS[what] * interval_ms(choice.interval)))
    time = read(what)
    return choice if time is None else replace(choice, forecast=time)


def pointed(choice: Choice, snapshot: Snapshot, x: float) -> Choice:
    """Return the choice after a click at that time [epoch ms] of the chart.

    Ahead of the newest bar it is the fan's nearest horizon. A candle stands for the forecast that came true at it, the
    last one that did in a longer candle; where none has, for the one of which that might be said.
    """
    series, window = snapshot.key.series, snapshot.key.window
    step, frame = interval_ms(series.interval), interval_ms(window.timeframe)
    newest = snapshot.newest.bar.timestamp() * 1000 if snapshot.newest.bar else -np.inf
    fan, bars = snapshot.fan, snapshot.bars
    if x > newest + step / 2:
        ahead = np.flatnonzero(fan["time"] > newest)
        if not len(ahead):
            return choice
        nearest = ahead[np.argmin(np.abs(fan["time"][ahead] - x))]
        return replace(choice, forecast=round(float(fan["time"][0])), horizon=round(float(fan["horizon"][nearest])))
    middle = bars["time"] + (frame - step) / 2
    if not len(middle) or np.min(np.abs(middle - x)) > frame / 2:
        return choice
    place = int(np.argmin(np.abs(middle - x)))
    made = float(bars["made"][place])
    if np.isnan(made):
        made = float(bars["time"][place]) + frame - step - snapshot.key.horizon * step
    return replace(choice, forecast=max(0, round(made)))
