"""Reads the scored forecasts of one champion as columns, and has them judged by the functions of `evaluation`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import psycopg
from psycopg import Connection

from dashboard.analytics.queries import EPOCH_2000_US, QUERIES
from dashboard.analytics.scores_reader import newest_scored, span
from dashboard.analytics.source import Kept
from dashboard.analytics.view_state import COSTS_BP, Market
from dashboard.live.columns import Columns
from evaluation.breakdown import GroupScore, Losses, by_group, terciles
from evaluation.calibration import PitBin, ReliabilityPoint, pit_histogram, reliability
from evaluation.groups import HOUR_MS, TERCILES
from evaluation.labels import Ints
from evaluation.paper_policy import PaperEquity, paper_equity
from evaluation.rolling import RollingIC, rolling_ic
from models.forecaster import Floats
from models.skill import NAIVE
from topics.records import QUANTILES
from topics.units import interval_ms

PERIOD_S, LOOK_S = 60.0, 5.0
"""How old figures must be before they are computed anew, and how often it is looked whether they are."""
MOST_FORECASTS = 250_000
"""The newest of so many forecasts are judged: a week of twenty symbols at one minute."""
MOST_POINTS = 1_200
BASIS_POINT = 1e-4
COLUMNS = (
    *("series", "time", "context", "mean", "scale", *(f"q{round(100 * level):02}" for level in QUANTILES), "p_up"),
    *("realised", "pinball", "error", "naive_error", "hit"),
)
KINDS = (">i4", ">i8", ">i4", *(">f8",) * (len(COLUMNS) - 3))
LEVELS = slice(5, 5 + len(QUANTILES))
HOURS = tuple(f"{hour:02}" for hour in range(24))


@dataclass(frozen=True)
class ForecastsKey:
    """Whose forecasts of what."""

    market: Market
    model: str


@dataclass(frozen=True)
class Sharpness:
    """The quantiles of the width of a model's 90 % interval, in log return: 5, 25, 50, 75 and 95 % of the forecasts."""

    model: str
    forecasts: int
    widths: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The policy on paper at one cost: its curve thinned for a plot, and its figures over all of it."""

    curve: Columns
    net: float
    gross: float
    cost: float
    turnover: float | None
    break_even: float | None
    drawdown: float | None


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What the page shows of one model's forecasts. `truncated`: there were more, older ones in the window."""

    key: ForecastsKey
    forecasts: int
    truncated: bool
    newest: datetime
    pit: list[PitBin]
    reliability: list[ReliabilityPoint]
    sharpness: list[Sharpness]
    groups: dict[str, list[GroupScore]]
    ic: RollingIC
    policies: dict[int, Policy]


class ForecastsSource:
    """The forecasts behind one connection."""

    def __init__(self, connection: Connection, interval: str) -> None:
        self._connection, self._interval = connection, interval
        self._kept: Kept[ForecastsKey, Figures | None] = Kept(PERIOD_S)

    def read(self, key: ForecastsKey) -> Figures | None:
        """Return the figures, None where no forecast was scored yet."""
        try:
            newest = newest_scored(self._connection, self._interval, key.market)
            return self._kept.get(key, newest, lambda: self._figures(key, newest))
        except psycopg.errors.UndefinedTable:
            return None

    def _figures(self, key: ForecastsKey, newest: datetime | None) -> Figures | None:
        if newest is None:
            return None
        parameters = span(self._interval, key.market, newest) | {"model": key.model, "most": MOST_FORECASTS + 1}
        symbols: list[str] = []
        columns = self._columns(parameters, symbols)
        naive = columns if key.model == NAIVE else self._columns(parameters | {"model": NAIVE}, symbols)
        if not len(columns["time"]):
            return None
        regimes: dict[int, str] = dict(self._connection.execute(QUERIES["regimes"]).fetchall())
        widths = self._connection.execute(QUERIES["sharpness"], parameters).fetchall()
        return judged(
            key,
            newest,
            beside_naive(columns, naive),
            symbols,
            regimes,
            interval_ms(self._interval),
            [Sharpness(model, count, tuple(levels)) for model, count, levels in widths],
        )

    def _columns(self, parameters: dict[str, Any], symbols: list[str]) -> dict[str, npt.NDArray[Any]]:
        """Return the forecasts by symbol and time; `symbols` are numbered, and new ones appended."""
        series = self._connection.execute(QUERIES["series"], parameters).fetchall()
        numbers: dict[int, str] = dict(series)
        symbols += sorted(set(numbers.values()) - set(symbols))
        with self._connection.cursor(binary=True) as cursor:
            row = cursor.execute(QUERIES["forecasts"], parameters | {"series": list(numbers)}).fetchone() or ()
        columns = {
            name: np.frombuffer(value or b"", dtype=kind).astype(np.dtype(kind).newbyteorder("="))
            for name, value, kind in zip(COLUMNS, row, KINDS, strict=True)
        }
        columns["time"] = (columns["time"] + EPOCH_2000_US) // 1_000
        places = np.zeros(max(numbers, default=0) + 1, dtype=np.int64)
        for number, symbol in numbers.items():
            places[number] = symbols.index(symbol)
        columns["symbol"] = places[columns["series"]]
        # Where two versions were champion of one bar, the newer one counts.
        order = np.lexsort((columns["series"], columns["time"], columns["symbol"]))
        columns = {name: column[order] for name, column in columns.items()}
        same = (np.diff(columns["symbol"]) == 0) & (np.diff(columns["time"]) == 0)
        last = np.append(~same, True)[: len(order)]
        return {name: column[last] for name, column in columns.items()}


def beside_naive(columns: dict[str, npt.NDArray[Any]], naive: dict[str, npt.NDArray[Any]]) -> dict[str, Any]:
    """Return the columns with the naive model's loss and scale at the same bars, NaN if it has none."""
    joined = dict(columns)
    ours, theirs = (of["time"] * 4_096 + of["symbol"] for of in (columns, naive))
    _, at, of = np.intersect1d(ours, theirs, return_indices=True)
    for name in ("pinball", "scale"):
        values = np.full(len(ours), np.nan)
        values[at] = naive[name][of]
        joined[f"naive_{name}"] = values
    return joined


def judged(
    key: ForecastsKey,
    newest: datetime,
    columns: dict[str, npt.NDArray[Any]],
    symbols: list[str],
    regimes: dict[int, str],
    bar: int,
    sharpness: list[Sharpness],
) -> Figures:
    """Return what `evaluation` says of the forecasts, ordered by symbol and time; `bar` is a bar's length in ms."""
    horizon, window = key.market.horizon, key.market.window
    truncated = len(columns["time"]) > MOST_FORECASTS
    quantiles = np.stack([columns[name] for name in COLUMNS[LEVELS]], axis=1)
    time, mean, realised = columns["time"], columns["mean"], columns["realised"]
    step = window.step.total_seconds() * 1_000
    return Figures(
        key=key,
        forecasts=len(time),
        truncated=truncated,
        newest=newest,
        pit=pit_histogram(quantiles, realised, horizon),
        reliability=reliability(columns["p_up"], realised, horizon),
        sharpness=sharpness,
        groups=groups(columns, symbols, regimes),
        ic=rolling_ic(
            time,
            mean,
            realised,
            columns["naive_scale"],
            step=round(step),
            steps=round(window.rolling / window.step),
            horizon=horizon,
        ),
        policies={
            cost: policy(
                paper_equity(
                    columns["symbol"], time, mean, realised, horizon=horizon, span=bar, cost=cost * BASIS_POINT
                )
            )
            for cost in COSTS_BP
        },
    )


def groups(
    columns: dict[str, npt.NDArray[Any]], symbols: list[str], regimes: dict[int, str]
) -> dict[str, list[GroupScore]]:
    """Return the scores by regime, hour (UTC), volatility and symbol: the volatility is the naive model's scale."""
    losses = Losses(
        pinball=columns["pinball"],
        naive_pinball=columns["naive_pinball"],
        error=columns["error"],
        naive_error=columns["naive_error"],
        hit=columns["hit"],
    )
    contexts, place = np.unique(columns["context"], return_inverse=True)
    states = sorted({regimes[number] for number in contexts.tolist() if number in regimes})
    number = [states.index(regimes[one]) if one in regimes else -1 for one in contexts.tolist()]
    regime = np.array(number, dtype=np.int64)[place]
    hour: Ints = columns["time"] // HOUR_MS % len(HOURS)
    scale: Floats = columns["naive_scale"]
    return {
        "regime": by_group(losses, regime, states),
        "hour": by_group(losses, hour, HOURS),
        "volatility": by_group(losses, terciles(columns["symbol"], scale), TERCILES),
        "symbol": by_group(losses, columns["symbol"], symbols),
    }


def policy(equity: PaperEquity) -> Policy:
    """Return a policy's figures, and its curve with at most `MOST_POINTS` points, of which the last is one."""
    count = len(equity.time)
    rows: Ints = np.unique(np.linspace(0, count - 1, min(count, MOST_POINTS)).round().astype(np.int64))
    net = equity.net
    curve = {"time": equity.time.astype(np.float64), "gross": equity.gross, "net": net, "traded": equity.traded}
    last = -1
    return Policy(
        curve={name: column[rows] for name, column in curve.items()},
        net=float(net[last]) if count else np.nan,
        gross=float(equity.gross[last]) if count else np.nan,
        cost=float(equity.cost[last]) if count else np.nan,
        turnover=equity.turnover,
        break_even=equity.break_even,
        drawdown=equity.drawdown,
    )
