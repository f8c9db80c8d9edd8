"""Viewers that take all that a page sends, as browsers of other machines do, and draw nothing.

Started by `python -m bench.dashboard` as a process of its own: ADDRESS SECONDS PAGE?QUERY…
"""

import argparse
import asyncio
import json
import time
from collections.abc import Sequence

from bench.dashboard.wire import opened
from dashboard.in_view import EVERY


async def view(address: str, page: str, query: str, until: float) -> int:
    """Look at a page until that time of the monotonic clock; return how many messages came."""
    async with opened(address, page, query) as session:
        for model in await session.models():
            if model["name"].endswith("Bridge"):
                await session.set(model, "in_view", EVERY)
        return await session.listen(until)


async def views(address: str, pages: Sequence[str], seconds: float) -> list[int]:
    """Look at all of them at once."""
    until = time.monotonic() + seconds
    return await asyncio.gather(*(view(address, *page.split("?"), until) for page in pages))


def main() -> None:
    """Look, and print how many messages came to each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    parser.add_argument("seconds", type=float)
    parser.add_argument("pages", nargs="+", help="page?query")
    options = parser.parse_args()
    print(json.dumps(asyncio.run(views(options.address, options.pages, options.seconds))), flush=True)


if __name__ == "__main__":
    main()
