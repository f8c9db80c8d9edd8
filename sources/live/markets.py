"""Resolves a user's symbol to a market of the venue."""

import difflib
from collections.abc import Mapping
from typing import Any

from sources.errors import SourceError
from sources.live.parse import Market
from topics.markets import canonical


def market_of(markets: Mapping[str, Mapping[str, Any]], text: str, venue: str) -> Market:
    """Return the market that ``BTC/USDT`` or ``btcusdt`` names, of several a spot market.

    `markets` are ccxt's, by its unified symbols. Raises SourceError with near matches where there is none.
    """
    wanted = canonical(text)
    results = [market for unified, market in markets.items() if wanted in (unified, canonical(unified))]
    if not results:
        near = difflib.get_close_matches(text.upper(), list(markets), 3, 0.5)
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        raise SourceError(f"{venue} has no symbol {text!r}{hint}")
    return described(min(results, key=lambda market: not market.get("spot")))


def described(market: Mapping[str, Any]) -> Market:
    """Return the fields of a ccxt market structure that our parser needs."""
    contract = bool(market.get("contract")) and market.get("contractSize") is not None
    size = float(market["contractSize"]) if contract else 1.0
    return Market(
        canonical(str(market["symbol"])), str(market["symbol"]), size, contract and bool(market.get("inverse"))
    )
