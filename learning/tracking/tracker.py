"""Runs in MLflow: inputs and results of a training or an evaluation.

Uses MLflow's plain client, which has no process-wide state: several runs may be open at the same time.
"""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import unquote, urlsplit
from urllib.request import urlopen

from learning import pages
from learning.errors import TrackingError
from learning.tracking import aliases, registered_versions
from learning.tracking.code_version import commit
from learning.tracking.run import MlflowRun
from learning.tracking.system_metrics import Sampler
from settings.version import package_version
from topics.records import Deployment

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = ["MlflowRun", "Tracker", "TrackingError"]

T = TypeVar("T")

PATIENCE = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "10", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"}
"""Limits the time for an absent server to seconds: by default MLflow retries for minutes."""
SILENT = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true"}


class Tracker:
    """The runs and the registered models of one MLflow server, at `uri`, which has no password.

    The given address may contain user and password; MLflow's client gets these by the environment of this process, and
    does not print them. Other credentials (MLFLOW_TRACKING_TOKEN) are left to the user. If the server fails,
    TrackingError is raised; or, if `lost` is given, that is called with the message once, and nothing more is tracked.
    """

    def __init__(self, uri: str, lost: Callable[[str], None] | None = None) -> None:
        parts = urlsplit(uri)
        self.uri = pages.without_login(uri)
        login = {"MLFLOW_TRACKING_USERNAME": parts.username, "MLFLOW_TRACKING_PASSWORD": parts.password}
        self._login = {name: unquote(text) for name, text in login.items() if text}
        self._lost = lost
        self._gone = False
        self._client: MlflowClient | None = None

    def leave(self) -> None:
        """Track nothing from now on, silently."""
        self._gone = True

    def reachable(self) -> bool:
        """Return whether a server answers there, within a second."""
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
        parent: MlflowRun | str | None = None,
        tags: Mapping[str, str] | None = None,
        run_id: str | None = None,
    ) -> Iterator[MlflowRun]:
        """Open a run of a kind (``train``, ``evaluate``, ...), below another or alone, or continue that of `run_id`.

        It ends as finished, or as failed if the block raises.
        """
        above = parent.run_id if isinstance(parent, MlflowRun) else parent
        results = self.call(lambda client: _open(client, name, kind, above, tags or {}, run_id))
        run = MlflowRun(self, *(results or (None, None)))
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
            # The block's error must be raised, not the error of logging it.
            with suppress(*(() if status == "FINISHED" else (TrackingError,))):
                run.end(status)

    def register(
        self, model: str, version: str, folder: Path, run_id: str | None = None, tags: Mapping[str, str] | None = None
    ) -> None:
        """Register a version of a model once, with the files in `folder`, as the result of a run.

        Without `run_id` a run is created for the files and the provenance of the training. A registered version is not
        changed.
        """
        if self.call(lambda client: registered_versions.numbers(client, model).get(version)) is not None:
            return
        if run_id is None:
            from learning.tracking.log_version import log_version  # noqa: PLC0415 - what evaluates, for its plots: 30 MB

            with self.run(f"{model} {version}", "register") as run:
                log_version(run, model, version, folder)
                run_id = run.run_id
        if run_id is not None:
            owner = run_id
            self.call(lambda client: registered_versions.register(client, model, version, folder, owner, tags or {}))

    def align(self, deployments: Mapping[str, Deployment], models: Path | None = None) -> None:
        """Set the aliases champion, challenger and standby of each model by the newest deployments.

        Further challengers are challenger-2 and so on. An unregistered version is registered from the artifacts below
        `models`; without artifacts it has no alias.
        """
        for deployment in deployments.values():
            wanted = aliases.wanted(deployment)
            for version in dict.fromkeys(wanted.values()):
                folder = models / deployment.model / version if models else None
                if folder and folder.exists():
                    self.register(deployment.model, version, folder)
            self.call(lambda client, d=deployment, w=wanted: aliases.align(client, d.model, w))  # type: ignore[misc] # mypy infers no type for a default that binds the loop's variable

    def call(self, ask: Callable[["MlflowClient"], T]) -> T | None:
        """Call the server; None once it is lost. Raises TrackingError without `lost`."""
        if self._gone:
            return None
        import requests  # noqa: PLC0415 - with MLflow: seconds that only who tracks is to pay
        from mlflow.exceptions import MlflowException  # noqa: PLC0415 - likewise

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
    values = {**{key: value for key, value in code.items() if value}, **own, **above, **tags}
    experiment = _experiment(client)
    return str(client.create_run(experiment, tags=values, run_name=name).info.run_id), experiment


def _experiment(client: "MlflowClient") -> str:
    """Return the id of our experiment, created if it does not exist."""
    from mlflow.exceptions import MlflowException  # noqa: PLC0415 - as in `Tracker.call`

    result = client.get_experiment_by_name(pages.EXPERIMENT)
    if result is not None:
        return str(result.experiment_id)
    try:
        # MLflow's page asks for the kind of experiment unless it is set.
        return client.create_experiment(pages.EXPERIMENT, tags={"mlflow.experimentKind": "custom_model_development"})
    except MlflowException:  # another process was faster, or there is no answer, which the next line raises
        return str(client.get_experiment_by_name(pages.EXPERIMENT).experiment_id)  # type: ignore[union-attr] # it exists, or MLflow raised


def _reason(error: BaseException) -> str:
    """Return in a line why a call failed."""
    import requests  # noqa: PLC0415 - as in `Tracker.call`

    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, requests.ConnectionError | requests.Timeout):
            return "no answer"
        cause = cause.__cause__ or cause.__context__
    return " ".join(str(error).split())[:300]
