"""The markets and their trades: real ones, made at the wanted rate, and all kept, for REST and for the tests."""

import csv
import gzip
from array import array
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

TRADES = Path(__file__).parent / "trades"
MARKETS = {
    "BTCUSDT": ("BTC", "USDT", "BTCUSDT"),
    "ETHUSDT": ("ETH", "USDT", "ETHUSDT"),
    "BTCUSDC": ("BTC", "USDC", "BTCUSDT"),
    "ETHUSDC": ("ETH", "USDC", "ETHUSDT"),
}
"""Each symbol's base, quote, and whose trades it repeats; those in USDC begin in the middle."""


class Made(NamedTuple):
    """A trade: id, time (epoch ms), price, quantity, whether the buyer was the maker."""

    number: int
    time: int
    price: str
    quantity: str
    maker: bool


@dataclass(kw_only=True)
class Market:
    """One symbol's trades so far. Their ids count from 1; REST knows none of those up to `forgotten`."""

    symbol: str
    base: str
    quote: str
    rows: list[tuple[str, str, bool]]
    times: "array[int]" = field(default_factory=lambda: array("q"))
    forgotten: int = 0

    @property
    def last(self) -> int:
        """The id of the newest trade."""
        return len(self.times)

    def make(self, time: int) -> Made:
        """Make the next trade."""
        self.times.append(time)
        return self.trade(self.last)

    def trade(self, number: int) -> Made:
        """Return the trade of that id."""
        return Made(number, self.times[number - 1], *self.rows[(number - 1) % len(self.rows)])

    def page(self, first: int, limit: int) -> list[Made]:
        """Return the trades from an id on that REST still knows."""
        begin = max(first, self.forgotten + 1, 1)
        return [self.trade(number) for number in range(begin, min(begin + limit, self.last + 1))]


def markets() -> dict[str, Market]:
    """Return every market, without a trade yet."""
    rows = {path.name.split(".")[0]: _read(path) for path in TRADES.glob("*.csv.gz")}
    values = {}
    for symbol, (base, quote, source) in MARKETS.items():
        own = rows[source]
        begin = 0 if symbol == source else len(own) // 2
        values[symbol] = Market(symbol=symbol, base=base, quote=quote, rows=own[begin:] + own[:begin])
    return values


def _read(path: Path) -> list[tuple[str, str, bool]]:
    with gzip.open(path, "rt") as file:
        return [(row["price"], row["quantity"], row["is_buyer_maker"] == "1") for row in csv.DictReader(file)]
