"""What a trade looks like on each way out, as Binance documents it."""

from typing import Any

from exchange.market import Made, Market


def event(market: Market, made: Made, stream: str) -> str:
    """Return the message of the stream `trade` or `aggTrade`; here each trade is an aggregate of its own."""
    ids = f'"t":{made.number}' if stream == "trade" else f'"a":{made.number},"f":{made.number},"l":{made.number}'
    maker = "true" if made.maker else "false"
    return (
        f'{{"e":"{stream}","E":{made.time},"s":"{market.symbol}",{ids},"p":"{made.price}","q":"{made.quantity}",'
        f'"T":{made.time},"m":{maker},"M":true}}'
    )


def aggregate(made: Made) -> dict[str, Any]:
    """Return a trade as ``GET /api/v3/aggTrades`` does."""
    return {
        "a": made.number,
        "p": made.price,
        "q": made.quantity,
        "f": made.number,
        "l": made.number,
        "T": made.time,
        "m": made.maker,
        "M": True,
    }


def single(made: Made) -> dict[str, Any]:
    """Return a trade as ``GET /api/v3/trades`` and ``historicalTrades`` do."""
    return {
        "id": made.number,
        "price": made.price,
        "qty": made.quantity,
        "quoteQty": str(float(made.price) * float(made.quantity)),
        "time": made.time,
        "isBuyerMaker": made.maker,
        "isBestMatch": True,
    }


def described(market: Market) -> dict[str, Any]:
    """Return a symbol as ``GET /api/v3/exchangeInfo`` does."""
    return {
        "symbol": market.symbol,
        "status": "TRADING",
        "baseAsset": market.base,
        "baseAssetPrecision": 8,
        "quoteAsset": market.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "orderTypes": ["LIMIT", "MARKET"],
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000.00", "tickSize": "0.01"},
            {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000.00", "stepSize": "0.00001"},
        ],
        "permissions": [],
        "permissionSets": [["SPOT"]],
    }
