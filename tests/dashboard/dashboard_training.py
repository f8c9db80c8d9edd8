"""A run of the pipeline as the page sees one: its rows, its messages, and what its models log to MLflow."""

from collections.abc import Iterator
from contextlib import contextmanager
from math import exp
from pathlib import Path

from learning.runs import run_log
from learning.runs.lease import RunLease
from learning.runs.queue import Runs
from learning.runs.records import Options
from learning.tracking.log_training import FitLog
from learning.tracking.run import MlflowRun
from learning.tracking.tracker import Tracker

EPOCHS = 40


class Training:
    """A run that trains one model, and goes on when it is told to."""

    def __init__(self, lease: RunLease, run: MlflowRun, model: str, home: Path) -> None:
        self.lease, self.run, self.model = lease, run, model
        self.run_id = lease.run.run_id
        self.tell = run_log.writing(home / "pipeline" / self.run_id, lambda _: None)
        self.fit = FitLog(run, every_s=0.0)
        self.epoch = 0

    def advance(self, epochs: int) -> None:
        """Train so many epochs more."""
        for _ in range(epochs):
            self.epoch += 1
            loss = 0.5 + exp(-self.epoch / 12)
            held_out = 0.55 + exp(-self.epoch / 9) + 4e-4 * max(0, self.epoch - 20) ** 2
            words = f"epoch {self.epoch} of {EPOCHS}: loss {loss:.6f}, held out {held_out:.6f}"
            self.fit.told(words)
            self.tell(f"{self.model}: {words}")


@contextmanager
def training(url: str, mlflow: str, home: Path, model: str = "lstm") -> Iterator[Training]:
    """Begin a run whose lease this process holds; it is in the step `train` of its model."""
    tracker = Tracker(mlflow)
    with Runs(url).begun("by hand", "user", None, Options(models=[model], tune=0)) as lease:
        run_id = lease.run.run_id
        with tracker.run(f"pipeline {run_id}", "pipeline") as above:
            lease.tracked(above.run_id)
            for step in ("load", "check", "features"):
                with lease.step(step):
                    pass
            with lease.step("train", model), tracker.run(f"{model} {run_id}", "train", parent=above) as run:
                made = Training(lease, run, model, home)
                made.tell("train")
                made.tell(f"fitting {model}")
                yield made
            made.tell(f"{model} is fitted (1 of 1)")
            with tracker.run(model, "train", run_id=run.run_id) as run:
                for split in (1, 2):
                    run.metrics({"by split: pinball loss against naive percent/05 bars ahead": -0.4 * split}, split)
        lease.finish()
