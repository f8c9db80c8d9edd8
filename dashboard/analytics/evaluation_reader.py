"""Reads the newest walk forward that the pipeline has stored: the files of its step `evaluate`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dashboard.analytics.source import Kept
from dashboard.polled_reader import PolledReader
from evaluation import result_tables
from evaluation.results import Results
from storage.errors import reason

PERIOD_S = 10.0
WRITTEN = "*/evaluate/about.json"


@dataclass(frozen=True)
class WalkForward:
    """The results of a run and when they were written, or a `problem` with them in a sentence."""

    run_id: str
    written: datetime
    results: Results | None
    problem: str | None = None


class EvaluationSource:
    """The folder of the pipeline's runs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: Kept[str, WalkForward] = Kept(0.0)

    def read(self, _: str) -> WalkForward | None:
        """Return the newest results, None if no run has stored any."""
        written = {path: path.stat().st_mtime for path in self._folder.glob(WRITTEN)}
        if not written:
            return None
        newest = max(written, key=lambda path: written[path])
        return self._kept.get("newest", (newest, written[newest]), lambda: _load(newest, written[newest]))


def _load(about: Path, seconds: float) -> WalkForward:
    folder, moment = about.parent, datetime.fromtimestamp(seconds, UTC)
    run_id = folder.parent.name
    try:
        return WalkForward(run_id, moment, result_tables.load(folder))
    except ValueError as error:
        return WalkForward(run_id, moment, None, reason(error))


def evaluation_reader(folder: Path) -> PolledReader[EvaluationSource, str, WalkForward | None]:
    """Return a thread that reads the folder of the pipeline's runs."""

    @contextmanager
    def opened() -> Iterator[EvaluationSource]:
        yield EvaluationSource(folder)

    return PolledReader(
        opened, EvaluationSource.read, period_s=PERIOD_S, failures=(OSError,), describe=lambda error: f"{error}."
    )
