"""Runs in MLflow: what a training or an evaluation did, with what, and what came of it.

By MLflow's plain client, which keeps nothing for the process as a whole: several runs may be open at the same time.
"""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import unquote, urlsplit
from urllib.request import urlopen

from learning import aliases, versions
from learning.code import commit, package_version
from learning.errors import TrackingError
from learning.run import Run
from learning.sampler import Sampler
from topics.records import Deployment

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = ["Run", "Tracker", "TrackingError"]

T = TypeVar("T")

EXPERIMENT = "foretick"
PATIENCE = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "10", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"}
"""A server that is away costs seconds: by itself MLflow would try for minutes."""
SILENT = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true"}


class Tracker:
    """The runs and the registered models of one MLflow server, at `uri`, which is fit to be shown.

    The address given may hold user and password; MLflow's client gets these by the environment of this process, and
    names them in no message. Others' ways to sign in (MLFLOW_TRACKING_TOKEN) are the user's own.
    Where the server fails, TrackingError is raised; or, where `lost` is given, that is told its line once, and nothing
    more is tracked.
    """

    def __init__(self, uri: str, lost: Callable[[str], None] | None = None) -> None:
        parts = urlsplit(uri)
        self.uri = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        login = {"MLFLOW_TRACKING_USERNAME": parts.username, "MLFLOW_TRACKING_PASSWORD": parts.password}
        self._login = {name: unquote(text) for name, text in login.items() if text}
        self._lost = lost
        self._gone = False
        self._client: MlflowClient | None = None

    def leave(self) -> None:
        """Track nothing from now on, and tell nobody."""
        self._gone = True

    def reachable(self) -> bool:
        """Tell whether a server answers there, within a second."""
        parts = urlsplit(self.uri)
        if parts.scheme not in ("http", "https"):
            return False
        place = parts._replace(path=f"{parts.path.rstrip('/')}/health")
        try:
            with urlopen(place.geturl(), timeout=1) as reply:  # noqa: S310 - the scheme is checked above
                return bool(reply.read(10) == b"OK")
        except (OSError, ValueError):
            return False

    @contextmanager
    def run(
        self,
        name: str,
        kind: str,
        *,
        parent: Run | str | None = None,
        tags: Mapping[str, str] | None = None,
        run_id: str | None = None,
    ) -> Iterator[Run]:
        """Open a run of a kind (``train``, ``evaluate``, ...), below another or alone, or go on with that of `run_id`.

        It ends as finished, or as failed where the block raises.
        """
        above = parent.run_id if isinstance(parent, Run) else parent
        found = self.call(lambda client: _open(client, name, kind, above, tags or {}, run_id))
        run = Run(self, *(found or (None, None)))
        sampler = Sampler(run.metrics) if run.run_id else None
        status = "FINISHED"
        try:
            yield run
        except BaseException as error:
            status = "FAILED" if isinstance(error, Exception) else "KILLED"
            raise
        finally:
            if sampler:
                sampler.stop()
            # What went wrong in the block is to be heard, not that the server cannot be told of it.
            with suppress(*(() if status == "FINISHED" else (TrackingError,))):
                run.end(status)

    def register(
        self, model: str, version: str, folder: Path, run_id: str | None = None, tags: Mapping[str, str] | None = None
    ) -> None:
        """Register a version of a model once, with what lies in `folder`, as the work of a run.

        Without `run_id` a run is made to hold the files. A version that is registered stays as it is.
        """
        if self.call(lambda client: versions.numbers(client, model).get(version)) is not None:
            return
        if run_id is None:
            with self.run(f"{model} {version}", "register") as run:
                run_id = run.run_id
        if run_id is not None:
            owner = run_id
            self.call(lambda client: versions.register(client, model, version, folder, owner, tags or {}))

    def align(self, deployments: Mapping[str, Deployment], models: Path | None = None) -> None:
        """Let the aliases champion, challenger and shadow of each model stand where the newest deployments say.

        Further challengers are challenger-2 and so on. A version that is not registered yet is, from the artifacts
        below `models`; where there are none, its alias stands nowhere.
        """
        for deployment in deployments.values():
            wanted = aliases.wanted(deployment)
            for version in dict.fromkeys(wanted.values()):
                folder = models / deployment.model / version if models else None
                if folder and folder.exists():
                    self.register(deployment.model, version, folder)
            self.call(lambda client, d=deployment, w=wanted: aliases.align(client, d.model, w))  # type: ignore[misc]

    def call(self, ask: Callable[["MlflowClient"], T]) -> T | None:
        """Ask the server; None once it is lost. Raises TrackingError where nobody is to be told of that."""
        if self._gone:
            return None
        import requests  # noqa: PLC0415 - with MLflow: seconds that only who tracks is to pay
        from mlflow.exceptions import MlflowException  # noqa: PLC0415

        try:
            return ask(self._connected())
        except (MlflowException, requests.RequestException) as error:
            line = f"MLflow at {self.uri}: {_reason(error)}"
            if self._lost is None:
                raise TrackingError(line) from error
            if not self._gone:
                self._gone = True
                self._lost(line)
            return None

    def _connected(self) -> "MlflowClient":
        os.environ.update(self._login)
        if self._client is None:
            for name, value in (PATIENCE | SILENT).items():
                os.environ.setdefault(name, value)
            from mlflow import MlflowClient  # noqa: PLC0415 - seconds

            self._client = MlflowClient(self.uri, self.uri)
        return self._client


def _open(
    client: "MlflowClient", name: str, kind: str, parent: str | None, tags: Mapping[str, str], run_id: str | None
) -> tuple[str, str]:
    """Return the ids of a run that is open now, and of its experiment."""
    if run_id is not None:
        client.update_run(run_id, status="RUNNING")
        return run_id, str(client.get_run(run_id).info.experiment_id)
    above = {"mlflow.parentRunId": parent} if parent else {}
    code = {"mlflow.source.git.commit": commit(), "package": package_version()}
    own = {"mlflow.source.name": Path(sys.argv[0]).name, "mlflow.source.type": "LOCAL", "kind": kind}
    found = {**{key: value for key, value in code.items() if value}, **own, **above, **tags}
    experiment = _experiment(client)
    return str(client.create_run(experiment, tags=found, run_name=name).info.run_id), experiment


def _experiment(client: "MlflowClient") -> str:
    """Return the id of our experiment, made where it is not there."""
    from mlflow.exceptions import MlflowException  # noqa: PLC0415 - as in `Tracker.call`

    found = client.get_experiment_by_name(EXPERIMENT)
    if found is not None:
        return str(found.experiment_id)
    try:
        # MLflow asks whoever looks what the experiment is about, unless it is told.
        return client.create_experiment(EXPERIMENT, tags={"mlflow.experimentKind": "custom_model_development"})
    except MlflowException:  # another process was faster, or there is no answer, which the next line tells
        return str(client.get_experiment_by_name(EXPERIMENT).experiment_id)  # type: ignore[union-attr]


def _reason(error: BaseException) -> str:
    """Return in a line why a call came to nothing."""
    import requests  # noqa: PLC0415 - as in `Tracker.call`

    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, requests.ConnectionError | requests.Timeout):
            return "no answer"
        cause = cause.__cause__ or cause.__context__
    return " ".join(str(error).split())[:300]
