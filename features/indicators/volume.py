"""Volume: what was traded, who began it, and on which side of the price.

NaN while one bar of the window has no known volume (or trades, where these count). What goes on from the beginning, a
sum or a recursive average, is NaN at such a bar alone: that adds nothing, and the rest goes on from the value before.
"""

from math import log

import numpy as np

from features.averages import ema
from features.compiled import compiled
from features.frame import Floats
from features.series import BUY_TRADES, BUY_VOLUME, CLOSE, HIGH, LOW, RETURN, TRADES, TYPICAL, VOLUME
from features.windows import moving_mean, moving_sum, put, ratio


@compiled
def signed_volume(x: Floats, begin: int) -> Floats:
    """Return the volume of each bar from `begin` on, negative on a falling close, 0 on one that stayed."""
    close, volume = x[CLOSE, begin - 1 :], x[VOLUME, begin:]
    result = np.empty(len(volume))
    for k in range(len(result)):
        result[k] = np.sign(close[k + 1] - close[k]) * volume[k]
    return result


@compiled
def money_flow_volume(x: Floats, begin: int) -> Floats:
    """Return the volume of each bar from `begin` on times the close's place between low (-1) and high (1).

    A bar without a range has its close in the middle: it counts as 0, as in TA-Lib.
    """
    high, low, close, volume = x[HIGH, begin:], x[LOW, begin:], x[CLOSE, begin:], x[VOLUME, begin:]
    result = np.empty(len(volume))
    for k in range(len(result)):
        width = high[k] - low[k]
        place = ((close[k] - low[k]) - (high[k] - close[k])) / width if width > 0.0 else 0.0
        result[k] = place * volume[k]
    return result


@compiled
def running_total(state: Floats, values: Floats) -> Floats:
    """Return the sum since the beginning, kept in the state. An unknown value has no sum, and adds nothing later."""
    total = state[0]
    result = np.empty(len(values))
    for r in range(len(values)):
        if np.isnan(values[r]):
            result[r] = np.nan
        else:
            total += values[r]
            result[r] = total
    state[0] = total
    return result


@compiled
def obv(x: Floats, start: int, out: Floats, state: Floats) -> None:
    """On-balance volume since the beginning: volume on a rising close added, on a falling one subtracted. The first
    bar's counts as on a rise, as in TA-Lib. A bar of unknown volume is NaN and adds nothing.
    """
    signed = signed_volume(x, start)
    if np.isnan(x[CLOSE, start - 1]):
        signed[0] = x[VOLUME, start]
    put(out, 0, running_total(state, signed))


@compiled
def obv_change(x: Floats, start: int, out: Floats, period: int) -> None:
    """Change of on-balance volume over the window as a share of the volume: -1 (all on falls) to 1 (all on rises)."""
    balance = moving_sum(signed_volume(x, start - period + 1), period - 1, period)
    volume = moving_sum(x[VOLUME], start, period)
    for r in range(len(volume)):
        out[0, r] = ratio(balance[r], volume[r])


@compiled
def accumulation_distribution(x: Floats, start: int, out: Floats, state: Floats) -> None:
    """Accumulation/distribution line: since the beginning, the volume times the close's place between low (-1) and
    high (1). A bar without a range adds nothing; neither does one of unknown volume, which is NaN.
    """
    put(out, 0, running_total(state, money_flow_volume(x, start)))


@compiled
def chaikin_money_flow(x: Floats, start: int, out: Floats, period: int) -> None:
    """Chaikin money flow: the volume times the close's place between low (-1) and high (1), as a share of the window's
    volume. A bar without a range counts as one that closes in its middle.
    """
    flow = moving_sum(money_flow_volume(x, start - period + 1), period - 1, period)
    volume = moving_sum(x[VOLUME], start, period)
    for r in range(len(volume)):
        out[0, r] = ratio(flow[r], volume[r])


@compiled
def force_index(x: Floats, start: int, out: Floats, state: Floats, period: int) -> None:
    """Force index: exponential average of the close's change times the volume. A bar of unknown volume is left out."""
    close, force = x[CLOSE, start - 1 :], x[VOLUME, start:].copy()
    for r in range(len(force)):
        force[r] *= close[r + 1] - close[r]
    put(out, 0, ema(state, 0, force, period))


@compiled
def ease_of_movement(x: Floats, start: int, out: Floats, period: int) -> None:
    """Ease of movement: the change of the bar's middle times its range, over its volume (in 100 millions); and its
    simple average. NaN without volume.
    """
    begin = start - period + 1
    high, low, volume = x[HIGH, begin - 1 :], x[LOW, begin - 1 :], x[VOLUME, begin:]
    ease = np.empty(len(volume))
    for k in range(len(ease)):
        move = 0.5 * ((high[k + 1] - high[k]) + (low[k + 1] - low[k]))
        ease[k] = ratio(1e8 * move * (high[k + 1] - low[k + 1]), volume[k])
    put(out, 0, ease[period - 1 :])
    put(out, 1, moving_mean(ease, period - 1, period))


@compiled
def volume_price_trend(x: Floats, start: int, out: Floats, state: Floats) -> None:
    """Volume-price trend: since the beginning, the volume times the close's relative change. A bar of unknown volume
    is NaN and adds nothing.
    """
    close, flow = x[CLOSE, start - 1 :], x[VOLUME, start:].copy()
    for r in range(len(flow)):
        flow[r] *= close[r + 1] / close[r] - 1.0
    put(out, 0, running_total(state, flow))


@compiled
def negative_volume_index(x: Floats, start: int, out: Floats, state: Floats) -> None:
    """Negative volume index: 1000 at the beginning, and since then moved by the close's changes in bars of less volume
    than the one before. Where one of the two volumes is unknown it is NaN and keeps its value.
    """
    close, volume = x[CLOSE, start - 1 :], x[VOLUME, start - 1 :]
    index = state[0] if state[0] > 0.0 else 1_000.0
    for r in range(len(close) - 1):
        if np.isnan(volume[r]) or np.isnan(volume[r + 1]):
            out[0, r] = np.nan
        else:
            if volume[r + 1] < volume[r]:
                index *= close[r + 1] / close[r]
            out[0, r] = index
    state[0] = index


@compiled
def money_flow_index(x: Floats, start: int, out: Floats, period: int) -> None:
    """Money flow index, in percent: the share of typical price times volume that came with a rising typical price.

    A change of less than a rounding error (1e-12 of the price) is none.
    """
    begin = start - period + 1
    positive, negative = np.zeros(x.shape[1] - begin), np.zeros(x.shape[1] - begin)
    for k in range(len(positive)):
        flow = x[TYPICAL, begin + k] * x[VOLUME, begin + k]
        change = x[TYPICAL, begin + k] - x[TYPICAL, begin + k - 1]
        least = 1e-12 * x[TYPICAL, begin + k]
        positive[k] = flow if change > least else 0.0 * flow
        negative[k] = flow if change < -least else 0.0 * flow
    rise, fall = moving_sum(positive, period - 1, period), moving_sum(negative, period - 1, period)
    for r in range(len(rise)):
        out[0, r] = 100.0 * ratio(rise[r], rise[r] + fall[r])


@compiled
def vwap(x: Floats, start: int, out: Floats, period: int) -> None:
    """Volume-weighted average of the typical price, and ln(close / it)."""
    value = np.empty(x.shape[1] - start + period - 1)
    for k in range(len(value)):
        i = start - period + 1 + k
        value[k] = x[TYPICAL, i] * x[VOLUME, i]
    total, volume = moving_sum(value, period - 1, period), moving_sum(x[VOLUME], start, period)
    for r in range(len(total)):
        average = ratio(total[r], volume[r])
        out[0, r] = average
        out[1, r] = log(x[CLOSE, start + r] / average)


@compiled
def over_mean(values: Floats, start: int, out: Floats, period: int) -> None:
    """A series over its simple average."""
    mean = moving_mean(values, start, period)
    for r in range(len(mean)):
        out[0, r] = ratio(values[start + r], mean[r])


@compiled
def volume_ratio(x: Floats, start: int, out: Floats, period: int) -> None:
    """Volume over its simple average."""
    over_mean(x[VOLUME], start, out, period)


@compiled
def illiquidity(x: Floats, start: int, period: int) -> Floats:
    """Return the mean of |log return| over the value traded (close times volume), over each window's bars that traded.

    NaN where none did.
    """
    begin = start - period + 1
    returns, close, volume = x[RETURN, begin:], x[CLOSE, begin:], x[VOLUME, begin:]
    impact, traded = np.empty(len(returns)), np.empty(len(returns))
    for k in range(len(returns)):
        impact[k] = 0.0 if volume[k] == 0.0 else abs(returns[k]) / (close[k] * volume[k])
        traded[k] = 0.0 if volume[k] == 0.0 else 1.0
    total, bars = moving_sum(impact, period - 1, period), moving_sum(traded, period - 1, period)
    for r in range(len(total)):
        total[r] = ratio(total[r], bars[r])
    return total


@compiled
def amihud(x: Floats, start: int, out: Floats, period: int) -> None:
    """Amihud's illiquidity: mean of |log return| over the value traded (close times volume), of bars that traded."""
    put(out, 0, illiquidity(x, start, period))


@compiled
def amihud_ratio(x: Floats, start: int, out: Floats, short: int, long: int) -> None:
    """Amihud's illiquidity over the short window against that over the long one, as a logarithm. NaN where one is 0."""
    now, usual = illiquidity(x, start, short), illiquidity(x, start, long)
    for r in range(len(now)):
        out[0, r] = log(now[r] / usual[r]) if now[r] > 0.0 else np.nan


@compiled
def imbalance(x: Floats, start: int, out: Floats, bought: int, traded: int, period: int) -> None:
    """What takers bought less what they sold, over both, in the window."""
    buys, both = moving_sum(x[bought], start, period), moving_sum(x[traded], start, period)
    for r in range(len(buys)):
        out[0, r] = ratio(2.0 * buys[r] - both[r], both[r])


@compiled
def buy_imbalance(x: Floats, start: int, out: Floats, period: int) -> None:
    """Volume that takers bought less what they sold, as a share of the window's volume: -1 (all sold) to 1."""
    imbalance(x, start, out, BUY_VOLUME, VOLUME, period)


@compiled
def trade_imbalance(x: Floats, start: int, out: Floats, period: int) -> None:
    """Trades in which the taker bought less those in which it sold, as a share of the window's trades: -1 to 1."""
    imbalance(x, start, out, BUY_TRADES, TRADES, period)


@compiled
def trades_ratio(x: Floats, start: int, out: Floats, period: int) -> None:
    """Number of trades over its simple average."""
    over_mean(x[TRADES], start, out, period)


@compiled
def trade_size_ratio(x: Floats, start: int, out: Floats, period: int) -> None:
    """The average size of the bar's trades over that of all trades in the window."""
    volume, trades = moving_sum(x[VOLUME], start, period), moving_sum(x[TRADES], start, period)
    for r in range(len(volume)):
        size = ratio(x[VOLUME, start + r], x[TRADES, start + r])
        out[0, r] = ratio(size * trades[r], volume[r])
