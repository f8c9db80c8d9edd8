"""Runs of the pipeline and of MLflow in memory, with texts that are HTML."""

from typing import Any

import msgspec

from learning.runs.records import Options, PipelineRun
from learning.tracking.mlflow_reader import LoggedRun

EVIL = "<img src=x>"
RUN = PipelineRun(
    run_id=f"1{EVIL}",
    why=EVIL,
    requested_by=EVIL,
    bar_time=None,
    requested_at=0,
    ended_at=None,
    state="running",
    mlflow_run_id="above",
    options=Options(),
    error=EVIL,
)


def logged(run_id: str, **changes: Any) -> LoggedRun:
    """Return a run in MLflow that has these fields."""
    made = LoggedRun(
        run_id=run_id,
        name=EVIL,
        kind="train",
        status="RUNNING",
        started_at=0,
        ended_at=None,
        parent=None,
        version=None,
        metrics={"epochs/loss held out": 0.5, "by split: pinball/05 bars ahead": -1.0},
        params={},
    )
    return msgspec.structs.replace(made, **changes)
