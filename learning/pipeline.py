"""The production pipeline: from what the stream has persisted to versions that challenge the champions."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import psycopg

from features.definition import FILE
from learning.held import Held
from learning.history import newest_bar
from learning.report import Report, outcomes
from learning.run_records import Options, Step
from learning.runs import Runs
from learning.steps.check import check
from learning.steps.deploy import deploy
from learning.steps.evaluate import evaluate
from learning.steps.features import features
from learning.steps.load import load
from learning.steps.register import register
from learning.steps.train import train
from learning.steps.tune import tune
from learning.tracking import Run, Tracker
from learning.work import Work
from models import registry
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
"""In the order in which they are done."""


class ProductionPipeline:
    """One run of the pipeline: see `learning.run_records.Options` for what may be asked.

    `told` hears in words what is done next, `warned` of what is amiss and stops nothing, `recorded` of each step as it
    begins and ends.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        files: Sequence[Path] = (),
        models: Sequence[str] = (),
        tune: int = 0,
        days: float | None = None,
        seed: int = 0,
        told: Callable[[str], None] = lambda _: None,
        warned: Callable[[str], None] = lambda _: None,
        recorded: Callable[[Step], None] = lambda _: None,
    ) -> None:
        self.settings = settings or Settings()
        self.told, self.warned, self.recorded = told, warned, recorded
        self.run_id: str | None = None
        paths = [str(path.resolve()) for path in files]
        self.options = Options(paths, list(models), tune, days, seed=seed)

    def run_complete_pipeline(self, run_id: str | None = None) -> Report:
        """Do every step and return what came of it; with a `run_id`, go on with that run as it was asked for.

        A step that cannot be done ends the run as failed, which the report tells. Raises ValueError with one line
        where a model or file is unknown or the run cannot be resumed, and StorageError where the database is away: then
        the run can be resumed.
        """
        url = self.settings.database_url.get_secret_value()
        migrate(url)
        runs = Runs(url)
        registry.classes(self.options.models)
        missing = next((name for name in self.options.files if not Path(name).is_file()), None)
        if missing is not None:
            raise ValueError(f"{missing}: no such file")
        taken: AbstractContextManager[Held] = (
            runs.begun("by hand", "user", _newest_bar(self.settings), self.options)
            if run_id is None
            else runs.resumed(run_id)
        )
        with taken as held:
            held.told, self.run_id = self.recorded, held.run.run_id
            try:
                return complete(self.settings, held, self.told, self.warned)
            except KeyboardInterrupt:
                held.finish("stopped by the user")  # else a trainer would go on with it
                raise


def complete(
    settings: Settings,
    held: Held,
    told: Callable[[str], None] = lambda _: None,
    warned: Callable[[str], None] = lambda _: None,
) -> Report:
    """Do the steps of a run that this process holds, and write down how it ended. Raises StorageError as above."""
    run = held.run
    tracker = Tracker(
        settings.mlflow_uri.get_secret_value(), lambda line: warned(f"{line}: this run is not tracked any further")
    )
    tags = {"why": run.why, "requested by": run.requested_by, "run": run.run_id}
    with tracker.run(f"pipeline {run.run_id}", "pipeline", tags=tags, run_id=run.mlflow_run_id) as tracked:
        held.tracked(tracked.run_id)
        work = Work(settings, held, tracker, tracked, told, warned)
        error = _all_steps(work)
        _summary(work, tracked)
        if error is not None:
            tracked.tags({"error": error})
    held.finish(error)
    if error is None:
        work.tidy()
    found, steps = Runs(settings.database_url.get_secret_value()).shown(run.run_id)
    return Report(found, steps, outcomes(work))


def _all_steps(work: Work) -> str | None:
    """Do every step; return in a line why one could not be done, None where all were."""
    name = "models"
    try:
        work.classes = _chosen(work.settings, work.held.run.options)
        for name, step in STEPS.items():
            work.told(name)
            step(work)
    except StorageError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, it ends the run, and is recorded with it
        return f"{name}: {reason(error)}"
    return None


def _chosen(settings: Settings, options: Options) -> dict[str, type[Any]]:
    """Return the models to train: those named, those in service, or those that would be."""
    names: Sequence[str] = options.models
    folder = settings.home / "models"
    if not names and (folder / FILE).exists() and (folder / registry.SERVING).exists():
        names = list(registry.serving(folder))
    return registry.classes(names or settings.models or registry.MODELS)


def _summary(work: Work, tracked: Run) -> None:
    """Tell MLflow what the run was asked, and what it made."""
    options, origin = work.held.run.options, work.origin
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
