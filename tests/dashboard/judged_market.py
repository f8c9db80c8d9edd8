"""A made-up market whose champions and challenger have a known skill, scored by the pipeline's own functions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import psycopg
from psycopg.types.json import Jsonb
from scipy.stats import norm
from storing import store

from models.scoring.scores import score
from topics.catalog import BARS, FEATURES, OUTCOMES, PREDICTIONS, REGIMES
from topics.records import HORIZONS, QUANTILES, Bar, Features, Forecast, Outcome, Prediction, Regime, Role

MINUTE = 60_000
FIRST = 1_747_526_400_000  # 2025-05-18 00:00 UTC
SYMBOLS = ("BTCUSDT", "ETHUSDT")
CHAMPION, CHALLENGER = "aaaaaaaaaaaa", "bbbbbbbbbbbb"
STATES = ("calm", "turbulent")
DECIDE = """
INSERT INTO model_deployments (model, number, action, champion, challengers, standby, fingerprint, time, decided_by,
    why, evidence)
VALUES (%s, %s, %s, %s, %s, %s, 'print', %s, %s, %s, %s)
"""


@dataclass(frozen=True, kw_only=True)
class Expert:
    """Who forecasts: how much of the label the mean knows, how much noise it has, and how wide the interval is."""

    model: str
    version: str
    role: Role
    known: float
    noise: float
    width: float


EXPERTS = (
    Expert(model="naive", version=CHAMPION, role="champion", known=0.0, noise=0.0, width=1.0),
    Expert(model="gbm", version=CHAMPION, role="champion", known=0.08, noise=0.1, width=1.0),
    Expert(model="gbm", version=CHALLENGER, role="challenger", known=0.25, noise=0.1, width=0.95),
    Expert(model="har", version=CHAMPION, role="champion", known=0.0, noise=0.02, width=0.72),
)


class JudgedMarket:
    """The minutes of two symbols; `outcomes` are what was stored, to be counted by hand."""

    def __init__(self, minutes: int, seed: int = 1, experts: Sequence[Expert] = EXPERTS) -> None:
        self.minutes, self.experts = minutes, experts
        rng = np.random.default_rng(seed)
        hours = np.arange(minutes + max(HORIZONS)) / 60
        self.sigma = 5e-4 * np.exp(0.5 * np.sin(2 * np.pi * hours / 24) + 0.2 * rng.normal(size=len(hours)))
        self.outcomes: list[Outcome] = []
        self.predictions: list[Prediction] = []
        self.closes: dict[str, np.ndarray] = {}
        for symbol in SYMBOLS:
            path = np.cumsum(self.sigma * rng.normal(size=len(hours)))
            self.closes[symbol] = 100.0 * np.exp(path)
            for expert in experts:
                self._said(symbol, path, expert, rng)

    def _said(self, symbol: str, path: np.ndarray, expert: Expert, rng: np.random.Generator) -> None:
        rows = np.arange(self.minutes)
        made: list[list[Forecast]] = [[] for _ in rows]
        for horizon in HORIZONS:
            label = path[rows + horizon] - path[rows]
            scale = self.sigma[rows] * np.sqrt(horizon)
            mean = expert.known * label + expert.noise * scale * rng.normal(size=len(rows)) * (expert.known > 0)
            width = expert.width * scale * np.sqrt(max(1 - expert.known, 0.5))
            quantiles = mean[:, None] + width[:, None] * norm.ppf(QUANTILES)
            p_up = norm.cdf(mean / width)
            due = rows + horizon < self.minutes
            _, scores = score(label, mean, quantiles)
            for row in rows.tolist():
                made[row].append(
                    Forecast(
                        horizon=horizon,
                        mean=float(mean[row]),
                        scale=float(scale[row]),
                        quantiles=quantiles[row].tolist(),
                        p_up=float(p_up[row]),
                    )
                )
            self.outcomes += [
                Outcome(
                    symbol,
                    "1m",
                    FIRST + row * MINUTE,
                    expert.model,
                    expert.version,
                    horizon,
                    FIRST + (row + horizon) * MINUTE,
                    "scored",
                    float(label[row]),
                    *(column[row] for column in scores),
                    expert.role,
                )
                for row in np.flatnonzero(due).tolist()
            ]
        self.predictions += [
            Prediction(
                symbol=symbol,
                interval="1m",
                time=FIRST + row * MINUTE,
                model=expert.model,
                version=expert.version,
                fingerprint="print",
                price=float(self.closes[symbol][row]),
                forecasts=made[row],
                regime=STATES[row // 60 % 2],
                role=expert.role,
            )
            for row in rows.tolist()
        ]

    def bars(self) -> list[Bar]:
        """Return the bars, which are flat."""
        return [
            Bar(symbol, "1m", FIRST + row * MINUTE, close, close, close, close, 1.0)
            for symbol, closes in self.closes.items()
            for row, close in enumerate(closes[: self.minutes].tolist())
        ]

    def store(self, url: str) -> None:
        """Store everything through the pipeline's own writer."""
        times = [(symbol, row, FIRST + row * MINUTE) for symbol in SYMBOLS for row in range(self.minutes)]
        records = {
            BARS: self.bars(),
            REGIMES: [
                Regime(symbol=symbol, interval="1m", time=time, state=STATES[row // 60 % 2], posterior={})
                for symbol, row, time in times
            ],
            FEATURES: [
                Features(symbol=symbol, interval="1m", time=time, close=1.0, fingerprint="print", values=[1.0])
                for symbol, _, time in times
            ],
            PREDICTIONS: self.predictions,
            OUTCOMES: self.outcomes,
        }

        store(url, records)

    def decide(self, url: str) -> None:
        """Log that gbm serves, and is challenged."""
        moment = datetime.fromtimestamp(FIRST / 1000, UTC)
        rows: tuple[tuple[object, ...], ...] = (
            ("gbm", 1, "serve", CHAMPION, [], None, moment, "foretick train", "trained and put into service", None),
            ("gbm", 2, "challenge", CHAMPION, [CHALLENGER], None, moment, "pipeline", "run <1>", Jsonb({"bars": 3.0})),
        )
        with psycopg.connect(url, autocommit=True) as connection:
            for row in rows:
                connection.execute(DECIDE, row)

    def of(self, model: str, horizon: int, symbol: str | None = None, version: str = CHAMPION) -> list[Outcome]:
        """Return a version's outcomes at a horizon, in the order of time."""
        return [
            outcome
            for outcome in self.outcomes
            if (outcome.model, outcome.version, outcome.horizon) == (model, version, horizon)
            and symbol in (None, outcome.symbol)
        ]
