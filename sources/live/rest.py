"""Trades asked for by REST, again and again while the venue is busy or out of order."""

from collections.abc import Sequence
from typing import Any

import ccxt
import stamina

from sources.live.line import Hole
from sources.live.venues import Venue

PATIENCE_S = 30.0
"""How long a venue that does not answer is asked again."""
LONGEST_WAIT_S = 20.0


async def ask(exchange: Any, venue: Venue, unified: str, hole: Hole) -> Sequence[dict[str, Any]]:
    """Return ccxt's trades of a symbol from the beginning of the hole on, earliest first, at most a page.

    A venue that is busy (429) is asked again after the time that it names; ccxt's throttle keeps to its rate, and
    stamina waits longer each time, with jitter. Raises ccxt.BaseError where it does not answer for `PATIENCE_S`.
    """
    since, params = question(venue, hole, venue.limit)
    trades: list[dict[str, Any]] = []

    def again(error: Exception) -> bool | float:
        return isinstance(error, ccxt.NetworkError) and (named_wait(exchange, error) or True)

    async for attempt in stamina.retry_context(
        again, attempts=None, timeout=PATIENCE_S, wait_initial=0.25, wait_max=5.0, wait_jitter=0.5
    ):
        with attempt:
            trades = await exchange.fetch_trades(unified, since, venue.limit, params)
    return trades


def question(venue: Venue, hole: Hole, limit: int) -> tuple[int | None, dict[str, Any]]:
    """Return the time and the parameters with which ccxt asks for the trades from the beginning of the hole on."""
    if venue.page is None or hole.number is None:
        return hole.since, {}
    return None, dict(venue.page(hole.number, limit))


def named_wait(exchange: Any, error: Exception) -> float | None:
    """Return the seconds that a busy venue asks us to wait (Retry-After), at most `LONGEST_WAIT_S`; None for none."""
    if not isinstance(error, ccxt.RateLimitExceeded | ccxt.DDoSProtection):
        return None
    headers = {str(name).lower(): value for name, value in (exchange.last_response_headers or {}).items()}
    try:
        return min(float(headers["retry-after"]), LONGEST_WAIT_S)
    except (KeyError, ValueError):
        return None
