"""One run in MLflow, and what it can be told."""

import re
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from learning.tracking import Tracker

LONGEST = 6_000
"""Characters of a parameter that MLflow takes."""


class Run:
    """A run; `run_id` is None where the server was lost before, and then nothing that it is told goes anywhere.

    `address` is its page. Names keep letters, digits and ``_ - . : /`` and spaces. What is unknown (None, NaN) is not
    logged. A run that has ended still takes what is told of it.
    """

    def __init__(self, tracker: "Tracker", run_id: str | None, experiment: str | None) -> None:
        self.tracker = tracker
        self.run_id = run_id
        page = f"{tracker.uri}/#/experiments/{experiment}/runs/{run_id}?workflowType=machine_learning"
        self.address = page if run_id else None

    def params(self, values: Mapping[str, object]) -> None:
        """Log what the run was started with."""

        def ask(client: "MlflowClient", run_id: str) -> None:
            from mlflow.entities import Param  # noqa: PLC0415 - as in `Tracker.call`

            found = [Param(_named(key), str(value)[:LONGEST]) for key, value in values.items() if value is not None]
            client.log_batch(run_id, params=found)

        self._call(ask)

    def metric(self, name: str, value: float | None, step: int | None = None) -> None:
        """Log a number; values at several steps make a curve."""
        self.metrics({name: value}, step)

    def metrics(self, values: Mapping[str, float | None], step: int | None = None) -> None:
        """Log numbers of one moment."""

        def ask(client: "MlflowClient", run_id: str) -> None:
            from mlflow.entities import Metric  # noqa: PLC0415 - as in `Tracker.call`

            now = int(time.time() * 1_000)
            known = {name: value for name, value in values.items() if value is not None and isfinite(value)}
            found = [Metric(_named(name), float(value), now, step or 0) for name, value in known.items()]
            client.log_batch(run_id, metrics=found)

        self._call(ask)

    def tags(self, values: Mapping[str, str]) -> None:
        """Set tags; the tag ``mlflow.note.content`` is the description, in Markdown."""

        def ask(client: "MlflowClient", run_id: str) -> None:
            from mlflow.entities import RunTag  # noqa: PLC0415 - as in `Tracker.call`

            client.log_batch(run_id, tags=[RunTag(key, value) for key, value in values.items()])

        self._call(ask)

    def artifact(self, path: Path, folder: str | None = None) -> None:
        """Store a file, or all that lies in a folder, in a folder of the run's."""
        if path.is_dir():
            self._call(lambda client, run_id: client.log_artifacts(run_id, str(path), folder))
        else:
            self._call(lambda client, run_id: client.log_artifact(run_id, str(path), folder))

    def text(self, text: str, name: str) -> None:
        """Store a text as a file of that name."""
        self._call(lambda client, run_id: client.log_text(run_id, text, name))

    def table(self, columns: Mapping[str, Sequence[object]], name: str) -> None:
        """Store a table, which MLflow shows beside those of other runs, as a JSON file of that name."""
        with warnings.catch_warnings():
            # MLflow looks for pictures among columns of objects, and pandas says that texts will not be such for ever.
            warnings.filterwarnings("ignore", "For backward compatibility, 'str' dtypes are included")
            self._call(lambda client, run_id: client.log_table(run_id, dict(columns), name))

    def data(self, name: str, sha256: str, profile: str) -> None:
        """Say which data the run is about: their name, hash and, as JSON, what else is known of them."""

        def ask(client: "MlflowClient", run_id: str) -> None:
            from mlflow.entities import Dataset, DatasetInput  # noqa: PLC0415 - as in `Tracker.call`

            # MLflow takes a digest of 36 characters at most; the whole hash is the source.
            found = Dataset(name, sha256[:16], "sha256", sha256, profile=profile)
            client.log_inputs(run_id, datasets=[DatasetInput(found)])

        self._call(ask)

    def end(self, status: str) -> None:
        """End the run as ``FINISHED``, ``FAILED`` or ``KILLED``."""
        self._call(lambda client, run_id: client.set_terminated(run_id, status))

    def _call(self, ask: "Callable[[MlflowClient, str], object]") -> None:
        if self.run_id is not None:
            run_id = self.run_id
            self.tracker.call(lambda client: ask(client, run_id))


def _named(name: str) -> str:
    return re.sub(r"[^/\w.\- :]", "_", name)
