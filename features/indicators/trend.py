"""Trend: where the price is heading, and how steadily."""

import numpy as np

from features.averages import ema, wilder
from features.compiled import compiled
from features.frame import Floats
from features.series import CLOSE, HIGH, LOW, TRUE_RANGE
from features.windows import moving_deviation, moving_mean, put, ratio


@compiled
def sma(x: Floats, start: int, out: Floats, period: int) -> None:
    """Simple moving average of the close."""
    put(out, 0, moving_mean(x[CLOSE], start, period))


@compiled
def ema_of_close(x: Floats, start: int, out: Floats, state: Floats, period: int) -> None:
    """Exponential moving average of the close, with weight 2 / (period + 1)."""
    put(out, 0, ema(state, 0, x[CLOSE, start:], period))


@compiled
def macd(x: Floats, start: int, out: Floats, state: Floats, fast: int, slow: int, signal: int) -> None:
    """MACD line (fast less slow EMA of the close), its EMA (the signal), and their difference (the histogram)."""
    close = x[CLOSE, start:]
    # The averages begin at the same bar, as in TA-Lib: the fast one leaves out the first slow - fast closes.
    late = close.copy()
    for r in range(min(len(late), int(max(slow - fast - state[6], 0)))):
        late[r] = np.nan
    state[6] += len(late)
    line = ema(state, 0, late, fast) - ema(state, 2, close, slow)
    average = ema(state, 4, line, signal)
    put(out, 0, line)
    put(out, 1, average)
    put(out, 2, line - average)


@compiled
def directional_movement(x: Floats, start: int, out: Floats, state: Floats, period: int) -> None:
    """ADX, +DI and -DI, in percent: Wilder's sums of the directional movements over those of the true range."""
    seen, plus_sum, minus_sum, range_sum = state[0], state[1], state[2], state[3]
    index = np.full(out.shape[1], np.nan)
    for i in range(start, x.shape[1]):
        out[1, i - start] = out[2, i - start] = np.nan
        true_range = x[TRUE_RANGE, i]
        if np.isnan(true_range):
            continue
        up, down = x[HIGH, i] - x[HIGH, i - 1], x[LOW, i - 1] - x[LOW, i]
        plus = up if up > down and up > 0.0 else 0.0
        minus = down if down > up and down > 0.0 else 0.0
        # Wilder's sums begin as plain sums of the first period - 1 movements.
        seen += 1.0
        if seen < period:
            plus_sum, minus_sum, range_sum = plus_sum + plus, minus_sum + minus, range_sum + true_range
            continue
        plus_sum += plus - plus_sum / period
        minus_sum += minus - minus_sum / period
        range_sum += true_range - range_sum / period
        plus_di, minus_di = 100.0 * ratio(plus_sum, range_sum), 100.0 * ratio(minus_sum, range_sum)
        index[i - start] = 100.0 * ratio(abs(plus_di - minus_di), plus_di + minus_di)
        out[1, i - start] = plus_di
        out[2, i - start] = minus_di
    state[0], state[1], state[2], state[3] = seen, plus_sum, minus_sum, range_sum
    adx = wilder(state, 4, index, period)
    for r in range(len(adx)):
        # No movement at all has no direction: the average keeps its value, as in TA-Lib.
        out[0, r] = state[6] if np.isnan(adx[r]) and state[7] >= period else adx[r]
        if not np.isnan(index[r]):
            state[7] += 1.0
        if not np.isnan(adx[r]):
            state[6] = adx[r]


@compiled
def zscore(x: Floats, start: int, out: Floats, period: int) -> None:
    """Distance of the close from its simple average, in the window's population standard deviations."""
    mean, deviation = moving_deviation(x[CLOSE], start, period)
    for r in range(len(mean)):
        out[0, r] = ratio(x[CLOSE, start + r] - mean[r], deviation[r])
