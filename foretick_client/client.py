"""The client: one method a table, one a stream."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import msgspec

from foretick_client import records, rows
from foretick_client.connection import Connection
from foretick_client.stream import Stream
from foretick_client.table import Table, get

Time = int | str | datetime
"""Epoch milliseconds, ISO 8601 or a datetime; UTC where no zone is given."""
Names = str | Sequence[str]
PAGE, MOST_FEATURES = 5_000, 1_000
"""Rows in one answer, and how many at most where each has all features."""


class Client:
    """Asks one API. Use it in a ``with`` block, or close it.

    It is plain and synchronous: a table is a loop over rows, a stream a loop over records, in a script as in a
    notebook; an asyncio program runs such a loop in a thread (``asyncio.to_thread``).
    """

    def __init__(
        self, address: str | None = None, token: str | None = None, *, home: str | Path | None = None, page: int = PAGE
    ) -> None:
        """Take an address and a token; without them, see `Connection.of`. `page` is how many rows one answer holds."""
        connection = Connection.of(address, token, home)
        headers = {"Authorization": f"Bearer {connection.token}", "User-Agent": "foretick-client"}
        self._http = httpx.Client(base_url=connection.address, headers=headers, timeout=30)
        self._page = page

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.close()

    def contents(self) -> rows.Contents:
        """Return what the API has: tables and streams, and what each may be asked."""
        return msgspec.json.decode(get(self._http, httpx.URL("/v1")).content, type=rows.Contents)

    def symbols(self) -> Table[rows.SymbolRow]:
        """Return what is stored."""
        return self._table("symbols", rows.SymbolRow)

    def bars(
        self, symbol: str, *, interval: str = "1m", start: Time | None = None, end: Time | None = None
    ) -> Table[rows.BarRow]:
        """Return bars, the oldest first; `end` is not included."""
        return self._table("bars", rows.BarRow, symbol=symbol, interval=interval, **_span(start, end))

    def features(
        self,
        symbol: str,
        *,
        interval: str = "1m",
        feature: Names = (),
        start: Time | None = None,
        end: Time | None = None,
    ) -> Table[rows.FeatureRow]:
        """Return the features of bars, all or those that are named, the oldest first."""
        asked = {"symbol": symbol, "interval": interval, "feature": feature, **_span(start, end)}
        return self._table("features", rows.FeatureRow, **asked, limit=min(self._page, MOST_FEATURES))

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
        """Return alerts; with `acknowledged` False only unacknowledged ones."""
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
        return Stream(http=self._http, topic="predictions", record=records.Prediction, asked=asked, last_id=last_id)

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
        return Stream(http=self._http, topic="outcomes", record=records.Outcome, asked=asked, last_id=last_id)

    def stream_regimes(self, *, symbol: Names = (), last_id: str | None = None) -> Stream[records.Regime]:
        """Follow market states."""
        return Stream(
            http=self._http, topic="regimes", record=records.Regime, asked={"symbol": symbol}, last_id=last_id
        )

    def stream_alerts(
        self, *, symbol: Names = (), rule: Names = (), severity: Names = (), last_id: str | None = None
    ) -> Stream[records.Alert]:
        """Follow alerts."""
        asked = {"symbol": symbol, "rule": rule, "severity": severity}
        return Stream(http=self._http, topic="alerts", record=records.Alert, asked=asked, last_id=last_id)

    def stream_drift(
        self, *, symbol: Names = (), model: Names = (), last_id: str | None = None
    ) -> Stream[records.Drift]:
        """Follow drift."""
        return Stream(
            http=self._http,
            topic="drift",
            record=records.Drift,
            asked={"symbol": symbol, "model": model},
            last_id=last_id,
        )

    def stream_gaps(self, *, symbol: Names = (), venue: Names = (), last_id: str | None = None) -> Stream[records.Gap]:
        """Follow gaps as they are found."""
        return Stream(
            http=self._http, topic="gaps", record=records.Gap, asked={"symbol": symbol, "venue": venue}, last_id=last_id
        )

    def _table(self, path: str, row: type[Any], **asked: Any) -> Table[Any]:
        given = {name: value for name, value in asked.items() if value is not None}
        return Table(self._http, path, row, {"limit": self._page} | given)


def _span(start: Time | None, end: Time | None) -> dict[str, str | None]:
    return {"from": _text(start), "to": _text(end)}


def _text(time: Time | None) -> str | None:
    if isinstance(time, datetime):
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC).isoformat().replace("+00:00", "Z")
    return None if time is None else str(time)
