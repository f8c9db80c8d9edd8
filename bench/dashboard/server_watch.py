"""Watches the dashboard's process from outside: its CPU and its resident memory."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from bench.dashboard.figures import by_quarter, growth_percent
from stack import state

EVERY_S = 1.0


def process(home: Path) -> psutil.Process:
    """Return the process that serves the pages."""
    current = state.read(home)
    if current is None:
        raise SystemExit("the stack has ended")
    return psutil.Process(current.components["dashboard"].pid)


class ServerWatch:
    """The CPU seconds of the server and of the processes that it started and that have ended, and its memory."""

    def __init__(self, server: psutil.Process) -> None:
        self._server = server
        self.memory: list[float] = []
        self.seconds = 0.0
        self._begun, self._from = time.monotonic(), self.cpu()

    def cpu(self) -> tuple[float, float]:
        """Return the CPU seconds of the server, and of its helpers."""
        times = self._server.cpu_times()
        return times.user + times.system, times.children_user + times.children_system

    def rss(self) -> float:
        """Return the resident memory in MiB."""
        return float(self._server.memory_info().rss) / 2**20

    @contextmanager
    def sampling(self) -> Iterator[None]:
        """Note the memory every second inside the block."""
        ended = threading.Event()

        def sample() -> None:
            while not ended.wait(EVERY_S):
                self.memory.append(self.rss())

        thread = threading.Thread(target=sample, daemon=True)
        self._begun, self._from = time.monotonic(), self.cpu()
        thread.start()
        try:
            yield
        finally:
            self.seconds = time.monotonic() - self._begun
            ended.set()
            thread.join()

    def cores(self) -> dict[str, float]:
        """Return how many cores the server, and its helpers, took on average since the sampling began."""
        now = self.cpu()
        server, helpers = ((after - before) / self.seconds for before, after in zip(self._from, now, strict=True))
        return {"server": round(server, 2), "helpers": round(helpers, 2)}

    def memory_figures(self) -> dict[str, object]:
        """Return the memory by quarter, the most, and how much the last quarter is above the second."""
        quarters = by_quarter(self.memory)
        flat = growth_percent(quarters[1], quarters[-1]) if len(quarters) > 1 else 0.0
        return {"by_quarter_mib": quarters, "most_mib": round(max(self.memory), 1), "last_over_second_percent": flat}
