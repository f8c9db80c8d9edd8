"""The production pipeline: from stored bars to versions that challenge the champions."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import psycopg

from features.definition import FILE
from learning.runs import run_log
from learning.runs.lease import RunLease
from learning.runs.queue import Runs
from learning.runs.records import Options, Step
from learning.runs.report import Report, outcomes
from learning.runs.stop import RunStopped, stopping
from learning.runs.work import Work
from learning.steps.check import check
from learning.steps.deploy import deploy
from learning.steps.evaluate import evaluate
from learning.steps.features import features
from learning.steps.load import load
from learning.steps.register import register
from learning.steps.train import train
from learning.steps.tune import tune
from learning.tracking.tracker import MlflowRun, Tracker
from learning.training.history import newest_bar
from models.registry import model_registry
from models.registry.names import DEFAULT_MODELS
from settings import Settings
from storage.errors import StorageError, place, reason
from storage.timescale import migrate

STEPS: dict[str, Callable[[Work], None]] = {
    "load": load,
    "check": check,
    "features": features,
    "tune": tune,
    "train": train,
    "evaluate": evaluate,
    "register": register,
    "deploy": deploy,
}
"""The steps in their order."""


class ProductionPipeline:
    """One run of the pipeline: see `learning.runs.records.Options`.

    `on_message` gets progress messages, `warned` warnings, `recorded` each step as it begins and ends.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        files: Sequence[Path] = (),
        models: Sequence[str] = (),
        tune: int = 0,
        days: float | None = None,
        seed: int = 0,
        on_message: Callable[[str], None] = lambda _: None,
        warned: Callable[[str], None] = lambda _: None,
        recorded: Callable[[Step], None] = lambda _: None,
    ) -> None:
        self.settings = settings or Settings()
        self.on_message, self.warned, self.recorded = on_message, warned, recorded
        self.run_id: str | None = None
        paths = [str(path.resolve()) for path in files]
        self.options = Options(files=paths, models=list(models), tune=tune, days=days, seed=seed)

    def run_complete_pipeline(self, run_id: str | None = None) -> Report:
        """Do every step and return the report; with a `run_id`, resume that run with its options.

        A step that fails ends the run as failed, as the report shows. Raises ValueError with one line if a model or
        file is unknown or the run cannot be resumed, and StorageError if the database is away: then the run can be
        resumed.
        """
        url = self.settings.database_url.get_secret_value()
        migrate(url)
        runs = Runs(url)
        model_registry.classes(self.options.models)
        missing = next((name for name in self.options.files if not Path(name).is_file()), None)
        if missing is not None:
            raise ValueError(f"{missing}: no such file")
        taken: AbstractContextManager[RunLease] = (
            runs.begun("by hand", "user", _newest_bar(self.settings), self.options)
            if run_id is None
            else runs.resumed(run_id)
        )
        with taken as lease:
            lease.on_message, self.run_id = self.recorded, lease.run.run_id
            try:
                return complete(self.settings, lease, self.on_message, self.warned)
            except KeyboardInterrupt:
                lease.finish("stopped by the user")  # else a trainer would resume it
                raise


def complete(
    settings: Settings,
    lease: RunLease,
    on_message: Callable[[str], None] = lambda _: None,
    warned: Callable[[str], None] = lambda _: None,
) -> Report:
    """Do the steps of a run leased by this process, and record its end. Raises StorageError as above."""
    run = lease.run
    tracker = Tracker(
        settings.mlflow_uri.get_secret_value(), lambda line: warned(f"{line}: this run is no longer tracked")
    )
    tags = {"why": run.why, "requested by": run.requested_by, "run": run.run_id}
    with tracker.run(f"pipeline {run.run_id}", "pipeline", tags=tags, run_id=run.mlflow_run_id) as tracked:
        lease.tracked(tracked.run_id)
        work = Work(settings=settings, lease=lease, tracker=tracker, run=tracked, on_message=on_message, warned=warned)
        work.on_message = stopping(lease, run_log.writing(work.folder, on_message))
        error = _all_steps(work)
        _summary(work, tracked)
        if error is not None:
            tracked.tags({"error": error})
    lease.finish(error)
    if error is None:
        work.tidy()
    pipeline_run, steps = Runs(settings.database_url.get_secret_value()).shown(run.run_id)
    return Report(pipeline_run, steps, outcomes(work))


def _all_steps(work: Work) -> str | None:
    """Do every step; return in a line why one failed, None if all succeeded."""
    name = "models"
    try:
        work.classes = _chosen(work.settings, work.lease.run.options)
        for name, step in STEPS.items():
            work.on_message(name)
            step(work)
    except StorageError:
        raise
    except RunStopped as stopped:
        return f"{name}: stopped by {stopped}"
    except Exception as error:  # noqa: BLE001 - whatever it is, it ends the run, and is recorded with it
        return f"{name}: {reason(error)}"
    return None


def _chosen(settings: Settings, options: Options) -> dict[str, model_registry.ServedClass]:
    """Return the models to train: those named, those in service, or those that would be."""
    names: Sequence[str] = options.models
    folder = settings.home / "models"
    if not names and (folder / FILE).exists() and (folder / model_registry.SERVING).exists():
        names = list(model_registry.serving(folder))
    return model_registry.classes(names or settings.models or DEFAULT_MODELS)


def _summary(work: Work, tracked: MlflowRun) -> None:
    """Log the run's options and results to MLflow."""
    options, origin = work.lease.run.options, work.origin
    tracked.params({"models": ", ".join(work.classes), "tune": options.tune, "seed": options.seed})
    if origin is not None:
        tracked.params({"symbols": ", ".join(origin.symbols), "bars": origin.rows, "features": origin.fingerprint})
        tracked.params({"data sha256": origin.data_sha256})
    tracked.metrics({f"skill/{name}": skill.mean for name, skill in work.skills.items()})
    tracked.tags({f"deployed {name}": f"{one.role}: {one.why}" for name, one in work.deployed.items()})
    tracked.tags({f"failed {name}": line for name, line in work.failures.items()})


def _newest_bar(settings: Settings) -> int | None:
    url = settings.database_url.get_secret_value()
    try:
        with psycopg.connect(url) as connection:
            return newest_bar(connection, settings.interval)
    except psycopg.Error as error:
        raise StorageError(f"the bars at {place(url)} cannot be read: {reason(error)}") from None
