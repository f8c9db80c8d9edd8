"""Who watches while the stack runs: a page that is open, and a program that reads the API's stream."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
from bokeh.client import pull_session

import dashboard.live.page  # noqa: F401 - what the page's document is made of, for `pull_session`
from bench.chaos.world import World
from settings import ADDRESSES

OPEN_S, ANSWER_S = 10.0, 600.0


@dataclass(kw_only=True)
class Audience:
    """Counts the events of the stream, and how often the page was shown anew. `failed`: what either ended of."""

    world: World
    streamed: int = 0
    pulled: int = 0
    failed: list[str] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Begin, in threads that end with the program."""
        for work in (self._read, self._look):
            threading.Thread(target=self._until_stopped, args=(work,), daemon=True).start()

    def _until_stopped(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - told at the end, as a finding
            if not self.stopping.is_set():
                self.failed.append(f"{work.__name__}: {error!r}")

    def _read(self) -> None:
        token = (self.world.home / "api.token").read_text().strip()
        port = json.loads((self.world.home / ADDRESSES).read_text())["api_port"]
        url = f"http://127.0.0.1:{port}/v1/stream/predictions"
        headers = {"authorization": f"Bearer {token}"}
        with httpx.stream("GET", url, headers=headers, timeout=ANSWER_S) as answer:
            answer.raise_for_status()
            for line in answer.iter_lines():
                self.streamed += line.startswith("data:")
                if self.stopping.is_set():
                    return

    def _look(self) -> None:
        """Open the page, keep it for a while, close it, and open it anew."""
        port = json.loads((self.world.home / ADDRESSES).read_text())["dashboard_port"]
        while not self.stopping.is_set():
            session = pull_session(url=f"http://127.0.0.1:{port}/")
            self.pulled += 1
            self.stopping.wait(OPEN_S)
            session.close()
