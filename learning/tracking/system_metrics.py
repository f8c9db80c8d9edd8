"""Samples a run's use of CPU and memory, and of GPUs where there are any; shown in MLflow's tab "System metrics"."""

import threading
import time
from collections.abc import Callable, Mapping

import psutil

from learning.errors import TrackingError
from learning.tracking import gpu

EVERY_S = 5.0
MB = 1e6


class Sampler:
    """Measures this process and its children every few seconds in a thread, from now until `stop`.

    MLflow's own sampler measures the whole machine only, on which the stream runs too.
    """

    def __init__(self, log: Callable[[Mapping[str, float], int], None]) -> None:
        self._log = log
        self._ending = threading.Event()
        self._began = self._then = time.monotonic()
        self._spent = _seconds(_family())
        self._ask_gpus = gpu.program()
        self._thread = threading.Thread(target=self._work, name="sampler", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Measure once more, and end."""
        self._ending.set()
        self._thread.join()

    def _work(self) -> None:
        psutil.cpu_percent()  # measures since this thread's previous call
        try:
            while not self._ending.wait(EVERY_S):
                self._measure()
            self._measure()
        except TrackingError:
            return  # the next call that logs to the run meets it too, and handles it

    def _measure(self) -> None:
        family, now = _family(), time.monotonic()
        spent = _seconds(family)
        values = {
            "system/process CPU percent of a core": 100 * max(spent - self._spent, 0.0) / max(now - self._then, 1e-3),
            "system/process memory MB": sum(_resident(process) for process in family) / MB,
            "system/machine CPU percent": psutil.cpu_percent(),
            "system/machine memory percent": psutil.virtual_memory().percent,
            **gpu.measure(self._ask_gpus),
        }
        self._then, self._spent = now, spent
        self._log(values, round(now - self._began))


def _family() -> list[psutil.Process]:
    own = psutil.Process()
    return [own, *own.children(recursive=True)]


def _seconds(family: list[psutil.Process]) -> float:
    """Return the processor's time that the processes, and their children that have ended, have taken."""
    total = 0.0
    for process in family:
        try:
            total += sum(process.cpu_times()[:4])
        except psutil.NoSuchProcess:  # it ended since
            continue
    return total


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
