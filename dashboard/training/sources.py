"""What the training page reads: the pipeline's runs in the database, curves in MLflow, and files of this machine."""

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
RUNS_FAIL = (StorageError,)
MLFLOW_FAILS = (TrackingError,)

CurveKey = tuple[str, str]
"""A run's id and a metric."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The curves that a page shows: of these runs those metrics that they have."""

    runs: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Tracked:
    """The runs of a source, the newest first, and the curves that were asked for."""

    runs: tuple[LoggedRun, ...]
    curves: Mapping[CurveKey, Curve]


@dataclass(frozen=True, eq=False)
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


@dataclass
class MlflowSource:
    """A server with the curves that were read: one is read again when its run has logged another value."""

    reader: MlflowReader
    kept: dict[CurveKey, tuple[object, Curve]] = field(default_factory=dict)

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
        key, last = (run.run_id, metric), (run.logged_at.get(metric), run.metrics[metric])
        stamp, curve = self.kept.pop(key, (None, None))
        if curve is None or stamp != last:
            curve = self.reader.curve(*key)
        self.kept[key] = (last, curve)
        while len(self.kept) > MOST_CURVES:
            del self.kept[next(iter(self.kept))]
        return curve


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
