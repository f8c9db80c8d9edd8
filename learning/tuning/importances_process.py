"""Computes a study's importances in a process of its own, once for a number of trials."""

import json
import subprocess
import time
from threading import Lock, Thread
from typing import NamedTuple

from learning.tuning.study_table import StudySummary
from settings import places

AGAIN_SHARE = 0.05
"""By how much the complete trials must have become more until the importances are computed anew."""
COSTS = 20.0
"""They are computed anew after so many times the seconds that it took, at the earliest."""
LONGEST_S = 300.0


class Importances(NamedTuple):
    """The importances by parameter, the greatest first; of how many complete trials; or why there are none."""

    shares: dict[str, float]
    trials: int
    error: str = ""


class ImportancesProcess:
    """Keeps the importances of studies; `known` never waits."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = Lock()
        self._found: dict[int, Importances] = {}
        self._due: dict[int, float] = {}
        self._running: subprocess.Popen[str] | None = None
        self._busy = False
        self._stopped = False

    def known(self, study: StudySummary) -> Importances | None:
        """Return what was computed last, None if nothing was; compute it anew if there are clearly more trials."""
        with self._lock:
            found = self._found.get(study.study_id)
            more = found is None or study.complete > found.trials * (1 + AGAIN_SHARE)
            rested = time.monotonic() >= self._due.get(study.study_id, 0.0)
            if more and rested and study.complete and not self._busy and not self._stopped:
                self._busy = True
                Thread(target=self._compute, args=(study,), name="importances", daemon=True).start()
        return found

    def stop(self) -> None:
        """End the process if one runs."""
        with self._lock:
            self._stopped = True
            if self._running is not None:
                self._running.kill()

    def _compute(self, study: StudySummary) -> None:
        found, began = Importances({}, study.complete, "their computation failed"), time.monotonic()
        try:
            with subprocess.Popen(  # noqa: S603 - our own command
                places.module("learning.tuning.importances"),
                cwd=places.FOLDER,
                env=places.environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            ) as process:
                with self._lock:
                    self._running = process
                    if self._stopped:
                        process.kill()
                asked = json.dumps({"url": self._url, "study": study.study_id})
                try:
                    answer, _ = process.communicate(asked, timeout=LONGEST_S)
                    found = Importances(json.loads(answer), study.complete)
                except subprocess.TimeoutExpired:
                    process.kill()
                    found = Importances({}, study.complete, f"their computation took over {LONGEST_S:.0f} s")
        except (OSError, ValueError):
            pass  # what was found says so
        finally:
            with self._lock:
                self._running, self._busy = None, False
                self._found[study.study_id], now = found, time.monotonic()
                self._due[study.study_id] = now + COSTS * (now - began)
