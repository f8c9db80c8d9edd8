"""The client: one method a table, one a stream."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from foretick_client import records, rows
from foretick_client.connection import Connection
from foretick_client.stream import Stream
from foretick_client.table import Table

Time = int | str | datetime
"""Epoch milliseconds, ISO 8601 or a datetime; UTC where no zone is given."""
Names = str | Sequence[str]
PAGE = 5_000


class Client:
    """Asks one API. Use it in a ``with`` block, or close it.

    It is plain and synchronous: a table is a loop over rows, a stream a loop over records, in a script as in a
    notebook; an asyncio program runs such a loop in a thread (``asyncio.to_thread``).
    """

    def __init__(
        self, address: str | None = None, token: str | None = None, *, home: str | Path | None = None, page: int = PAGE
    ) -> None:
        """Take an address and a token; without them, see `Connection.of`. `page` is how many rows one answer holds."""
        found = Connection.of(address, token, home)
        headers = {"Authorization": f"Bearer {found.token}", "User-Agent": "foretick-client"}
        self._http = httpx.Client(base_url=found.address, headers=headers, timeout=30)
        self._page = page

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.close()

    def symbols(self) -> Table[rows.SymbolRow]:
        """Return what is stored."""
        return self._table("symbols", rows.SymbolRow)

    def latest(
        self,
        symbol: str | None = None,
        *,
        interval: str | None = None,
        model: str | None = None,
        horizon: int | None = None,
    ) -> Table[rows.PredictionRow]:
        """Return the newest forecast of each model's champion, a row for each horizon."""
        return self._table(
            "predictions/latest", rows.PredictionRow, symbol=symbol, interval=interval, model=model, horizon=horizon
        )

    def predictions(
        self,
        symbol: str,
        *,
        interval: str = "1m",
        model: str | None = None,
        version: str | None = None,
        horizon: int | None = None,
        start: Time | None = None,
        end: Time | None = None,
        role: str = "champion",
    ) -> Table[rows.PredictionRow]:
        """Return forecasts, a row for each horizon, the oldest first; `end` is not included."""
        of = {"symbol": symbol, "interval": interval, "model": model, "version": version, "horizon": horizon}
        return self._table("predictions", rows.PredictionRow, **of, **_span(start, end), role=role)

    def outcomes(
        self,
        symbol: str,
        *,
        interval: str = "1m",
        model: str | None = None,
        version: str | None = None,
        horizon: int | None = None,
        start: Time | None = None,
        end: Time | None = None,
        role: str = "champion",
    ) -> Table[rows.OutcomeRow]:
        """Return what came true of forecasts, and their scores, by the time of the forecast."""
        of = {"symbol": symbol, "interval": interval, "model": model, "version": version, "horizon": horizon}
        return self._table("outcomes", rows.OutcomeRow, **of, **_span(start, end), role=role)

    def skill(
        self,
        symbol: str,
        *,
        interval: str = "1m",
        model: str | None = None,
        horizon: int | None = None,
        bucket: int = 60,
        window: int = 24,
        start: Time | None = None,
        end: Time | None = None,
    ) -> Table[rows.SkillRow]:
        """Return rolling scores: a row for each `bucket` of bars, over the `window` buckets that end with it."""
        of = {"symbol": symbol, "interval": interval, "model": model, "horizon": horizon}
        return self._table("skill", rows.SkillRow, **of, bucket=bucket, window=window, **_span(start, end))

    def regimes(
        self, symbol: str, *, interval: str = "1m", start: Time | None = None, end: Time | None = None
    ) -> Table[rows.RegimeRow]:
        """Return market states."""
        return self._table("regimes", rows.RegimeRow, symbol=symbol, interval=interval, **_span(start, end))

    def models(self) -> Table[rows.ModelRow]:
        """Return which versions of each model serve."""
        return self._table("models", rows.ModelRow)

    def drift(
        self,
        *,
        model: str | None = None,
        symbol: str | None = None,
        start: Time | None = None,
        end: Time | None = None,
    ) -> Table[rows.DriftRow]:
        """Return changes in models' errors, coverage and inputs that have lasted."""
        return self._table("drift", rows.DriftRow, model=model, symbol=symbol, **_span(start, end))

    def alerts(
        self,
        *,
        symbol: str | None = None,
        rule: str | None = None,
        severity: str | None = None,
        model: str | None = None,
        acknowledged: bool | None = None,
        start: Time | None = None,
        end: Time | None = None,
    ) -> Table[rows.AlertRow]:
        """Return alerts; with `acknowledged` False only those that nobody has acknowledged."""
        of = {"symbol": symbol, "rule": rule, "severity": severity, "model": model, "acknowledged": acknowledged}
        return self._table("alerts", rows.AlertRow, **of, **_span(start, end))

    def gaps(
        self,
        *,
        symbol: str | None = None,
        venue: str | None = None,
        start: Time | None = None,
        end: Time | None = None,
    ) -> Table[rows.GapRow]:
        """Return spans in which trades are missing, by their beginnings."""
        return self._table("gaps", rows.GapRow, symbol=symbol, venue=venue, **_span(start, end))

    def stream_predictions(
        self,
        *,
        symbol: Names = (),
        model: Names = (),
        horizon: int | Sequence[int] = (),
        role: str = "champion",
        last_id: str | None = None,
    ) -> Stream[records.Prediction]:
        """Follow forecasts as they are published."""
        asked = {"symbol": symbol, "model": model, "horizon": horizon, "role": role}
        return Stream(self._http, "predictions", records.Prediction, asked, last_id)

    def stream_outcomes(
        self,
        *,
        symbol: Names = (),
        model: Names = (),
        horizon: int | Sequence[int] = (),
        role: str = "champion",
        last_id: str | None = None,
    ) -> Stream[records.Outcome]:
        """Follow outcomes as they come true."""
        asked = {"symbol": symbol, "model": model, "horizon": horizon, "role": role}
        return Stream(self._http, "outcomes", records.Outcome, asked, last_id)

    def stream_regimes(self, *, symbol: Names = (), last_id: str | None = None) -> Stream[records.Regime]:
        """Follow market states."""
        return Stream(self._http, "regimes", records.Regime, {"symbol": symbol}, last_id)

    def stream_alerts(
        self, *, symbol: Names = (), rule: Names = (), severity: Names = (), last_id: str | None = None
    ) -> Stream[records.Alert]:
        """Follow alerts."""
        asked = {"symbol": symbol, "rule": rule, "severity": severity}
        return Stream(self._http, "alerts", records.Alert, asked, last_id)

    def stream_drift(
        self, *, symbol: Names = (), model: Names = (), last_id: str | None = None
    ) -> Stream[records.Drift]:
        """Follow drift."""
        return Stream(self._http, "drift", records.Drift, {"symbol": symbol, "model": model}, last_id)

    def stream_gaps(self, *, symbol: Names = (), venue: Names = (), last_id: str | None = None) -> Stream[records.Gap]:
        """Follow gaps as they are found."""
        return Stream(self._http, "gaps", records.Gap, {"symbol": symbol, "venue": venue}, last_id)

    def _table(self, path: str, row: type[Any], **asked: Any) -> Table[Any]:
        given = {name: value for name, value in asked.items() if value is not None}
        return Table(self._http, path, row, given | {"limit": self._page})


def _span(start: Time | None, end: Time | None) -> dict[str, str | None]:
    return {"from": _text(start), "to": _text(end)}


def _text(time: Time | None) -> str | None:
    if isinstance(time, datetime):
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC).isoformat().replace("+00:00", "Z")
    return None if time is None else str(time)
