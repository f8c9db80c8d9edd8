"""How complete each symbol's bars are, hour by hour, and what was found about them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from psycopg import Connection

from dashboard.ops.queries import QUERIES
from topics.units import interval_ms

HOUR = timedelta(hours=1)
HOURS = 48
Verdict = Literal["complete", "repaired", "suspect", "gap", "incomplete", "none"]
VERDICTS: dict[Verdict, str] = {
    "complete": "every bar",
    "repaired": "every bar, of trades asked for afterwards",
    "suspect": "a price that is hardly right",
    "gap": "trades that never came",
    "incomplete": "bars missing",
    "none": "no bar",
}
"""What an hour's verdict means, from the best to the worst; the worst that holds is an hour's."""
Cell = tuple[str, datetime]


@dataclass(frozen=True, kw_only=True)
class HourHealth:
    """One symbol's hour: `bars` of the `expected` ones are stored. None of `missing_trades` is an unknown number."""

    symbol: str
    hour: datetime
    bars: int
    expected: int
    suspect: int
    repaired: int
    gaps: int
    missing_trades: int | None

    @property
    def verdict(self) -> Verdict:
        """Return the worst that holds."""
        if self.bars == 0:
            return "none"
        if self.bars < self.expected:
            return "incomplete"
        if self.gaps:
            return "gap"
        return "suspect" if self.suspect else "repaired" if self.repaired else "complete"


@dataclass(frozen=True, kw_only=True)
class DataHealth:
    """The hours up to the newest bar of any symbol; `newest` is each symbol's last bar."""

    hours: tuple[HourHealth, ...]
    newest: Mapping[str, datetime]
    end: datetime | None


def read_health(connection: Connection, interval: str) -> DataHealth:
    """Read the last `HOURS` hours of event time, of bars of one interval."""
    known = connection.execute(QUERIES["symbols"], {"interval": interval}).fetchall()
    if not known:
        return DataHealth(hours=(), newest={}, end=None)
    first = {symbol: at for symbol, at, _ in known}
    newest = {symbol: at for symbol, _, at in known}
    end = max(newest.values())
    start = _hour(end) - (HOURS - 1) * HOUR
    step = timedelta(milliseconds=interval_ms(interval))
    asked = {"symbols": sorted(first), "interval": interval, "start": start, "end": end + step}
    bars = {
        (symbol, hour): (count, suspect) for symbol, hour, count, suspect in connection.execute(QUERIES["hours"], asked)
    }
    repaired = {(symbol, hour): count for symbol, hour, count in connection.execute(QUERIES["repaired"], asked)}
    gaps = by_hour(connection.execute(QUERIES["gaps"], asked), start)
    hours = []
    for symbol, began in first.items():
        for number in range(HOURS):
            hour = start + number * HOUR
            expected = expected_bars(hour, began, end, step)
            if not expected:
                continue
            count, suspect = bars.get((symbol, hour), (0, 0))
            trades = gaps.get((symbol, hour), ())
            hours.append(
                HourHealth(
                    symbol=symbol,
                    hour=hour,
                    bars=count,
                    expected=expected,
                    suspect=suspect,
                    repaired=repaired.get((symbol, hour), 0),
                    gaps=len(trades),
                    missing_trades=total(trades),
                )
            )
    return DataHealth(hours=tuple(hours), newest=newest, end=end)


def expected_bars(hour: datetime, first: datetime, last: datetime, step: timedelta) -> int:
    """Return how many bars begin in an hour, from the first bar of the symbol to the last of any.

    >>> at = datetime(2025, 6, 3, 10, 30)
    >>> minute = timedelta(minutes=1)
    >>> [expected_bars(datetime(2025, 6, 3, hour), at, at + HOUR, minute) for hour in (9, 10, 11, 12)]
    [0, 30, 31, 0]
    """
    begin, end = max(hour, first), min(hour + HOUR - step, last)
    return max(0, (end - begin) // step + 1)


def by_hour(
    gaps: Iterable[tuple[str, datetime, datetime, int | None]], start: datetime
) -> dict[Cell, tuple[int | None, ...]]:
    """Return the missing trades of each gap that touches a symbol's hour; of a gap over several they are counted in the
    first only, else their sum would be wrong."""
    found: dict[Cell, tuple[int | None, ...]] = {}
    for symbol, begin, end, trades in gaps:
        hour = max(_hour(begin), start)
        found[symbol, hour] = (*found.get((symbol, hour), ()), trades)
        while (hour := hour + HOUR) <= end:
            found[symbol, hour] = (*found.get((symbol, hour), ()), 0)
    return found


def total(trades: Sequence[int | None]) -> int | None:
    """Return the sum, None if one is unknown."""
    known = [one for one in trades if one is not None]
    return sum(known) if len(known) == len(trades) else None


def _hour(time: datetime) -> datetime:
    return time.replace(minute=0, second=0, microsecond=0)
