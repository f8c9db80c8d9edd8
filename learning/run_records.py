"""What TimescaleDB holds of the pipeline's runs. Times are epoch milliseconds."""

from typing import Any, Literal

import msgspec

State = Literal["queued", "running", "done", "failed"]


class Options(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a run was asked to do. Without `files` it learns from what the stream has persisted.

    Without `models` those in service are trained; `tune` is how many trials a study is to have; without `days` it
    learns from FORETICK_RETRAIN_DAYS, which end at `until` (exclusive), or with the newest bar of when it was asked.
    """

    files: list[str] = []
    models: list[str] = []
    tune: int = 0
    days: float | None = None
    until: int | None = None
    seed: int = 0


class Run(msgspec.Struct, frozen=True):
    """A run: why it was asked for, by whom, and at which bar of the stream (None: there was none)."""

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


class Step(msgspec.Struct, frozen=True):
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


def _ms(column: str) -> str:
    return f"(extract(epoch FROM {column}) * 1000)::int8 AS {column}"


RUN = ", ".join(
    _ms(name) if name in ("bar_time", "requested_at", "ended_at") else name for name in Run.__struct_fields__
)
"""The columns of `pipeline_runs` for a Run, in its order."""
STEP = ", ".join(_ms(name) if name in ("started_at", "ended_at") else name for name in Step.__struct_fields__)
"""The columns of `pipeline_steps` for a Step, in its order."""


def run_of(row: tuple[Any, ...]) -> Run:
    """Return the run of a row of the columns `RUN`."""
    found: Run = msgspec.convert(dict(zip(Run.__struct_fields__, row, strict=True)), Run)
    return found


def step_of(row: tuple[Any, ...]) -> Step:
    """Return the step of a row of the columns `STEP`."""
    found: Step = msgspec.convert(dict(zip(Step.__struct_fields__, row, strict=True)), Step)
    return found
