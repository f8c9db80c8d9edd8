"""The runs of a training of several models: one for all of it, and below it one for each model, with its curves."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from learning.tracking.log_training import FitLog, log_data, log_training
from learning.tracking.tracker import MlflowRun, Tracker
from models.registry import provenance
from models.registry.model_registry import Served


class TrainingRuns:
    """A run for each model, open from the beginning of its training to that of the next; `above` is the parent run."""

    def __init__(self, tracker: Tracker, above: MlflowRun) -> None:
        self.above = above
        self._tracker = tracker
        self._open = ExitStack()
        self._runs: dict[str, MlflowRun] = {}
        self._fits: dict[str, FitLog] = {}
        self._model = ""
        self._data_told = False

    def begin(self, model: str) -> None:
        """Open the run of a model."""
        self.end()
        run = self._open.enter_context(self._tracker.run(model, "train", parent=self.above))
        self._runs[model], self._fits[model], self._model = run, FitLog(run), model

    def on_message(self, words: str) -> None:
        """Log a training model's message about an epoch or round."""
        self._fits[self._model].told(words)

    def end(self) -> None:
        """Close the run that is open."""
        self._open.close()

    def stored(self, fitted: Served, folder: Path) -> None:
        """Log and register the version from a model's training, with the artifact and provenance in `folder`.

        Its curve is saved there too. Raises ValueError with one line if the provenance cannot be read.
        """
        model, version = fitted.name, fitted.version
        run, origin = self._runs[model], provenance.read(folder)
        self._fits[model].stored(model, folder)
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
