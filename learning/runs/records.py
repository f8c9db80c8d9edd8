"""Records of the pipeline's runs in TimescaleDB. Times are epoch milliseconds."""

from typing import Any, Literal

import msgspec

State = Literal["queued", "running", "done", "failed"]
STEP_NAMES = ("load", "check", "features", "tune", "train", "evaluate", "register", "deploy")
"""The steps of a run in their order, for whoever shows a run: `learning.pipeline.STEPS` needs 300 MB."""


class Options(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The options of a run. Without `files` it trains on stored bars.

    Without `models` those in service are trained; `tune` is the number of trials of a study, whose parameters are kept
    where they are better unless `keep` is false; without `days` it trains on FORETICK_RETRAIN_DAYS, which end at
    `until` (exclusive), or with the newest bar at the time of the request.
    """

    files: list[str] = []
    models: list[str] = []
    tune: int = 0
    keep: bool = True
    days: float | None = None
    until: int | None = None
    seed: int = 0


class PipelineRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run: why it was requested, by whom, and at which bar of the stream (None: there was none).

    `stop_reason` is why it is to stop at its next checkpoint, None if nobody asked for that.
    """

    run_id: str
    why: str
    requested_by: str
    bar_time: int | None
    requested_at: int
    ended_at: int | None
    state: State
    mlflow_run_id: str | None
    options: Options
    error: str | None
    stop_reason: str | None = None


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A step of a run, or of one of its models; `attempts` counts how often it was begun and never ended."""

    step: str
    model: str | None
    state: Literal["running", "done", "failed", "stopped"]
    started_at: int
    ended_at: int | None
    seconds: float | None
    detail: dict[str, Any] | None
    error: str | None
    attempts: int


class Overview(msgspec.Struct, frozen=True):
    """The last runs, and one of them with its steps; `at_work` tells whether a process holds its lease."""

    runs: list[PipelineRun]
    run: PipelineRun | None
    steps: list[Step]
    at_work: bool


def _ms(column: str) -> str:
    return f"(extract(epoch FROM {column}) * 1000)::int8 AS {column}"


RUN = ", ".join(
    _ms(name) if name in ("bar_time", "requested_at", "ended_at") else name for name in PipelineRun.__struct_fields__
)
"""The columns of `pipeline_runs` for a Run, in its order."""
STEP = ", ".join(_ms(name) if name in ("started_at", "ended_at") else name for name in Step.__struct_fields__)
"""The columns of `pipeline_steps` for a Step, in its order."""


def run_of(row: tuple[Any, ...]) -> PipelineRun:
    """Return the run of a row of the columns `RUN`."""
    pipeline_run: PipelineRun = msgspec.convert(dict(zip(PipelineRun.__struct_fields__, row, strict=True)), PipelineRun)
    return pipeline_run


def step_of(row: tuple[Any, ...]) -> Step:
    """Return the step of a row of the columns `STEP`."""
    step: Step = msgspec.convert(dict(zip(Step.__struct_fields__, row, strict=True)), Step)
    return step
