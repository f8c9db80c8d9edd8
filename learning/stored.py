"""What the watch reads: outcomes, forecasts, features and regimes of one interval, as columns, in steps of time."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
from psycopg import Connection

from features.frame import Floats, Ints
from learning.scored import Scored, Version, with_naive
from topics.units import interval_ms

EPOCH_2000_US = 946_684_800_000_000
"""The zero of PostgreSQL's binary times, in microseconds of ours."""
HEADER, TRAILER = 19, 2
"""Bytes around the rows of a binary COPY."""

SERIES = "SELECT series_id, symbol, model, version, horizon FROM series WHERE interval = %s ORDER BY series_id"
NEWEST_OUTCOME = """
SELECT s.symbol, max(n.time)
FROM series s,
LATERAL (SELECT time FROM outcome_rows o WHERE o.series_id = s.series_id ORDER BY time DESC LIMIT 1) n
WHERE s.interval = %s AND s.horizon = %s GROUP BY s.symbol
"""
NEWEST_PREDICTION = NEWEST_OUTCOME.replace("outcome_rows", "prediction_rows")
NEWEST_FEATURES = """
SELECT s.symbol, n.time
FROM unnest(%s::text[]) AS s (symbol),
LATERAL (SELECT time FROM features f WHERE (f.symbol, f.interval) = (s.symbol, %s) ORDER BY time DESC LIMIT 1) n
"""
NEWEST_REGIME = NEWEST_FEATURES.replace("features", "regimes")
OUTCOMES = """
COPY (
    SELECT series_id, time, pinball, coalesce(absolute_error, 'NaN'), coalesce(naive_absolute_error, 'NaN'),
        interval_hit, role
    FROM outcome_rows
    WHERE series_id = ANY(%s) AND time > %s AND time <= %s AND status = 's'
        AND pinball IS NOT NULL AND interval_hit IS NOT NULL
) TO STDOUT (FORMAT binary)
"""
OUTCOME = [("series", ">i4"), ("time", ">i8"), ("loss", ">f8"), ("error", ">f8"), ("naive_error", ">f8")]
OUTCOME += [("hit", "?"), ("role", "S1")]
PREDICTIONS = """
COPY (
    SELECT p.series_id, p.time, coalesce(p.dissimilarity, 'NaN')
    FROM prediction_rows p JOIN contexts c USING (context_id)
    WHERE p.series_id = ANY(%s) AND p.time > %s AND p.time <= %s AND c.role = 'champion'
) TO STDOUT (FORMAT binary)
"""
PREDICTION = [("series", ">i4"), ("time", ">i8"), ("dissimilarity", ">f8")]
REGIMES = (
    "SELECT symbol, time, state FROM regimes WHERE symbol = ANY(%s) AND interval = %s AND time > %s AND time <= %s"
)
FEATURES = """
SELECT (extract(epoch FROM time) * 1000)::float8, values FROM features
WHERE symbol = ANY(%s) AND interval = %s AND time > %s AND time <= %s AND fingerprint = %s
ORDER BY time, symbol
"""


class Stored:
    """The rows of one interval in TimescaleDB. What names a series or a regime is read once, and again when new."""

    def __init__(self, connection: Connection, interval: str, horizons: Sequence[int]) -> None:
        self._connection = connection
        self._interval = interval
        self._horizons = tuple(horizons)
        self.span = interval_ms(interval)
        self.symbols: list[str] = []
        self.versions: list[Version] = []
        self.regimes: list[str] = [""]
        self._states: dict[int, tuple[Ints, Ints]] = {}
        self._symbol = self._version = self._horizon = np.empty(0, dtype=np.int64)

    def newest(self) -> dict[str, int]:
        """Return for each symbol the bar (epoch ms) until which all of its tables have come; it may lack rows yet."""
        self._learn_series()
        found = self._newest(NEWEST_OUTCOME, self._interval, min(self._horizons))
        found = {symbol: time + min(self._horizons) * self.span for symbol, time in found.items()}
        others = (
            self._newest(NEWEST_PREDICTION, self._interval, min(self._horizons)),
            self._newest(NEWEST_FEATURES, self.symbols, self._interval),
            self._newest(NEWEST_REGIME, self.symbols, self._interval),
        )
        # A table that holds nothing at all is not waited for.
        return {symbol: min(time, *(part.get(symbol, 0) for part in others if part)) for symbol, time in found.items()}

    def scored(self, after: int, until: int) -> Scored:
        """Return the outcomes whose labels came at the bars in (after, until], with naive's losses beside them."""
        parts = [
            self._copied(OUTCOME, OUTCOMES, self._series(horizon), after - lead, until - lead, lead)
            for horizon, lead in ((horizon, horizon * self.span) for horizon in self._horizons)
        ]
        rows, bar, made = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        series = rows["series"].astype(np.int64)
        order = np.lexsort((series, bar))
        rows, bar, made, series = rows[order], bar[order], made[order], series[order]
        symbol = self._symbol[series]
        loss, error, naive_error = (rows[name].astype(np.float64) for name in ("loss", "error", "naive_error"))
        return with_naive(
            Scored(
                bar,
                symbol,
                self._version[series],
                self._horizon[series],
                self._regime(symbol, made),
                rows["role"],
                loss,
                np.full(len(rows), np.nan),
                error,
                naive_error,
                rows["hit"].astype(np.float64),
                self.versions,
                self.regimes,
            )
        )

    def dissimilarity(self, after: int, until: int) -> tuple[Ints, Ints, Floats]:
        """Return of the champions' forecasts at the bars in (after, until] the time, version and dissimilarity [n]."""
        series = self._series(min(self._horizons))
        rows, time, _ = self._copied(PREDICTION, PREDICTIONS, series, after, until, 0)
        whose, value = self._version[rows["series"].astype(np.int64)], rows["dissimilarity"].astype(np.float64)
        order = np.lexsort((whose, time))
        return time[order], whose[order], value[order]

    def features(self, after: int, until: int, fingerprint: str) -> tuple[Ints, Floats]:
        """Return the times [n] and rows [n, F] of features of a definition, of all symbols, at bars in (after, until].

        Empty where there are none.
        """
        with self._connection.cursor(binary=True) as cursor:
            where = (self.symbols, self._interval, moment(after), moment(until), fingerprint)
            found = cursor.execute(FEATURES, where).fetchall()
        if not found:
            return np.empty(0, dtype=np.int64), np.empty((0, 0))
        times, values = zip(*found, strict=True)
        return np.array(times).round().astype(np.int64), np.array(values, dtype=np.float64)

    def learn_regimes(self, after: int, until: int) -> None:
        """Read the market's states at the bars in (after, until], for the outcomes of forecasts made there."""
        rows = self._connection.execute(
            REGIMES, (self.symbols, self._interval, moment(after), moment(until))
        ).fetchall()
        self._states = {}
        for place, symbol in enumerate(self.symbols):
            of = sorted((round(time.timestamp() * 1000), state) for name, time, state in rows if name == symbol)
            if of:
                states = [_number(self.regimes, state) for _, state in of]
                self._states[place] = np.array([time for time, _ in of]), np.array(states)

    def _regime(self, symbol: Ints, made: Ints) -> Ints:
        found = np.zeros(len(symbol), dtype=np.int64)
        for place, (times, states) in self._states.items():
            rows = np.flatnonzero(symbol == place)
            at = np.minimum(np.searchsorted(times, made[rows]), len(times) - 1)
            found[rows] = np.where(times[at] == made[rows], states[at], 0)
        return found

    def _series(self, horizon: int) -> list[int]:
        return np.flatnonzero(self._horizon == horizon).tolist()

    def _learn_series(self) -> None:
        rows = self._connection.execute(SERIES, (self._interval,)).fetchall()
        size = rows[-1][0] + 1 if rows else 0
        if size == len(self._horizon):
            return
        self._symbol, self._version, self._horizon = (np.zeros(size, dtype=np.int64) for _ in range(3))
        for series, symbol, model, version, horizon in rows:
            self._symbol[series] = _number(self.symbols, symbol)
            self._version[series] = _number(self.versions, Version(model, version))
            self._horizon[series] = horizon

    def _newest(self, query: str, *parameters: Any) -> dict[str, int]:
        rows = self._connection.execute(query.encode(), parameters).fetchall()
        return {symbol: round(time.timestamp() * 1000) for symbol, time in rows}

    def _copied(
        self, kinds: list[tuple[str, str]], query: str, series: list[int], after: int, until: int, lead: int
    ) -> tuple[npt.NDArray[Any], Ints, Ints]:
        """Return the rows of a binary COPY whose columns are all there, their bars (time + lead) and their times."""
        with (
            self._connection.cursor() as cursor,
            cursor.copy(query.encode(), (series, moment(after), moment(until))) as copy,
        ):
            data = b"".join(copy)
        fields = [
            ("fields", ">i2"),
            *(field for name, kind in kinds for field in ((f"{name}_size", ">i4"), (name, kind))),
        ]
        rows = np.frombuffer(data[HEADER : len(data) - TRAILER], dtype=np.dtype(fields))
        made = (rows["time"].astype(np.int64) + EPOCH_2000_US) // 1_000
        return rows, made + lead, made


def moment(time: int) -> datetime:
    """Return epoch ms as a time of day."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time)


def _number(known: list[Any], value: Any) -> int:
    """Return where a value stands in a list, to whose end it is added if it is new."""
    try:
        return known.index(value)
    except ValueError:
        known.append(value)
        return len(known) - 1
