"""A made-up market in a database, and the API's own server on it."""

import asyncio
import math
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
from msgspec import Struct

from broker.data_loss import Loss
from settings import ROOT
from storage.timescale import Writer
from topics.catalog import ALERTS, BARS, DRIFT, FEATURES, GAPS, OUTCOMES, PREDICTIONS, REGIMES, Topic
from topics.records import HORIZONS, Alert, Bar, Drift, Features, Forecast, Gap, Outcome, Prediction, Regime

MINUTE, FIRST = 60_000, 1_747_526_400_000
MINUTES = 400
MODELS = {"gbm": 1.0, "naive": 1.25}
SPREAD = (-1.6, -1.3, -0.7, 0.0, 0.7, 1.3, 1.6)
SYMBOLS = ("BTCUSDT", "ETHUSDT")
NAMES = ("rsi_14", "ema_12", "age")
LOST = Loss(topic="ticks", partition=3, first=5, end=8, time=FIRST + 30 * MINUTE)


def close_at(minute: int) -> float:
    return 100_000 * (1 + 0.01 * math.sin(minute / 23) + 0.002 * math.sin(minute * 1.7))


def levels(model: str, horizon: int) -> list[float]:
    return [place * MODELS[model] * 0.001 * math.sqrt(horizon) for place in SPREAD]


def said(symbol: str, minute: int, model: str, version: str = "v1", role: str = "champion") -> Prediction:
    weights = {"ridge": 0.5, "ar": 0.5} if model == "gbm" else None
    forecasts = [
        Forecast(horizon=h, mean=0.0, scale=0.001, quantiles=levels(model, h), p_up=0.5, weights=weights)
        for h in HORIZONS
    ]
    time = FIRST + minute * MINUTE
    return Prediction(
        symbol=symbol,
        interval="1m",
        time=time,
        model=model,
        version=version,
        fingerprint="print",
        price=close_at(minute),
        forecasts=forecasts,
        regime="calm",
        role=role,
    )


def outcome(symbol: str, minute: int, model: str, horizon: int, role: str = "champion") -> Outcome:
    realised = math.log(close_at(minute + horizon) / close_at(minute))
    low, *_, high = levels(model, horizon)
    time, error = FIRST + minute * MINUTE, abs(realised)
    scores = (realised, error, error, error * MODELS[model], low <= realised <= high, realised > 0)
    return Outcome(symbol, "1m", time, model, "v1", horizon, time + horizon * MINUTE, "scored", *scores, role)


def bar(symbol: str, minute: int) -> Bar:
    before, close = close_at(minute - 1), close_at(minute)
    low, high = min(before, close) * 0.9995, max(before, close) * 1.0005
    return Bar(symbol, "1m", FIRST + minute * MINUTE, before, high, low, close, 10.0 + minute % 7)


def features(symbol: str, minute: int) -> Features:
    """Return features of bitcoin whose names are stored, and of ether by a definition that nobody told."""
    values = [50 + 40 * math.sin(minute / 9), close_at(minute), None if minute < 3 else minute / 7]
    fingerprint = "print" if symbol == "BTCUSDT" else "foreign"
    return Features(
        symbol=symbol,
        interval="1m",
        time=FIRST + minute * MINUTE,
        close=close_at(minute),
        fingerprint=fingerprint,
        values=values,
    )


def regime(symbol: str, minute: int) -> Regime:
    state = "calm" if minute % 100 < 60 else "turbulent"
    return Regime(
        symbol=symbol, interval="1m", time=FIRST + minute * MINUTE, state=state, posterior={state: 0.8, "other": 0.2}
    )


def alert(symbol: str, minute: int) -> Alert:
    """Return an alert, every other of which is of a rule that names no model."""
    time, message = FIRST + minute * MINUTE, f'{symbol} is "up", by a lot'
    if minute % 20:
        return Alert(
            alert_id=f"odd-{symbol}-{minute}", rule="odd", symbol=symbol, time=time, severity="info", message=message
        )
    about = {
        "rule_version": 3,
        "model": "gbm",
        "interval": "1m",
        "horizon": 5,
        "value": 0.81,
        "suppressed": minute // 20,
    }
    return Alert(
        alert_id=f"up-{symbol}-{minute}",
        rule="up",
        symbol=symbol,
        time=time,
        severity="warning",
        message=message,
        **about,
    )


def gap(symbol: str, minute: int) -> Gap:
    """Return a gap, every other of which was counted."""
    start = FIRST + minute * MINUTE
    counted = {"trades": 7, "after_id": "41", "before_id": "49"} if minute % 40 else {}
    return Gap(
        symbol=symbol, venue="binance", start=start, end=start + 2_500, reason="the venue gives no more", **counted
    )


def drift(minute: int, symbol: str | None, horizon: int | None = None) -> Drift:
    time = FIRST + minute * MINUTE
    return Drift(
        model="gbm",
        version="v1",
        kind="errors",
        detector="binomial",
        time=time,
        statistic=4.0,
        limit=3.0,
        interval="1m",
        symbol=symbol,
        horizon=horizon,
        since=None,
        detail="too wide",
    )


@dataclass
class Market:
    """Writes minutes of made-up data, through the pipeline's own writer, into one database."""

    url: str
    stored: int = 0

    def store(self, records: Mapping[Topic, Sequence[Struct]]) -> None:
        async def run() -> None:
            writer = Writer(self.url)
            await writer.define_features("print", NAMES)
            await writer.write(records)
            await writer.close()

        asyncio.run(run())

    def write(self, count: int) -> None:
        """Store the next minutes: bars, regimes, forecasts, alerts, gaps, drift, and outcomes that have matured."""
        minutes = range(self.stored, self.stored + count)
        self.stored += count
        each = [(symbol, minute) for symbol in SYMBOLS for minute in minutes]
        outcomes = [
            outcome(symbol, minute - horizon, model, horizon)
            for symbol, minute in each
            for model in MODELS
            for horizon in HORIZONS
            if minute >= horizon
        ]
        self.store(
            {
                BARS: [bar(*one) for one in each],
                FEATURES: [features(*one) for one in each],
                REGIMES: [regime(*one) for one in each],
                PREDICTIONS: [said(*one, model) for one in each for model in MODELS],
                OUTCOMES: outcomes,
                ALERTS: [alert(*one) for one in each if one[1] % 10 == 0],
                GAPS: [gap(*one) for one in each if one[1] % 20 == 0],
                DRIFT: [drift(minute, symbol) for minute in minutes if minute % 50 == 0 for symbol in (None, *SYMBOLS)],
            }
        )

    def acknowledge(self, alert_id: str, note: str) -> None:
        """Store that somebody has seen an alert."""
        with psycopg.connect(self.url) as connection:
            connection.execute("INSERT INTO alert_acknowledgements (alert_id, note) VALUES (%s, %s)", (alert_id, note))

    def deploy(self, model: str, number: int, champion: str) -> None:
        """Store a decision about a model."""
        row = (model, number, "serve", champion, [], "8c1d", "user", "trained", '{"bars": 1440.0}')
        with psycopg.connect(self.url) as connection:
            connection.execute(
                "INSERT INTO model_deployments (model, number, action, champion, challengers, fingerprint, decided_by, "
                "why, evidence, time) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, now())",
                row,
            )


@dataclass(frozen=True)
class Api:
    """A server that runs: where it is, and its home."""

    address: str
    home: Path

    @property
    def token(self) -> str:
        return (self.home / "api.token").read_text().strip()

    def client(self, token: str | None = None) -> httpx.Client:
        headers = {"Authorization": f"Bearer {token or self.token}"}
        return httpx.Client(base_url=self.address, headers=headers, timeout=30)


@contextmanager
def serving(url: str, kafka: str, home: Path, port: str = "0", **settings: str) -> Iterator[Api]:
    """Run ``python -m api.serve``, on a free port where none is given."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("FORETICK_")}
    named = {f"FORETICK_{name.upper()}": value for name, value in settings.items()}
    own = {"FORETICK_HOME": str(home), "FORETICK_DATABASE_URL": url, "FORETICK_KAFKA": kafka}
    command = [sys.executable, "-m", "api.serve", "--port", port]
    with (
        (home / "api.log").open("w") as log,
        subprocess.Popen(
            command, cwd=ROOT, env=clean | own | named, stdout=subprocess.PIPE, stderr=log, text=True
        ) as run,
    ):
        assert run.stdout is not None
        line = run.stdout.readline()
        try:
            assert line.startswith("api on http://127.0.0.1:"), line + (home / "api.log").read_text()
            yield Api(line.removeprefix("api on ").strip().rstrip("/"), home)
        finally:
            run.terminate()
            code = run.wait(30)
            assert code in (0, -15), (home / "api.log").read_text()
