"""Reads runs and their curves from MLflow's REST API, without its client, whose import takes seconds and 100 MB."""

import base64
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.error import HTTPError
from urllib.parse import unquote, urlencode, urlsplit
from urllib.request import Request, urlopen

import msgspec
import numpy as np
import numpy.typing as npt

from learning import pages
from learning.errors import TrackingError

Floats = npt.NDArray[np.float64]

PATIENCE_S = 10.0
MOST_RUNS = 200
PAGE_POINTS = 25_000
"""The most points of a curve that one answer has."""
TAIL_POINTS = 2_500
"""The most points of an interval of steps that MLflow gives without leaving some out."""
TRIALS = "trial"
"""The kind of run that is one trial of a study: there are too many to list, and the study shows them."""


class LoggedRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run in MLflow; times are epoch ms, `metrics` are the last values, `logged_at` the step and the time of each."""

    run_id: str
    name: str
    kind: str
    status: str
    started_at: int | None
    ended_at: int | None
    parent: str | None
    version: str | None
    metrics: Mapping[str, float]
    logged_at: Mapping[str, tuple[int, int]] = {}
    params: Mapping[str, str]

    @property
    def running(self) -> bool:
        """Return whether MLflow says that it goes on."""
        return self.status == "RUNNING"


class Curve(msgspec.Struct, frozen=True, eq=False):
    """A metric by step: both [n], in the order of the steps."""

    step: Floats
    value: Floats

    @property
    def last(self) -> float | None:
        """Return the last value, None if there is none."""
        return float(self.value[-1]) if len(self.value) else None


class MlflowReader:
    """Reads one server, at `uri`, which may have user and password. Raises TrackingError in a line if it fails."""

    def __init__(self, uri: str) -> None:
        parts = urlsplit(uri)
        self.uri = pages.without_login(uri)
        user = unquote(parts.username) if parts.username else os.environ.get("MLFLOW_TRACKING_USERNAME")
        password = unquote(parts.password) if parts.password else os.environ.get("MLFLOW_TRACKING_PASSWORD", "")
        login = base64.b64encode(f"{user}:{password}".encode()).decode()
        self._headers = {"Content-Type": "application/json"} | ({"Authorization": f"Basic {login}"} if user else {})

    def runs(self, most: int = MOST_RUNS) -> list[LoggedRun]:
        """Return the runs of our experiment but trials, the newest first; none if there is no experiment yet."""
        answer = self._asked("experiments/get-by-name", {"experiment_name": pages.EXPERIMENT})
        if answer is None:
            return []
        wanted = {
            "experiment_ids": [answer["experiment"]["experiment_id"]],
            "filter": f"tags.kind != '{TRIALS}'",
            "order_by": ["attributes.start_time DESC"],
            "max_results": most,
        }
        found = self._asked("runs/search", body=wanted) or {}
        return [_run(one) for one in found.get("runs", [])]

    def curve(self, run_id: str, metric: str) -> Curve:
        """Return all that was logged of a metric; where a step was logged twice, the later value."""
        points: dict[int, float] = {}
        query: dict[str, str | int] = {"run_id": run_id, "metric_key": metric, "max_results": PAGE_POINTS}
        while True:
            answer = self._asked("metrics/get-history", query) or {}
            points |= _by_step(answer.get("metrics", []))
            if not answer.get("next_page_token"):
                break
            query["page_token"] = answer["next_page_token"]
        return curve_of(points.items())

    def longer(self, run_id: str, metric: str, curve: Curve, last: int) -> Curve | None:
        """Return a curve with what was logged of its last step and after it, up to the step `last`.

        None where that cannot be told from all that was logged: the server may be too old, or the rest too long.
        """
        interval = {"start_step": int(curve.step[-1]), "end_step": last, "max_results": TAIL_POINTS}
        query: dict[str, str | int] = {"run_ids": run_id, "metric_key": metric, **interval}
        answer = self._asked("metrics/get-history-bulk-interval", query)
        found = [] if answer is None else answer.get("metrics", [])
        if not found or len(found) >= TAIL_POINTS:
            return None
        tail = curve_of(_by_step(found).items())
        return Curve(np.append(curve.step[:-1], tail.step), np.append(curve.value[:-1], tail.value))

    def _asked(
        self, path: str, query: Mapping[str, str | int] | None = None, body: Mapping[str, object] | None = None
    ) -> Any:
        """Return an answer as JSON, None if there is no such thing."""
        address = f"{self.uri}/api/2.0/mlflow/{path}" + (f"?{urlencode(query)}" if query else "")
        data = None if body is None else json.dumps(body).encode()
        if urlsplit(self.uri).scheme not in ("http", "https"):
            raise TrackingError(f"MLflow at {self.uri}: not an address of a server")
        try:
            request = Request(address, data, dict(self._headers))  # noqa: S310 - the scheme is checked above
            with urlopen(request, timeout=PATIENCE_S) as reply:  # noqa: S310 - likewise
                return json.load(reply)
        except HTTPError as error:
            with error:
                if error.code == 404:
                    return None
            raise TrackingError(f"MLflow at {self.uri}: it answers {error.code} {error.reason}") from None
        except (OSError, ValueError):
            raise TrackingError(f"MLflow at {self.uri}: no answer") from None


def curve_of(points: Iterable[tuple[int, float]]) -> Curve:
    """Return pairs of a step and a value as a curve."""
    table = np.array(sorted(points), dtype=np.float64).reshape(-1, 2)
    return Curve(np.ascontiguousarray(table[:, 0]), np.ascontiguousarray(table[:, 1]))


def lower_is_better(metric: str) -> bool:
    """Return whether less of a metric is better: of losses and errors, and of a loss against a reference's."""
    return "loss" in metric or "error" in metric or "QLIKE" in metric or "CRPS" in metric


def _run(answer: Mapping[str, Any]) -> LoggedRun:
    info, data = answer["info"], answer.get("data", {})
    tags, params = _pairs(data.get("tags", [])), _pairs(data.get("params", []))
    return LoggedRun(
        run_id=info["run_id"],
        name=info.get("run_name", ""),
        kind=tags.get("kind", ""),
        status=info.get("status", ""),
        started_at=info.get("start_time"),
        ended_at=info.get("end_time"),
        parent=tags.get("mlflow.parentRunId"),
        version=tags.get("version"),
        metrics={name: float(value) for name, value in _pairs(data.get("metrics", [])).items()},
        logged_at={one["key"]: (int(one.get("step", 0)), int(one["timestamp"])) for one in data.get("metrics", [])},
        params=params,
    )


def _by_step(points: Iterable[Mapping[str, Any]]) -> dict[int, float]:
    """Return the value of each step; of one that was logged twice, the later."""
    return {int(point.get("step", 0)): float(point["value"]) for point in points}


def _pairs(entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {one["key"]: one["value"] for one in entries}
