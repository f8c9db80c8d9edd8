"""A seeded market whose labels are known, and models of planted skill."""

from collections.abc import Iterator

import numpy as np

from evaluation.labels import Labels
from models.forecaster import Floats, Forecasts
from models.intervals.distribution import NORMAL, prob_up

START = 1_577_836_800_000  # 2020-01-01
BAR = 300_000
A_DAY = 288
HORIZONS = (1, 12)
SYMBOLS = ("BTCUSD", "ETHUSD")
SIGMA = 1e-3
RHO = 0.15


def labels(days: int = 60, seed: int = 0, symbols: tuple[str, ...] = SYMBOLS) -> Labels:
    """Return five-minute bars of independent normal returns, a tenth of them zero, with overlapping labels."""
    rng = np.random.default_rng(seed)
    rows = days * A_DAY
    longest = max(HORIZONS)
    parts = []
    for place in range(len(symbols)):
        returns = SIGMA * rng.normal(size=rows + longest + 1) * (rng.random(rows + longest + 1) > 0.1)
        price = np.concatenate([[0.0], np.cumsum(returns)])
        squares = np.concatenate([[0.0], np.cumsum(returns**2)])
        at = np.arange(rows)
        ahead = [np.stack([series[at + h] - series[at] for h in HORIZONS], axis=1) for series in (price, squares)]
        late = np.stack([price[at + h + 1] - price[at + 1] for h in HORIZONS], axis=1)
        parts.append((np.full(rows, place), START + at * BAR, ahead[0], late, ahead[1]))
    symbol, time, realised, gapped, variance = (np.concatenate(column) for column in zip(*parts, strict=True))
    unit = np.tile(SIGMA * np.sqrt(HORIZONS), (len(time), 1))
    tercile = rng.integers(0, 3, len(time)).astype(np.int8)
    return Labels(
        symbols=symbols,
        horizons=HORIZONS,
        symbol=symbol,
        time=time,
        realised=realised,
        gapped=gapped,
        variance=variance,
        unit=unit,
        tercile=tercile,
    )


def forecasts(result: Labels, mean: Floats, scale: Floats | None = None) -> Forecasts:
    """Return normal forecasts around a mean."""
    scales = result.unit if scale is None else scale
    quantiles = mean[:, :, None] + scales[:, :, None] * NORMAL
    return Forecasts(mean, scales, quantiles, prob_up(np.ascontiguousarray(mean / scales)))


def skilled(result: Labels, rho: float, seed: int) -> Forecasts:
    """Return the best forecasts of a model that sees a signal correlated by rho with what comes true."""
    noise = np.random.default_rng(seed).normal(size=result.unit.shape)
    seen = rho * result.realised / result.unit + np.sqrt(1 - rho**2) * noise
    return forecasts(result, rho * seen * result.unit)


def noise(result: Labels, seed: int) -> Forecasts:
    """Return forecasts as bold as the skilled ones that know nothing."""
    return forecasts(result, RHO * result.unit * np.random.default_rng(seed).normal(size=result.unit.shape))


def zoo(result: Labels) -> Iterator[tuple[str, Forecasts]]:
    """Yield the naive model, one of skill, one that is chance, and a volatility model that is too wide."""
    zero = np.zeros_like(result.unit)
    yield "naive", forecasts(result, zero)
    yield "skilled", skilled(result, RHO, 1)
    yield "chance", noise(result, 3)
    yield "har", forecasts(result, zero, 1.5 * result.unit)


def only(result: Labels, rows: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Labels:
    """Return some of the rows."""
    columns = {name: getattr(result, name)[rows] for name in list(Labels.__dataclass_fields__)[2:]}
    return Labels(symbols=result.symbols, horizons=result.horizons, **columns)


def taken(given: Forecasts, rows: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Forecasts:
    """Return the forecasts of some of the rows."""
    return Forecasts(given.mean[rows], given.scale[rows], given.quantiles[rows], given.p_up[rows])
