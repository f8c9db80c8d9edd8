"""One run in MLflow, and its logging functions."""

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from learning import pages

if TYPE_CHECKING:
    from mlflow import MlflowClient

LONGEST = 6_000
"""The most characters of a parameter in MLflow."""
MOST_METRICS = 1_000
"""The most numbers that MLflow accepts at once."""
TABLES = "mlflow.loggedArtifacts"
"""The tag from which MLflow's page reads the list of tables."""


class Server(Protocol):
    """The MLflow server that a run is on: `learning.tracking.tracker.Tracker`."""

    uri: str

    def call(self, ask: "Callable[[MlflowClient], object]") -> object:
        """Call it; None once it is lost."""


class MlflowRun:
    """A run; `run_id` is None if the server was lost before, and then nothing is logged.

    `address` is its page. Names keep letters, digits and ``_ - . : /`` and spaces. Unknown values (None, NaN) are not
    logged. A run that has ended can still be logged to.
    """

    def __init__(self, tracker: Server, run_id: str | None, experiment: str | None) -> None:
        self.tracker = tracker
        self.run_id = run_id
        self.address = tracker.uri + pages.run(experiment, run_id) if experiment and run_id else None

    def params(self, values: Mapping[str, object]) -> None:
        """Log the run's parameters."""

        def ask(client: "MlflowClient", run_id: str) -> None:
            from mlflow.entities import Param  # noqa: PLC0415 - as in `Tracker.call`

            results = [Param(_named(key), str(value)[:LONGEST]) for key, value in values.items() if value is not None]
            client.log_batch(run_id, params=results)

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
            results = [Metric(_named(name), float(value), now, step or 0) for name, value in known.items()]
            client.log_batch(run_id, metrics=results)

        self._call(ask)

    def curves(self, curves: Mapping[str, Sequence[tuple[int, float]]]) -> None:
        """Log numbers at several steps at once."""

        def ask(client: "MlflowClient", run_id: str) -> None:
            from mlflow.entities import Metric  # noqa: PLC0415 - as in `Tracker.call`

            now = int(time.time() * 1_000)
            every = [(name, *point) for name, points in curves.items() for point in points]
            results = [Metric(_named(name), value, now, step) for name, step, value in every if isfinite(value)]
            for first in range(0, len(results), MOST_METRICS):
                client.log_batch(run_id, metrics=results[first : first + MOST_METRICS])

        self._call(ask)

    def tags(self, values: Mapping[str, str]) -> None:
        """Set tags; the tag ``mlflow.note.content`` is the description, in Markdown."""

        def ask(client: "MlflowClient", run_id: str) -> None:
            from mlflow.entities import RunTag  # noqa: PLC0415 - as in `Tracker.call`

            client.log_batch(run_id, tags=[RunTag(key, value) for key, value in values.items()])

        self._call(ask)

    def artifact(self, path: Path, folder: str | None = None) -> None:
        """Store a file, or the files of a folder, in a folder of the run."""
        if path.is_dir():
            self._call(lambda client, run_id: client.log_artifacts(run_id, str(path), folder))
        else:
            self._call(lambda client, run_id: client.log_artifact(run_id, str(path), folder))

    def text(self, text: str, name: str) -> None:
        """Store a text as a file of that name."""
        self._call(lambda client, run_id: client.log_text(run_id, text, name))

    def table(self, columns: Mapping[str, Sequence[object]], name: str) -> None:
        """Store a table, which MLflow compares with those of other runs, as a JSON file of that name.

        An existing one is replaced: MLflow's own `log_table` would append to it.
        """
        rows = [list(row) for row in zip(*columns.values(), strict=True)]
        text = json.dumps({"columns": list(columns), "data": rows}, default=float)

        def ask(client: "MlflowClient", run_id: str) -> None:
            client.log_text(run_id, text, name)
            known = json.loads(client.get_run(run_id).data.tags.get(TABLES, "[]"))
            if all(one.get("path") != name for one in known):
                client.set_tag(run_id, TABLES, json.dumps([*known, {"path": name, "type": "table"}]))

        self._call(ask)

    def data(self, name: str, sha256: str, profile: str) -> None:
        """Set the run's data: their name, hash and, as JSON, other properties."""

        def ask(client: "MlflowClient", run_id: str) -> None:
            from mlflow.entities import Dataset, DatasetInput  # noqa: PLC0415 - as in `Tracker.call`

            # MLflow takes a digest of 36 characters at most; the whole hash is the source.
            result = Dataset(name, sha256[:16], "sha256", sha256, profile=profile)
            client.log_inputs(run_id, datasets=[DatasetInput(result)])

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
