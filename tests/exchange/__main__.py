"""Run the exchange until it is stopped: `python -m exchange [--rate 2000] [--symbols 4] [--port 0]`.

The first line that it prints is its address.
"""

import argparse
import asyncio
import contextlib

from aiohttp import web

from exchange.server import Exchange


async def serve(rate: float, symbols: int, port: int) -> None:
    runner = web.AppRunner(Exchange(rate, symbols).app(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    host, port = runner.addresses[0][:2]
    print(f"http://{host}:{port}", flush=True)  # noqa: T201 - that is how it is found
    await asyncio.Event().wait()


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--rate", type=float, default=2_000, help="trades a second, all symbols together")
parser.add_argument("--symbols", type=int, default=4)
parser.add_argument("--port", type=int, default=0)
options = parser.parse_args()
with contextlib.suppress(KeyboardInterrupt):
    asyncio.run(serve(options.rate, options.symbols, options.port))
