"""A symbol's hole, filled by asking the venue; what it cannot give is published as a gap."""

import asyncio
import logging
import time
from typing import Any

import ccxt

from sources.live.outlet import Outlet
from sources.live.rest import PATIENCE_S, ask
from sources.live.symbol import Symbol
from sources.live.venues import Venue

log = logging.getLogger("foretick.live")

SETTLE_S = 0.3
"""How long a trade may be late before it is asked for: venues send some a little out of order."""
AGAIN_S = 0.5


async def repair(exchange: Any, venue: Venue, symbol: Symbol, outlet: Outlet) -> None:
    """Ask until nothing is missing. What cannot be had by `PATIENCE_S` without progress becomes a gap.

    Where no trade has come since that would end the gap, the hole stays open, until one comes.
    """
    await asyncio.sleep(SETTLE_S)
    if symbol.line.hole is None:
        return
    began, before = time.monotonic(), symbol.status.trades
    progress = began
    while (hole := symbol.line.hole) is not None:
        try:
            if not hole.can_be_asked:
                raise ccxt.NotSupported(f"{symbol.venue} gives its trades no ids")
            answer = await ask(exchange, venue, symbol.market.unified, hole)
        except ccxt.BaseError as error:
            if not _left(symbol, outlet, f"{type(error).__name__}: {error}"):
                break
            continue
        page = symbol.parsed(list(answer), repaired=True)
        if symbol.line.forgotten(page):
            outlet.put(symbol.gap(f"{symbol.venue} does not give these trades any more", page[0]))
        outlet.put(symbol.records(symbol.line.fill(page, full=len(page) >= venue.limit)))
        await outlet.room()
        if symbol.line.hole != hole:
            progress = time.monotonic()
        elif time.monotonic() - progress < PATIENCE_S:
            await asyncio.sleep(AGAIN_S)  # what came live is not in the venue's answers yet
        elif not _left(symbol, outlet, f"{symbol.venue} did not give them within {PATIENCE_S:.0f} s"):
            break
    log.info(
        "%s %s: %d trades after a hole, in %.1f s",
        symbol.venue,
        symbol.market.symbol,
        symbol.status.trades - before,
        time.monotonic() - began,
    )


def _left(symbol: Symbol, outlet: Outlet, reason: str) -> bool:
    """Leave the hole as a gap; tell whether it could be left."""
    gaps = symbol.gap(reason)
    outlet.put(gaps)
    # What waited for the hole is let through.
    outlet.put(symbol.records(symbol.line.take([])))
    if gaps:
        log.warning("%s %s: trades are missing: %s", symbol.venue, symbol.market.symbol, reason)
    return bool(gaps)
