"""A run of the pipeline that trains one model, epoch by epoch, as the training page sees one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from learning.runs import run_log
from learning.runs.queue import Runs
from learning.runs.records import Options
from learning.tracking.log_training import FitLog
from learning.tracking.tracker import Tracker
from settings import Settings

EPOCHS = 1_000_000
MODEL = "lstm"
Step = Callable[[int], None]


@contextmanager
def training(settings: Settings) -> Iterator[tuple[Step, Step]]:
    """Begin a run; give what writes an epoch into its log, and what logs an epoch to MLflow."""
    tracker = Tracker(settings.mlflow_uri.get_secret_value())
    url = settings.database_url.get_secret_value()
    with Runs(url).begun("bench", "user", None, Options(models=[MODEL], tune=0)) as lease:
        run_id = lease.run.run_id
        tell = run_log.writing(settings.home / "pipeline" / run_id, lambda _: None)
        with tracker.run(f"pipeline {run_id}", "pipeline") as above:
            lease.tracked(above.run_id)
            with lease.step("train", MODEL), tracker.run(f"{MODEL} {run_id}", "train", parent=above) as run:
                fit = FitLog(run, every_s=0.0)
                yield lambda epoch: tell(f"{MODEL}: {_words(epoch)}"), lambda epoch: fit.told(_words(epoch))
        lease.finish()


def _words(epoch: int) -> str:
    return f"epoch {epoch} of {EPOCHS}: loss {0.5 + 1 / epoch:.6f}, held out {0.55 + 1 / epoch:.6f}"
