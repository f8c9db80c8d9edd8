"""What the training page reads: the pipeline's runs in the database, curves in MLflow, and files of this machine."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from learning.errors import TrackingError
from learning.runs import run_log
from learning.runs.queue import Runs
from learning.runs.records import Overview
from learning.runs.run_log import LogLine
from learning.tracking import learning_curve
from learning.tracking.mlflow_reader import Curve, LoggedRun, MlflowReader, curve_of
from storage.errors import StorageError

STORED = "stored"
"""The kind of a run that is known only by a stored version's curve."""
MOST_VERSIONS = 50
MOST_CURVES = 500
WHOLE_S = 60.0
"""A curve that grows is read whole again after so long."""
RUNS_FAIL = (StorageError,)
MLFLOW_FAILS = (TrackingError,)

CurveKey = tuple[str, str]
"""A run's id and a metric."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The curves that a page shows: of these runs those metrics that they have."""

    runs: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tracked:
    """The runs of a source, the newest first, and the curves that were asked for."""

    runs: tuple[LoggedRun, ...]
    curves: Mapping[CurveKey, Curve]


@dataclass(frozen=True)
class Stored:
    """What is in files: versions' curves as runs, and the last messages of a run of the pipeline."""

    tracked: Tracked
    lines: tuple[LogLine, ...]


@contextmanager
def runs_source(url: str) -> Iterator[Runs]:
    """Give the log of runs; it connects for each question."""
    yield Runs(url)


def read_runs(runs: Runs, run_id: str | None) -> Overview:
    """Return the last runs of the pipeline, and one of them with its steps."""
    return runs.overview(run_id)


@dataclass(frozen=True)
class Read:
    """A curve, what its run had logged of it by then, and when it was last read whole (by the monotonic clock)."""

    stamp: object
    curve: Curve
    whole_at: float


@dataclass
class MlflowSource:
    """A server with the curves that were read: one is read again when its run has logged another value.

    Of a run that goes on only what is new is read, and now and then the whole: an earlier step may come late.
    """

    reader: MlflowReader
    kept: dict[CurveKey, Read] = field(default_factory=dict)

    def read(self, wanted: Wanted) -> Tracked:
        """Return the runs, and the curves that are wanted."""
        runs = self.reader.runs()
        curves: dict[CurveKey, Curve] = {}
        for run in runs:
            if run.run_id in wanted.runs:
                for metric in wanted.metrics:
                    if metric in run.metrics:
                        curves[run.run_id, metric] = self._curve(run, metric)
        return Tracked(tuple(runs), curves)

    def _curve(self, run: LoggedRun, metric: str) -> Curve:
        key, logged_at = (run.run_id, metric), run.logged_at.get(metric)
        stamp = (logged_at, run.metrics[metric], run.running)
        read = self.kept.pop(key, None)
        if read is None or read.stamp != stamp:
            longer = self._longer(key, read, logged_at) if run.running else None
            whole_at = read.whole_at if read and longer else time.monotonic()
            read = Read(stamp, longer or self.reader.curve(*key), whole_at)
        self.kept[key] = read
        while len(self.kept) > MOST_CURVES:
            del self.kept[next(iter(self.kept))]
        return read.curve

    def _longer(self, key: CurveKey, read: Read | None, logged_at: tuple[int, int] | None) -> Curve | None:
        """Return what was read with what is new; None where the whole is to be read."""
        if read is None or logged_at is None or not len(read.curve.step) or time.monotonic() - read.whole_at > WHOLE_S:
            return None
        return self.reader.longer(*key, read.curve, logged_at[0]) if logged_at[0] > read.curve.step[-1] else None


@contextmanager
def mlflow_source(uri: str) -> Iterator[MlflowSource]:
    """Give a server; it is asked anew for each answer."""
    yield MlflowSource(MlflowReader(uri))


@dataclass
class Files:
    """The folder of this machine's versions and runs, with the curves that were read by their files' times."""

    home: Path
    kept: dict[Path, tuple[float, LoggedRun, dict[CurveKey, Curve]]] = field(default_factory=dict)

    def read(self, run_id: str | None) -> Stored:
        """Return the curves of the newest versions, and the messages of a run."""
        lines = tuple(run_log.tail(self.home / "pipeline" / run_id)) if run_id else ()
        found = sorted(self.home.glob(f"models/*/*/{learning_curve.FILE}"), key=_changed, reverse=True)
        runs: list[LoggedRun] = []
        curves: dict[CurveKey, Curve] = {}
        for path in found[:MOST_VERSIONS]:
            changed = _changed(path)
            if path not in self.kept or self.kept[path][0] != changed:
                self.kept[path] = (changed, *_stored(path.parent, changed))
            runs.append(self.kept[path][1])
            curves |= self.kept[path][2]
        return Stored(Tracked(tuple(runs), curves), lines)


@contextmanager
def files_source(home: Path) -> Iterator[Files]:
    """Give the folder."""
    yield Files(home)


def _changed(path: Path) -> float:
    return path.stat().st_mtime


def _stored(folder: Path, changed: float) -> tuple[LoggedRun, dict[CurveKey, Curve]]:
    """Return a version as the run that made it, as far as its files tell."""
    model, version = folder.parent.name, folder.name
    curves = {name: curve_of(points) for name, points in learning_curve.Curve.load(folder).metrics().items()}
    run = LoggedRun(
        run_id=f"{STORED}:{model}/{version}",
        name=f"{model} {version}",
        kind=STORED,
        status="FINISHED",
        started_at=None,
        ended_at=int(changed * 1_000),
        parent=None,
        version=version,
        metrics={name: float(curve.value[-1]) for name, curve in curves.items()},
        params={},
    )
    return run, {(run.run_id, name): curve for name, curve in curves.items()}
