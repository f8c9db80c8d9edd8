"""Converts ccxt's trades to ours. Pure: used for live, repaired and recorded trades."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from topics.limits import EARLIEST, END_OF_TIME
from topics.records import Tick

LONGEST_ID = 200


class Market(Struct, frozen=True):
    """A market of a venue: our symbol, ccxt's, and what one unit of a trade's amount is.

    `size` is a contract's, in base currency, or in quote currency where it is `inverse`; 1 where none is traded.
    """

    symbol: str
    unified: str
    size: float = 1.0
    inverse: bool = False


class Trade(Struct, frozen=True, kw_only=True):
    """A trade in its place: `key` is its id at the venue, `number` the same where the venue counts its trades.

    `tick` is None if it cannot be used, for the `reason`; `raw` is then the original.
    """

    key: str | None
    number: int | None
    time: int
    tick: Tick | None = None
    reason: str = ""
    raw: bytes = b""


def parse(
    trade: Mapping[str, Any],
    market: Market,
    venue: str,
    *,
    counted: bool,
    repaired: bool = False,
    latest: int = END_OF_TIME - 1,
) -> Trade:
    """Return the trade of a ccxt trade structure; an impossible one keeps its place, with the reason.

    A time before 2009 or after `latest` (epoch ms) is none.
    `counted`: the venue's ids are numbers without a gap. Format: docs.ccxt.com, "Trade structure".
    """
    key = None if trade.get("id") in (None, "") else str(trade["id"])
    number = int(key) if counted and key is not None and key.isdecimal() and len(key) < 19 else None
    time = trade.get("timestamp")
    known = isinstance(time, int) and EARLIEST <= time <= latest
    cursor = int(time) if known and time is not None else 0
    try:
        if not known:
            raise ValueError(f"its time {time!r} is none")
        if counted and number is None:
            raise ValueError(f"its id {key!r} is no number, and {venue} numbers its trades")
        if key is not None and len(key) > LONGEST_ID:
            raise ValueError(f"its id has {len(key)} characters, more than {LONGEST_ID}")
        price = float(trade["price"])
        side = trade.get("side")
        tick = Tick(
            symbol=market.symbol,
            time=cursor,
            price=price,
            amount=_amount(float(trade["amount"]), price, market),
            side=side if side in ("buy", "sell") else None,
            trade_id=key,
            venue=venue,
            repaired=repaired,
        )
    except (KeyError, TypeError, ValueError) as error:
        text = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        return Trade(
            key=key,
            number=number,
            time=cursor,
            tick=None,
            reason=f"a trade of {venue} cannot be used: {text}",
            raw=_raw(trade),
        )
    return Trade(key=key, number=number, time=cursor, tick=tick)


def _amount(amount: float, price: float, market: Market) -> float:
    """Return an amount in base currency."""
    if market.inverse and price:
        return amount * market.size / price
    return amount * market.size


def _raw(trade: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode(trade.get("info") or dict(trade), enc_hook=repr)
