"""Loads versions for all viewers, each in a process of its own, one after the other, and keeps the answers."""

import signal
import subprocess
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import msgspec

from dashboard.failures import Failed, Failures
from dashboard.inspector.version_details import LoadedDetails
from settings import Settings, places, threads

KEPT = 24
TIMEOUT_S = 300.0
RETRY_S = 60.0
"""A question that failed is asked again when somebody still looks at it after so many seconds."""
LEASE_S = 10.0
"""A question that no page has asked for so long is not begun."""

LoadRequest = tuple[str, ...]
"""The command line of `version_details`."""


@dataclass(frozen=True)
class LoadState:
    """How far a question is: the answer, or since when it is worked on (None: it waits), or why there is none."""

    answer: LoadedDetails | None = None
    since_s: float | None = None
    error: str = ""


@dataclass
class _Asked:
    asked: float
    began: float | None = None
    ended: float | None = None
    answer: LoadedDetails | None = None


class VersionLoader:
    """`view` never blocks: a question that is new is answered by the thread, in the order of asking."""

    def __init__(
        self,
        settings: Settings,
        command: Sequence[str] | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._environment = {
            **places.environment(),
            "FORETICK_HOME": str(settings.home),
            "FORETICK_DATABASE_URL": settings.database_url.get_secret_value(),
            **threads.ONE,
        }
        self._timeout_s = timeout_s
        self._command = command or places.module("dashboard.inspector.version_details")
        self._lock, self._wake = threading.Lock(), threading.Event()
        self._asked: OrderedDict[LoadRequest, _Asked] = OrderedDict()
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping, self._noted = False, Failures("version-loader")
        self._thread = threading.Thread(target=self._run, name="version-loader", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread, and what is being loaded."""
        self._stopping = True
        with self._lock:
            if self._process is not None:
                self._process.kill()
        self._wake.set()
        self._thread.join()

    @property
    def alive(self) -> bool:
        """Return whether the thread still answers."""
        return self._thread.is_alive()

    @property
    def failing(self) -> str | None:
        """Return the error by which a question was not answered lately, None if all were."""
        return self._noted.lately

    def view(self, question: LoadRequest) -> LoadState:
        """Return how far the question is; it is asked with this."""
        now = time.monotonic()
        with self._lock:
            asked = self._asked.setdefault(question, _Asked(now))
            asked.asked = now
            self._asked.move_to_end(question)
            failed = asked.answer is not None and bool(asked.answer.error)
            if failed and asked.ended is not None and now - asked.ended > RETRY_S and asked.began is None:
                asked.ended = None
            if asked.ended is None:
                self._wake.set()
            while len(self._asked) > KEPT:
                self._asked.popitem(last=False)
            since = None if asked.began is None else now - asked.began
            if asked.answer is None:
                return LoadState(since_s=since)
            return LoadState(error=asked.answer.error) if failed else LoadState(answer=asked.answer)

    def forget(self, question: LoadRequest) -> None:
        """Drop an answer, so that the question is answered anew."""
        with self._lock:
            asked = self._asked.get(question)
            if asked is not None and asked.began is None:
                del self._asked[question]

    def _next(self) -> tuple[LoadRequest, _Asked] | None:
        now = time.monotonic()
        with self._lock:
            for question, asked in self._asked.items():
                if asked.ended is None and now - asked.asked < LEASE_S:
                    asked.began = now
                    return question, asked
            return None

    def _run(self) -> None:
        while not self._stopping:
            self._wake.clear()
            following = self._next()
            if following is None:
                self._wake.wait()
                continue
            question, asked = following
            answer = self._noted.attempt(partial(self._answer, question))
            if isinstance(answer, Failed):
                answer = LoadedDetails(error=answer.why)
            with self._lock:
                asked.answer, asked.ended, asked.began = answer, time.monotonic(), None

    def _answer(self, question: LoadRequest) -> LoadedDetails:
        command = [*self._command, *question]
        with self._lock:
            if self._stopping:
                return LoadedDetails(error="The dashboard is stopping.")
            self._process = subprocess.Popen(  # noqa: S603 - our own program; the names are checked when it loads
                command, cwd=places.FOLDER, env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        with self._process as process:
            try:
                output, errors = process.communicate(timeout=self._timeout_s)
            except subprocess.TimeoutExpired:
                process.kill()
                return LoadedDetails(error=f"Loading took longer than {self._timeout_s:.0f} s, and was ended.")
        try:
            return msgspec.msgpack.decode(output, type=LoadedDetails)
        except msgspec.DecodeError:
            return LoadedDetails(error=_died(process.returncode, errors))


def _died(code: int, errors: bytes) -> str:
    """Return in words why the process gave no answer."""
    how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
    lines = errors.decode(errors="replace").strip().splitlines()
    return f"The process that loads the version {how}{f': {lines[-1][:300]}' if lines else ''}."
