"""A made-up market in a database, and the dashboard's server on it, for the tests in Chromium."""

import math
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from storing import store

from settings import ROOT
from topics.catalog import BARS, OUTCOMES, PREDICTIONS, REGIMES
from topics.records import HORIZONS, Bar, Forecast, Outcome, Prediction, Regime

MINUTE = 60_000
FIRST = 1_747_526_400_000  # 2025-05-18 00:00 UTC
BARS_STORED = 400
GAP = range(350, 360)
MODELS = {"gbm": 1.0, "naive": 1.2}
SPREAD = (-1.6, -1.3, -0.7, 0.0, 0.7, 1.3, 1.6)


@dataclass(kw_only=True)
class Market:
    """Writes minutes of made-up data, through the pipeline's own writer, into one database."""

    url: str
    stored: int = 0
    level: float = 100_000.0
    wrong: Mapping[int, float] = field(default_factory=dict)
    """The minutes whose closes are false, and by which factor."""
    spread: float = 0.001
    """How wide the forecasts of one bar are, as a log return."""

    def close_at(self, minute: int) -> float:
        """Return a price that is wild enough to leave some forecasts behind."""
        return self.level * (1 + 0.01 * math.sin(minute / 23) + 0.002 * math.sin(minute * 1.7))

    def write(self, count: int, symbols: tuple[str, ...] = ("BTCUSDT", "ETHUSDT"), *, said: bool = True) -> None:
        """Store the next minutes: bars, regimes, forecasts if they are `said`, and the outcomes that have matured."""
        minutes = [minute for minute in range(self.stored, self.stored + count) if minute not in GAP]
        self.stored += count
        records = {
            BARS: [self._bar(symbol, minute) for symbol in symbols for minute in minutes],
            REGIMES: [self._regime(symbol, minute) for symbol in symbols for minute in minutes],
            PREDICTIONS: [
                self._said(symbol, minute, model)
                for symbol in symbols
                for minute in minutes
                for model in MODELS
                if said
            ],
            OUTCOMES: [
                self._outcome(symbol, minute - horizon, model, horizon)
                for symbol in symbols
                for minute in minutes
                for model in MODELS
                for horizon in HORIZONS
                if minute >= horizon and minute - horizon not in GAP
            ],
        }

        beside = {PREDICTIONS: _challenging(records[PREDICTIONS]), OUTCOMES: _challenging(records[OUTCOMES])}
        store(self.url, records, beside)

    def _bar(self, symbol: str, minute: int) -> Bar:
        before, close = self.close_at(minute - 1), self.close_at(minute) * self.wrong.get(minute, 1.0)
        low, high = min(before, close) * 0.9995, max(before, close) * 1.0005
        return Bar(symbol, "1m", FIRST + minute * MINUTE, before, high, low, close, 10.0 + minute % 7)

    def _regime(self, symbol: str, minute: int) -> Regime:
        state = "calm" if minute % 100 < 60 else "turbulent"
        return Regime(
            symbol=symbol,
            interval="1m",
            time=FIRST + minute * MINUTE,
            state=state,
            posterior={state: 0.8, "other": 0.2},
        )

    def _quantiles(self, model: str, horizon: int) -> list[float]:
        return [place * MODELS[model] * self.spread * math.sqrt(horizon) for place in SPREAD]

    def _said(self, symbol: str, minute: int, model: str) -> Prediction:
        forecasts = [
            Forecast(horizon=horizon, mean=0.0, scale=0.001, quantiles=self._quantiles(model, horizon), p_up=0.5)
            for horizon in HORIZONS
        ]
        time, price = FIRST + minute * MINUTE, self.close_at(minute)
        return Prediction(
            symbol=symbol,
            interval="1m",
            time=time,
            model=model,
            version="v1",
            fingerprint="print",
            price=price,
            forecasts=forecasts,
            regime="calm",
        )

    def _outcome(self, symbol: str, minute: int, model: str, horizon: int) -> Outcome:
        realised = math.log(self.close_at(minute + horizon) / self.close_at(minute))
        low, *_, high = self._quantiles(model, horizon)
        time, error = FIRST + minute * MINUTE, abs(realised)
        target, hit = time + horizon * MINUTE, low <= realised <= high
        pinball = error * MODELS[model]
        return Outcome(
            symbol,
            "1m",
            time,
            model,
            "v1",
            horizon,
            target,
            "scored",
            realised,
            error,
            error,
            pinball,
            hit,
            realised > 0,
        )


def _challenging(records: Sequence[Any]) -> list[Any]:
    """Return what a challenger, of which the page shows nothing, said and scored beside: far off, and later by name."""
    results = [replace(one, version="v2", role="challenger") for one in records if one.model == "gbm"]
    return [
        replace(one, forecasts=[Forecast(horizon=forecast.horizon) for forecast in one.forecasts])
        if isinstance(one, Prediction)
        else replace(one, pinball=9.0, absolute_error=9.0, interval_hit=False, direction_hit=False)
        for one in results
    ]


@contextmanager
def serving(url: str, kafka: str, home: Path, *arguments: str, more: Mapping[str, str] | None = None) -> Iterator[str]:
    """Run ``python -m dashboard.serve`` on a free port; yields its address."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("FORETICK_")}
    environment = clean | {"FORETICK_HOME": str(home), "FORETICK_DATABASE_URL": url, "FORETICK_KAFKA": kafka}
    environment = {"FORETICK_DASHBOARD_RATE": "50", "FORETICK_DASHBOARD_BURST": "50"} | environment | dict(more or {})
    command = [sys.executable, "-m", "dashboard.serve", "--port", "0", *arguments]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            assert line.startswith("dashboard on http://127.0.0.1:"), line
            yield line.removeprefix("dashboard on ").strip()
        finally:
            process.terminate()
            assert process.wait(30) == 0
