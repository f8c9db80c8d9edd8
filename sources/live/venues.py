"""Properties of venues beyond ccxt's, one line per venue; for others nothing is assumed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Page = Callable[[int, int], Mapping[str, Any]]
"""From a trade's number and a page's length to what `fetchTrades` is asked with for the page that begins there."""


@dataclass(frozen=True)
class Venue:
    """How a venue's trades are streamed, and how missing ones are requested.

    `page` is None if the ids of a symbol's trades do not count up one by one: then a missing range shows in time
    alone, after a connection was lost. `limit` is a page's length. `watch` goes to ccxt's watch method.
    """

    page: Page | None = None
    limit: int = 1_000
    watch: Mapping[str, Any] = field(default_factory=dict)

    @property
    def counts(self) -> bool:
        """Whether each trade's id is the one before plus one."""
        return self.page is not None


# Without a key REST gives Binance's aggregate trades (one taker's fills at one price) from an id on, but not its single
# ones; so the aggregate ones are watched, whose ids are the same. developers.binance.com, "Market data endpoints".
_BINANCE = Venue(lambda number, _: {"fromId": number}, watch={"name": "aggTrade"})

VENUES = {
    **dict.fromkeys(("binance", "binanceus", "binanceusdm", "binancecoinm"), _BINANCE),
    # Pages go backwards from an id (itself left out). docs.cdp.coinbase.com/exchange, "Pagination".
    "coinbaseexchange": Venue(lambda number, limit: {"after": number + limit}),
}


def venue_of(name: str) -> Venue:
    """Return a venue's properties by its name in ccxt."""
    return VENUES.get(name, Venue())
