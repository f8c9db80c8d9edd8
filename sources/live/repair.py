"""Fills a symbol's missing range from the venue; trades that it cannot return are published as a gap."""

import asyncio
import logging
import time
from typing import Any

import ccxt

from sources.live.publisher import LiveKafkaWriter
from sources.live.rest import REPAIR_TIMEOUT_S, ask
from sources.live.symbol import SymbolFeed
from sources.live.venues import Venue

log = logging.getLogger("foretick.live")

SETTLE_S = 0.3
"""How long a trade may be late before it is requested: venues send some slightly out of order."""
AGAIN_S = 0.5


async def repair(exchange: Any, venue: Venue, symbol: SymbolFeed, writer: LiveKafkaWriter) -> None:
    """Request until nothing is missing. A range that makes no progress for `REPAIR_TIMEOUT_S` becomes a gap.

    Where no trade has come since that would end the gap, the missing range stays open, until one comes.
    """
    await asyncio.sleep(SETTLE_S)
    if symbol.sequencer.missing is None:
        return
    began, before = time.monotonic(), symbol.status.trades
    progress = began
    while (missing := symbol.sequencer.missing) is not None:
        try:
            if not missing.can_be_asked:
                raise ccxt.NotSupported(f"{symbol.venue} gives its trades no ids")
            answer = await ask(exchange, venue, symbol.market.unified, missing)
        except ccxt.BaseError as error:
            if not _left(symbol, writer, f"{type(error).__name__}: {error}"):
                break
            continue
        page = symbol.parsed(list(answer), repaired=True)
        if symbol.sequencer.forgotten(page):
            writer.put(symbol.gap(f"{symbol.venue} does not give these trades any more", page[0]))
        writer.put(symbol.records(symbol.sequencer.fill(page, full=len(page) >= venue.limit)))
        await writer.wait_for_space()
        if symbol.sequencer.missing != missing:
            progress = time.monotonic()
        elif time.monotonic() - progress < REPAIR_TIMEOUT_S:
            await asyncio.sleep(AGAIN_S)  # live trades are not in the venue's answers yet
        elif not _left(symbol, writer, f"{symbol.venue} did not give them within {REPAIR_TIMEOUT_S:.0f} s"):
            break
    log.info(
        "%s %s: %d missing trades repaired in %.1f s",
        symbol.venue,
        symbol.market.symbol,
        symbol.status.trades - before,
        time.monotonic() - began,
    )


def _left(symbol: SymbolFeed, writer: LiveKafkaWriter, reason: str) -> bool:
    """Declare the missing range as a gap; return whether this was possible."""
    gaps = symbol.gap(reason)
    writer.put(gaps)
    # Trades that waited for the missing range are released.
    writer.put(symbol.records(symbol.sequencer.take([])))
    if gaps:
        log.warning("%s %s: trades are missing: %s", symbol.venue, symbol.market.symbol, reason)
    return bool(gaps)
