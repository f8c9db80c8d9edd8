"""Volume: the amount traded, the taker's side, and its relation to the price.

NaN while one bar of the window has no known volume (or trades, where these count). A sum since the beginning or a
recursive average is NaN at such a bar only: the bar adds nothing, and the next one continues from the value before.
"""

from math import log

import numpy as np

from features.averages import average_at, averaged, ema_weight, keep
from features.compiled import compiled, scratch
from features.frame import Floats
from features.series import BUY_TRADES, BUY_VOLUME, CLOSE, HIGH, LOW, RETURN, TRADES, TYPICAL, VOLUME
from features.windows import moving_mean, moving_sum, put, ratio


@compiled
def signed_volume(x: Floats, begin: int, result: Floats) -> None:
    """Fill the volume of each bar from `begin` on, negative on a falling close, 0 on one that stayed."""
    close, before, volume = x[CLOSE, begin:], x[CLOSE, begin - 1 :], x[VOLUME, begin:]
    for k in range(len(result)):
        result[k] = np.sign(close[k] - before[k]) * volume[k]


@compiled
def money_flow_volume(x: Floats, begin: int, result: Floats) -> None:
    """Fill the volume of each bar from `begin` on times the close's place between low (-1) and high (1).

    A bar without a range has its close in the middle: it counts as 0, as in TA-Lib.
    """
    high, low, close, volume = x[HIGH, begin:], x[LOW, begin:], x[CLOSE, begin:], x[VOLUME, begin:]
    for k in range(len(result)):
        width = high[k] - low[k]
        place = ((close[k] - low[k]) - (high[k] - close[k])) / width if width > 0.0 else 0.0
        result[k] = place * volume[k]


@compiled
def add_up(state: Floats, values: Floats) -> None:
    """Turn values into their sum since the beginning, kept in the state. An unknown one has none, and adds nothing."""
    total = state[0]
    for r in range(len(values)):
        if not np.isnan(values[r]):
            total += values[r]
            values[r] = total
    state[0] = total


@compiled
def obv(x: Floats, start: int, out: Floats, state: Floats) -> None:
    """On-balance volume since the beginning: volume on a rising close added, on a falling one subtracted. The first
    bar's counts as on a rise, as in TA-Lib. A bar of unknown volume is NaN and adds nothing.
    """
    signed_volume(x, start, out[0])
    if np.isnan(x[CLOSE, start - 1]):
        out[0, 0] = x[VOLUME, start]
    add_up(state, out[0])


@compiled
def obv_change(x: Floats, start: int, out: Floats, period: int) -> None:
    """Change of on-balance volume over the window as a share of the volume: -1 (all on falls) to 1 (all on rises)."""
    rows, share = out.shape[1], out[0]
    signed, volume = scratch(period - 1 + rows), scratch(rows)
    signed_volume(x, start - period + 1, signed)
    moving_sum(signed, period - 1, period, share)
    moving_sum(x[VOLUME], start, period, volume)
    for r in range(rows):
        share[r] = ratio(share[r], volume[r])


@compiled
def accumulation_distribution(x: Floats, start: int, out: Floats, state: Floats) -> None:
    """Accumulation/distribution line: since the beginning, the volume times the close's place between low (-1) and
    high (1). A bar without a range adds nothing; neither does one of unknown volume, which is NaN.
    """
    money_flow_volume(x, start, out[0])
    add_up(state, out[0])


@compiled
def chaikin_money_flow(x: Floats, start: int, out: Floats, period: int) -> None:
    """Chaikin money flow: the volume times the close's place between low (-1) and high (1), as a share of the window's
    volume. A bar without a range counts as one that closes in its middle.
    """
    rows, share = out.shape[1], out[0]
    flow, volume = scratch(period - 1 + rows), scratch(rows)
    money_flow_volume(x, start - period + 1, flow)
    moving_sum(flow, period - 1, period, share)
    moving_sum(x[VOLUME], start, period, volume)
    for r in range(rows):
        share[r] = ratio(share[r], volume[r])


@compiled
def force_index(x: Floats, start: int, out: Floats, state: Floats, period: int) -> None:
    """Force index: exponential average of the close's change times the volume. A bar of unknown volume is left out."""
    close, before, volume = x[CLOSE, start:], x[CLOSE, start - 1 :], x[VOLUME, start:]
    force, weight = average_at(state, 0), ema_weight(period)
    for r in range(out.shape[1]):
        force, out[0, r] = averaged(force, volume[r] * (close[r] - before[r]), period, weight)
    keep(state, 0, force)


@compiled
def ease_of_movement(x: Floats, start: int, out: Floats, period: int) -> None:
    """Ease of movement: the change of the bar's middle times its range, over its volume (in 100 millions); and its
    simple average. NaN without volume.
    """
    begin = start - period + 1
    high, low, volume = x[HIGH, begin:], x[LOW, begin:], x[VOLUME, begin:]
    high_before, low_before = x[HIGH, begin - 1 :], x[LOW, begin - 1 :]
    ease = scratch(period - 1 + out.shape[1])
    for k in range(len(ease)):
        move = 0.5 * ((high[k] - high_before[k]) + (low[k] - low_before[k]))
        ease[k] = ratio(1e8 * move * (high[k] - low[k]), volume[k])
    put(ease[period - 1 :], out[0])
    moving_mean(ease, period - 1, period, out[1])


@compiled
def volume_price_trend(x: Floats, start: int, out: Floats, state: Floats) -> None:
    """Volume-price trend: since the beginning, the volume times the close's relative change. A bar of unknown volume
    is NaN and adds nothing.
    """
    close, before, volume, trend = x[CLOSE, start:], x[CLOSE, start - 1 :], x[VOLUME, start:], out[0]
    for r in range(len(trend)):
        trend[r] = volume[r] * (close[r] / before[r] - 1.0)
    add_up(state, trend)


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
    begin, rows, index = start - period + 1, out.shape[1], out[0]
    typical, before, volume = x[TYPICAL, begin:], x[TYPICAL, begin - 1 :], x[VOLUME, begin:]
    positive, negative, fall = scratch(period - 1 + rows), scratch(period - 1 + rows), scratch(rows)
    for k in range(len(positive)):
        flow = typical[k] * volume[k]
        positive[k] = flow if typical[k] - before[k] > 1e-12 * typical[k] else 0.0 * flow
    for k in range(len(negative)):
        flow = typical[k] * volume[k]
        negative[k] = flow if before[k] - typical[k] > 1e-12 * typical[k] else 0.0 * flow
    moving_sum(positive, period - 1, period, index)
    moving_sum(negative, period - 1, period, fall)
    for r in range(rows):
        index[r] = 100.0 * ratio(index[r], index[r] + fall[r])


@compiled
def vwap(x: Floats, start: int, out: Floats, period: int) -> None:
    """Volume-weighted average of the typical price, and ln(close / it)."""
    begin, rows = start - period + 1, out.shape[1]
    typical, traded, close = x[TYPICAL, begin:], x[VOLUME, begin:], x[CLOSE, start:]
    value, total, volume = scratch(period - 1 + rows), scratch(rows), scratch(rows)
    for k in range(len(value)):
        value[k] = typical[k] * traded[k]
    moving_sum(value, period - 1, period, total)
    moving_sum(x[VOLUME], start, period, volume)
    for r in range(rows):
        average = ratio(total[r], volume[r])
        out[0, r] = average
        out[1, r] = log(close[r] / average)


@compiled
def over_mean(values: Floats, start: int, result: Floats, period: int) -> None:
    """Fill a series over its simple average."""
    latest = values[start:]
    moving_mean(values, start, period, result)
    for r in range(len(result)):
        result[r] = ratio(latest[r], result[r])


@compiled
def volume_ratio(x: Floats, start: int, out: Floats, period: int) -> None:
    """Volume over its simple average."""
    over_mean(x[VOLUME], start, out[0], period)


@compiled
def price_impact(x: Floats, begin: int, impact: Floats, traded: Floats) -> None:
    """Fill |log return| over the value traded (close times volume) of each bar, and whether it traded: 0 if not."""
    returns, close, volume = x[RETURN, begin:], x[CLOSE, begin:], x[VOLUME, begin:]
    for k in range(len(impact)):
        impact[k] = 0.0 if volume[k] == 0.0 else abs(returns[k]) / (close[k] * volume[k])
    for k in range(len(traded)):
        traded[k] = 0.0 if volume[k] == 0.0 else 1.0


@compiled
def mean_impact(impact: Floats, traded: Floats, start: int, period: int, result: Floats) -> None:
    """Fill the mean of the impact over each window's bars that traded, NaN if none did."""
    bars = scratch(len(result))
    moving_sum(impact, start, period, result)
    moving_sum(traded, start, period, bars)
    for r in range(len(result)):
        result[r] = ratio(result[r], bars[r])


@compiled
def amihud(x: Floats, start: int, out: Floats, period: int) -> None:
    """Amihud's illiquidity: mean of |log return| over the value traded (close times volume), of bars that traded."""
    impact, traded = scratch(period - 1 + out.shape[1]), scratch(period - 1 + out.shape[1])
    price_impact(x, start - period + 1, impact, traded)
    mean_impact(impact, traded, period - 1, period, out[0])


@compiled
def amihud_ratio(x: Floats, start: int, out: Floats, short: int, long: int) -> None:
    """Amihud's illiquidity over the short window against that over the long one, as a logarithm. NaN if one is 0."""
    rows = out.shape[1]
    impact, traded, now, usual = scratch(long - 1 + rows), scratch(long - 1 + rows), scratch(rows), scratch(rows)
    price_impact(x, start - long + 1, impact, traded)
    mean_impact(impact, traded, long - 1, short, now)
    mean_impact(impact, traded, long - 1, long, usual)
    for r in range(rows):
        out[0, r] = log(now[r] / usual[r]) if now[r] > 0.0 else np.nan


@compiled
def imbalance(x: Floats, start: int, out: Floats, bought: int, traded: int, period: int) -> None:
    """Takers' purchases less their sales, over the sum of both, in the window."""
    share, both = out[0], scratch(out.shape[1])
    moving_sum(x[bought], start, period, share)
    moving_sum(x[traded], start, period, both)
    for r in range(len(both)):
        share[r] = ratio(2.0 * share[r] - both[r], both[r])


@compiled
def buy_imbalance(x: Floats, start: int, out: Floats, period: int) -> None:
    """Volume that takers bought less the volume they sold, as a share of the window's volume: -1 (all sold) to 1."""
    imbalance(x, start, out, BUY_VOLUME, VOLUME, period)


@compiled
def trade_imbalance(x: Floats, start: int, out: Floats, period: int) -> None:
    """Trades in which the taker bought less those in which it sold, as a share of the window's trades: -1 to 1."""
    imbalance(x, start, out, BUY_TRADES, TRADES, period)


@compiled
def trades_ratio(x: Floats, start: int, out: Floats, period: int) -> None:
    """Number of trades over its simple average."""
    over_mean(x[TRADES], start, out[0], period)


@compiled
def trade_size_ratio(x: Floats, start: int, out: Floats, period: int) -> None:
    """The average size of the bar's trades over that of all trades in the window."""
    rows = out.shape[1]
    volume, trades, own_volume, own_trades = scratch(rows), scratch(rows), x[VOLUME, start:], x[TRADES, start:]
    moving_sum(x[VOLUME], start, period, volume)
    moving_sum(x[TRADES], start, period, trades)
    for r in range(rows):
        size = ratio(own_volume[r], own_trades[r])
        out[0, r] = ratio(size * trades[r], volume[r])
