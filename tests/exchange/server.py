"""The servers: REST and WebSocket streams of Binance spot, and the control of the faults.

Each path begins with the host that it is meant for, as `foretick live` sends it to a gateway.
"""

import asyncio
import contextlib
import json
import time
from typing import Any

from aiohttp import WSMsgType, web

from exchange import wire
from exchange.faults import NAMES, Faults, Socket
from exchange.market import MARKETS, Market, markets

STEP_S = 0.01
MOST_ROWS = 1_000


def now() -> int:
    return int(time.time() * 1_000)


class Exchange:
    """The exchange: makes trades at `rate` a second, all symbols together, and sends them to who is subscribed."""

    def __init__(self, rate: float, symbols: int) -> None:
        self.rate = rate
        self.markets: dict[str, Market] = markets()
        self.traded = list(MARKETS)[:symbols]
        self.faults = Faults()
        self.sockets: set[Socket] = set()

    def app(self) -> web.Application:
        """Return the application."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/{host}/api/v3/time", self.time),
                web.get("/{host}/api/v3/ping", self.ping),
                web.get("/{host}/api/v3/exchangeInfo", self.exchange_info),
                web.get("/{host}/fapi/v1/exchangeInfo", self.no_symbols),
                web.get("/{host}/dapi/v1/exchangeInfo", self.no_symbols),
                web.get("/{host}/api/v3/aggTrades", self.aggregates),
                web.get("/{host}/api/v3/trades", self.recent),
                web.get("/{host}/api/v3/historicalTrades", self.historical),
                web.get("/{host}/ws", self.stream),
                web.get("/{host}/ws/{name}", self.stream),
                web.get("/{host}/stream", self.stream),
                web.post("/control/fault", self.fault),
                web.post("/control/rate", self.set_rate),
                web.get("/control/state", self.state),
                web.get("/control/trades/{symbol}", self.all_trades),
            ]
        )
        app.on_startup.append(self._begin)
        app.on_cleanup.append(self._end)
        return app

    async def _begin(self, _: web.Application) -> None:
        self._task = asyncio.create_task(self._trade())

    async def _end(self, _: web.Application) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _trade(self) -> None:
        """Make the trades that are due, and send them."""
        due, turn, before = 0.0, 0, time.monotonic()
        while True:
            await asyncio.sleep(STEP_S)
            moment = time.monotonic()
            due, before = due + (moment - before) * self.rate, moment
            made: dict[str, list[Any]] = {symbol: [] for symbol in self.traded}
            for _ in range(int(due)):
                symbol = self.traded[turn % len(self.traded)]
                made[symbol].append(self.markets[symbol].make(now()))
                turn += 1
            due -= int(due)
            await asyncio.gather(*(self._send(socket, made) for socket in list(self.sockets)))

    async def _send(self, socket: Socket, made: dict[str, list[Any]]) -> None:
        messages = []
        for symbol, trades in made.items():
            for kind in ("trade", "aggTrade"):
                stream = f"{symbol.lower()}@{kind}"
                if stream in socket.streams:
                    texts = [wire.event(self.markets[symbol], trade, kind) for trade in trades]
                    messages += [
                        f'{{"stream":"{stream}","data":{text}}}' if socket.combined else text for text in texts
                    ]
        with contextlib.suppress(ConnectionError):  # it was cut meanwhile
            for message in socket.outgoing(messages, self.faults):
                await socket.connection.send_str(message)

    # --- WebSocket streams ---

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Serve ``/ws``, ``/ws/<stream>`` and ``/stream?streams=…``, with SUBSCRIBE and UNSUBSCRIBE."""
        if self.faults.refuses:
            raise web.HTTPServiceUnavailable
        connection = web.WebSocketResponse(heartbeat=20)
        await connection.prepare(request)
        socket = Socket(connection=connection, combined=request.path.endswith("/stream"))
        named = request.match_info.get("name", ""), *request.query.get("streams", "").split("/")
        socket.streams |= {name for name in named if "@" in name}
        self.sockets.add(socket)
        try:
            async for message in connection:
                if message.type == WSMsgType.TEXT and not socket.mute:
                    await connection.send_str(json.dumps(self._answer(socket, message.data)))
        finally:
            self.sockets.discard(socket)
        return connection

    def _answer(self, socket: Socket, text: str) -> dict[str, Any]:
        try:
            asked = json.loads(text)
            params, number = asked.get("params", []), asked.get("id")
            if asked["method"] == "SUBSCRIBE":
                unknown = [name for name in params if name.split("@")[0].upper() not in self.markets]
                if unknown:
                    return {"error": {"code": 2, "msg": f"Invalid request: unknown stream {unknown[0]}"}, "id": number}
                socket.streams |= set(params)
            elif asked["method"] == "UNSUBSCRIBE":
                socket.streams -= set(params)
            elif asked["method"] == "LIST_SUBSCRIPTIONS":
                return {"result": sorted(socket.streams), "id": number}
            else:
                return {"error": {"code": 2, "msg": "Invalid request: unknown method"}, "id": number}
        except (ValueError, KeyError, AttributeError) as error:
            return {"error": {"code": 3, "msg": f"Invalid JSON: {error}"}, "id": None}
        return {"result": None, "id": number}

    # --- REST ---

    def _check(self) -> None:
        """Fail where REST is to fail."""
        if self.faults.on("busy"):
            wait = {"Retry-After": str(max(1, round(self.faults.left("busy"))))}
            body = json.dumps({"code": -1003, "msg": "Too much request weight used; please use WebSocket Streams."})
            raise web.HTTPTooManyRequests(text=body, headers=wait, content_type="application/json")
        if self.faults.on("down"):
            raise web.HTTPServiceUnavailable(text="<html>Service Unavailable</html>", content_type="text/html")

    def _market(self, request: web.Request) -> Market:
        self._check()
        symbol = request.query.get("symbol", "")
        if symbol not in self.markets:
            body = json.dumps({"code": -1121, "msg": "Invalid symbol."})
            raise web.HTTPBadRequest(text=body, content_type="application/json")
        return self.markets[symbol]

    async def time(self, _: web.Request) -> web.Response:
        """Serve ``GET /api/v3/time``."""
        self._check()
        return web.json_response({"serverTime": now()})

    async def ping(self, _: web.Request) -> web.Response:
        """Serve ``GET /api/v3/ping``."""
        return web.json_response({})

    async def exchange_info(self, _: web.Request) -> web.Response:
        """Serve ``GET /api/v3/exchangeInfo``."""
        self._check()
        symbols = [wire.described(market) for market in self.markets.values()]
        return web.json_response({"timezone": "UTC", "serverTime": now(), "rateLimits": [], "symbols": symbols})

    async def no_symbols(self, _: web.Request) -> web.Response:
        """Serve the futures' exchangeInfo: there are none."""
        return web.json_response({"symbols": []})

    async def aggregates(self, request: web.Request) -> web.Response:
        """Serve ``GET /api/v3/aggTrades``: by fromId, or by startTime and endTime, or the newest."""
        market, query = self._market(request), request.query
        limit = min(int(query.get("limit", "500")), MOST_ROWS)
        if "fromId" in query:
            return web.json_response([wire.aggregate(made) for made in market.page(int(query["fromId"]), limit)])
        if "startTime" in query:
            begin, end = int(query["startTime"]), int(query.get("endTime", now()))
            numbers = (n for n, at in enumerate(market.times, 1) if begin <= at <= end and n > market.forgotten)
            rows = [wire.aggregate(market.trade(number)) for number in list(numbers)[:limit]]
            return web.json_response(rows)
        return web.json_response([wire.aggregate(made) for made in market.page(market.last - limit + 1, limit)])

    async def recent(self, request: web.Request) -> web.Response:
        """Serve ``GET /api/v3/trades``: the newest."""
        market = self._market(request)
        limit = min(int(request.query.get("limit", "500")), MOST_ROWS)
        return web.json_response([wire.single(made) for made in market.page(market.last - limit + 1, limit)])

    async def historical(self, request: web.Request) -> web.Response:
        """Serve ``GET /api/v3/historicalTrades``: by fromId, or the newest."""
        market = self._market(request)
        limit = min(int(request.query.get("limit", "500")), MOST_ROWS)
        first = int(request.query.get("fromId", market.last - limit + 1))
        return web.json_response([wire.single(made) for made in market.page(first, limit)])

    # --- control, for the tests ---

    async def fault(self, request: web.Request) -> web.Response:
        """Begin a fault: ``{"name": "drop", "seconds": 2}``."""
        asked = await request.json()
        name, seconds = asked["name"], float(asked.get("seconds", 1))
        if name not in NAMES:
            raise web.HTTPBadRequest(text=f"no fault {name}; there are {', '.join(NAMES)}")
        self.faults.begin(name, seconds)
        if name in ("drop", "forget"):
            for socket in list(self.sockets):
                transport = socket.connection._req and socket.connection._req.transport
                if transport is not None:
                    transport.abort()
        for socket in self.sockets:
            socket.mute |= name == "stall"
            socket.halved |= name == "half"
        if name == "forget":
            await asyncio.sleep(seconds)
            for symbol in self.traded:
                self.markets[symbol].forgotten = self.markets[symbol].last
        return web.json_response(self._state())

    async def set_rate(self, request: web.Request) -> web.Response:
        """Set how many trades a second there are: ``{"rate": 0}`` closes the market."""
        self.rate = float((await request.json())["rate"])
        return web.json_response(self._state())

    async def state(self, _: web.Request) -> web.Response:
        """Tell the newest id of each symbol, the faults so far, and what is subscribed."""
        return web.json_response(self._state())

    def _state(self) -> dict[str, Any]:
        return {
            "last": {symbol: market.last for symbol, market in self.markets.items()},
            "faults": self.faults.counts,
            "halves": self.faults.halves,
            "streams": sorted(name for socket in self.sockets if not socket.mute for name in socket.streams),
            "connections": len(self.sockets),
        }

    async def all_trades(self, request: web.Request) -> web.Response:
        """Return every trade of a symbol, a line each: id, time, price, quantity, whether the buyer was the maker."""
        market = self.markets[request.match_info["symbol"]]
        lines = (
            f"{made.number},{made.time},{made.price},{made.quantity},{int(made.maker)}"
            for made in map(market.trade, range(1, market.last + 1))
        )
        return web.Response(text="\n".join(lines))
