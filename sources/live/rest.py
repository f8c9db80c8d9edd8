"""Requests trades by REST, with retries while the venue is busy or fails."""

from collections.abc import Sequence
from typing import Any

import ccxt
import stamina

from sources.live.sequencer import MissingRange
from sources.live.venues import Venue

REPAIR_TIMEOUT_S = 30.0
"""How long to retry a venue that does not answer."""
LONGEST_WAIT_S = 20.0


async def ask(exchange: Any, venue: Venue, unified: str, missing: MissingRange) -> Sequence[dict[str, Any]]:
    """Return ccxt's trades of a symbol from the beginning of the missing range on, earliest first, at most a page.

    A venue that is busy (429) is retried after the time that it names; ccxt's throttle keeps to its rate, and
    stamina waits longer each time, with jitter. Raises ccxt.BaseError where it does not answer for `REPAIR_TIMEOUT_S`.
    """
    since, params = question(venue, missing, venue.limit)
    trades: list[dict[str, Any]] = []

    def again(error: Exception) -> bool | float:
        return isinstance(error, ccxt.NetworkError) and (named_wait(exchange, error) or True)

    async for attempt in stamina.retry_context(
        again, attempts=None, timeout=REPAIR_TIMEOUT_S, wait_initial=0.25, wait_max=5.0, wait_jitter=0.5
    ):
        with attempt:
            trades = await exchange.fetch_trades(unified, since, venue.limit, params)
    return trades


def question(venue: Venue, missing: MissingRange, limit: int) -> tuple[int | None, dict[str, Any]]:
    """Return the time and the parameters with which ccxt asks for the trades from the beginning of the missing range
    on.
    """
    if venue.page is None or missing.number is None:
        return missing.since, {}
    return None, dict(venue.page(missing.number, limit))


def named_wait(exchange: Any, error: Exception) -> float | None:
    """Return the seconds that a busy venue asks us to wait (Retry-After), at most `LONGEST_WAIT_S`; None for none."""
    if not isinstance(error, ccxt.RateLimitExceeded | ccxt.DDoSProtection):
        return None
    headers = {str(name).lower(): value for name, value in (exchange.last_response_headers or {}).items()}
    try:
        return min(float(headers["retry-after"]), LONGEST_WAIT_S)
    except (KeyError, ValueError):
        return None
