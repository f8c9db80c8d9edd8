"""The runs of a training of several models: one for all of it, and below it one for each model, with its curves."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from learning.log_training import epochs, log_data, log_training
from learning.tracking import Run, Tracker
from models import provenance


class TrainingRuns:
    """A run for each model, open from the begin of its training to that of the next; `above` is the run of all."""

    def __init__(self, tracker: Tracker, above: Run) -> None:
        self.above = above
        self._tracker = tracker
        self._open = ExitStack()
        self._runs: dict[str, Run] = {}
        self._data_told = False
        self._told: Callable[[str], None] = lambda _: None

    def begin(self, model: str) -> None:
        """Open the run of a model."""
        self.end()
        run = self._open.enter_context(self._tracker.run(model, "train", parent=self.above))
        self._runs[model], self._told = run, epochs(run)

    def told(self, words: str) -> None:
        """Take the words of the model in training on an epoch."""
        self._told(words)

    def end(self) -> None:
        """Close the run that is open."""
        self._open.close()

    def stored(self, model: str, version: str, folder: Path) -> None:
        """Log and register the version that came of a model's training, with the artifact and provenance in `folder`.

        Raises ValueError with one line where the provenance cannot be read.
        """
        run, origin = self._runs[model], provenance.read(folder)
        if origin is not None:
            log_training(run, model, version, origin)
            if not self._data_told:
                log_data(self.above, origin)
                self._data_told = True
        if run.run_id is not None:
            self._tracker.register(model, version, folder, run.run_id)


@contextmanager
def training_runs(tracker: Tracker, name: str) -> Iterator[TrainingRuns]:
    """Open the run of a training of several models; those of its models end with it."""
    with tracker.run(name, "train") as above:
        runs = TrainingRuns(tracker, above)
        with runs._open:
            yield runs
