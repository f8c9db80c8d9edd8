"""An open bar, and the detection of trades sent twice: shared by all folds from ticks."""

from typing import Self

from msgspec import Struct

from topics.limits import MOST_QUOTE, MOST_VOLUME
from topics.records import Bar, Tick

REMEMBERED = 1_024
"""The number of trade ids kept to detect a trade that a venue sent twice; repeated Kafka messages are detected by
position."""


def repeated(tick: Tick, seen: dict[str, None]) -> bool:
    """Return whether the trade's id at its venue is in `seen` (oldest first); if not, add it."""
    if tick.trade_id is None:
        return False
    identity = tick.trade_id if tick.venue is None else f"{tick.venue}:{tick.trade_id}"
    if identity in seen:
        return True
    seen[identity] = None
    if len(seen) > REMEMBERED:
        del seen[next(iter(seen))]
    return False


class OpenBar(Struct, kw_only=True):
    """An open bar, from `first_time` (epoch ms) on; the takers' purchases are None if a side is unknown.

    `buy_trades` is unknown too in a bar that was opened before they were counted.
    """

    first_time: int
    last_time: int
    open: float
    high: float
    low: float
    close: float
    volume: float = 0.0
    trades: int = 0
    buy_volume: float | None = 0.0
    quote_volume: float = 0.0
    buy_trades: int | None = None

    @classmethod
    def beginning(cls, tick: Tick, time: int) -> Self:
        """Return a bar that begins at that time with that trade, which is still to be added."""
        price = tick.price
        return cls(first_time=time, last_time=time, open=price, high=price, low=price, close=price, buy_trades=0)

    def holds(self, tick: Tick) -> bool:
        """Return whether the sums stay within a bar's limits with this trade."""
        quote = self.quote_volume + tick.price * tick.amount
        return self.volume + tick.amount <= MOST_VOLUME and quote <= MOST_QUOTE

    def add_by_time(self, tick: Tick) -> None:
        """Add a trade: the earliest opens the bar and the latest closes it, by event time.

        Of trades at the same millisecond the first to arrive opens and the last closes.
        """
        if tick.time < self.first_time:
            self.first_time, self.open = tick.time, tick.price
        if tick.time >= self.last_time:
            self.last_time, self.close = tick.time, tick.price
        self._count(tick)

    def add_as_it_comes(self, tick: Tick) -> None:
        """Add a trade: the first to arrive opens the bar and the last closes it, whatever their times."""
        self.close = tick.price
        self._count(tick)

    def _count(self, tick: Tick) -> None:
        price, amount = tick.price, tick.amount
        if price > self.high:
            self.high = price
        elif price < self.low:
            self.low = price
        self.volume += amount
        self.quote_volume += price * amount
        self.trades += 1
        if tick.side is None or self.buy_volume is None:
            self.buy_volume = self.buy_trades = None
        elif tick.side == "buy":
            self.buy_volume += amount
            if self.buy_trades is not None:
                self.buy_trades += 1

    def closed(self, symbol: str, interval: str, time: int, gap: int = 0) -> Bar:
        """Return the finished bar."""
        return Bar(
            symbol=symbol,
            interval=interval,
            time=time,
            open=self.open,
            high=self.high,
            low=self.low,
            close=self.close,
            volume=self.volume,
            trades=self.trades,
            buy_volume=self.buy_volume,
            quote_volume=self.quote_volume,
            gap=gap,
            buy_trades=self.buy_trades,
        )
