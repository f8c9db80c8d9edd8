"""The model monitor's input: outcomes, forecasts, features and regimes of one interval, as columns, in steps of
time."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
from psycopg import Connection

from features.frame import Floats, Ints
from learning.monitoring.scored_forecasts import Scored, Version, with_naive
from topics.units import interval_ms

EPOCH_2000_US = 946_684_800_000_000
"""The zero of PostgreSQL's binary times, in microseconds of ours."""
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
SELECT string_agg(int4send(series_id), ''), string_agg(timestamptz_send(time), ''), string_agg(float8send(pinball), ''),
    string_agg(float8send(coalesce(absolute_error, 'NaN')), ''),
    string_agg(float8send(coalesce(naive_absolute_error, 'NaN')), ''),
    string_agg(boolsend(interval_hit), ''), string_agg(charsend(role), '')
FROM outcome_rows
WHERE series_id = ANY(%s) AND time > %s AND time <= %s AND status = 's'
    AND pinball IS NOT NULL AND interval_hit IS NOT NULL
"""
OUTCOME = (">i4", ">i8", ">f8", ">f8", ">f8", "?", "S1")
PREDICTIONS = """
SELECT string_agg(int4send(p.series_id), ''), string_agg(timestamptz_send(p.time), ''),
    string_agg(float8send(coalesce(p.dissimilarity, 'NaN')), '')
FROM prediction_rows p JOIN contexts c USING (context_id)
WHERE p.series_id = ANY(%s) AND p.time > %s AND p.time <= %s AND c.role = 'champion'
"""
PREDICTION = (">i4", ">i8", ">f8")
"""The types of a query's columns: each comes as one value, the binary form of all its rows one after the other."""
REGIMES = (
    "SELECT symbol, time, state FROM regimes WHERE symbol = ANY(%s) AND interval = %s AND time > %s AND time <= %s"
)
FEATURES = """
SELECT (extract(epoch FROM time) * 1000)::float8, values FROM features
WHERE symbol = ANY(%s) AND interval = %s AND time > %s AND time <= %s AND fingerprint = %s
ORDER BY time, symbol
"""


class Stored:
    """The rows of one interval in TimescaleDB. Names of series and regimes are read once, and again for new ones."""

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
        """Return for each symbol the bar (epoch ms) up to which all of its tables have rows; that bar may be
        incomplete."""
        self._learn_series()
        values = self._newest(NEWEST_OUTCOME, self._interval, min(self._horizons))
        values = {symbol: time + min(self._horizons) * self.span for symbol, time in values.items()}
        others = (
            self._newest(NEWEST_PREDICTION, self._interval, min(self._horizons)),
            self._newest(NEWEST_FEATURES, self.symbols, self._interval),
            self._newest(NEWEST_REGIME, self.symbols, self._interval),
        )
        # An empty table is not waited for.
        return {
            symbol: min([time, *(part.get(symbol, 0) for part in others if part)]) for symbol, time in values.items()
        }

    def scored(self, after: int, until: int, versions: Sequence[Version] | None = None) -> Scored:
        """Return the outcomes whose labels matured at the bars in (after, until], with the naive model's losses.

        With `versions` only theirs are read.
        """
        parts = []
        for horizon in self._horizons:
            lead = horizon * self.span
            columns = self._columns(OUTCOME, OUTCOMES, horizon, after - lead, until - lead, versions)
            parts.append([columns[1] + lead, *columns])
        bar, series, made, loss, error, naive_error, hit, role = map(np.concatenate, zip(*parts, strict=True))
        symbol = self._symbol[series]
        results = Scored(
            bar,
            symbol,
            self._version[series],
            self._horizon[series],
            self._regime(symbol, made),
            role,
            loss,
            np.full(len(bar), np.nan),
            error,
            naive_error,
            hit.astype(np.float64),
            self.versions,
            self.regimes,
        )
        return with_naive(results.where(np.lexsort((series, bar))))

    def dissimilarity(self, after: int, until: int) -> tuple[Ints, Ints, Floats]:
        """Return of the champions' forecasts at the bars in (after, until] the time, version and dissimilarity [n]."""
        series, time, value = self._columns(PREDICTION, PREDICTIONS, min(self._horizons), after, until)
        whose = self._version[series]
        order = np.lexsort((series, time))
        return time[order], whose[order], value[order]

    def features(self, after: int, until: int, fingerprint: str) -> tuple[Ints, Floats]:
        """Return the times [n] and rows [n, F] of features of a definition, of all symbols, at bars in (after, until].

        Empty if there are none.
        """
        with self._connection.cursor(binary=True) as cursor:
            where = (self.symbols, self._interval, moment(after), moment(until), fingerprint)
            result = cursor.execute(FEATURES, where).fetchall()
        if not result:
            return np.empty(0, dtype=np.int64), np.empty((0, 0))
        times, values = zip(*result, strict=True)
        return np.array(times).round().astype(np.int64), np.array(values, dtype=np.float64)

    def learn_regimes(self, after: int, until: int) -> None:
        """Read the regimes at the bars in (after, until], for the outcomes of forecasts made there."""
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
        values = np.zeros(len(symbol), dtype=np.int64)
        for place, (times, states) in self._states.items():
            rows = np.flatnonzero(symbol == place)
            at = np.minimum(np.searchsorted(times, made[rows]), len(times) - 1)
            values[rows] = np.where(times[at] == made[rows], states[at], 0)
        return values

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

    def _columns(
        self,
        kinds: Sequence[str],
        query: str,
        horizon: int,
        after: int,
        until: int,
        versions: Sequence[Version] | None = None,
    ) -> list[npt.NDArray[Any]]:
        """Return the columns [n] of the rows of a horizon at times in (after, until], the second of them the time."""
        chosen = self._horizon == horizon
        if versions is not None:
            numbers = [place for place, version in enumerate(self.versions) if version in versions]
            chosen &= np.isin(self._version, numbers)
        series = np.flatnonzero(chosen).tolist()
        with self._connection.cursor(binary=True) as cursor:
            result = cursor.execute(query.encode(), (series, moment(after), moment(until))).fetchone()
        columns = [
            np.frombuffer(value or b"", dtype=kind).astype(np.dtype(kind).newbyteorder("="))
            for value, kind in zip(result or (), kinds, strict=True)
        ]
        columns[1] = (columns[1] + EPOCH_2000_US) // 1_000
        return columns


def moment(time: int) -> datetime:
    """Return epoch ms as a time of day."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time)


def _number(known: list[Any], value: Any) -> int:
    """Return a value's index in a list, to which it is appended if it is new."""
    try:
        return known.index(value)
    except ValueError:
        known.append(value)
        return len(known) - 1
