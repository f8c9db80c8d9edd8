"""`foretick pipeline`: train, evaluate and deploy all models in one resumable run; and the results of each run."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec
import typer

from cli.argument_checks import check_typed, check_writable
from cli.errors import UserError
from cli.progress import progress
from cli.tables import Column, Wide, paragraph
from cli.tables import show as show_table
from cli.text import Terminal, echo_json
from cli.times import iso, minute
from settings import Settings

if TYPE_CHECKING:
    from learning.runs.queue import Runs
    from learning.runs.records import PipelineRun, Step
    from learning.runs.report import ModelOutcome, Report

T = TypeVar("T")

FAILED = 1
app = typer.Typer(no_args_is_help=True, help="Train, evaluate and deploy all models in one run; show the runs.")
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
RUNS = (
    *(Column("run"), Column("state"), Column("took", 2, right=True), Column("asked for by", 1), Column("at bar", 3)),
    *(Column("", words=True), Column("error", words=True)),
)
STEPS = (
    *(Column("step"), Column("model"), Column("state"), Column("began", 2), Column("seconds", 1, right=True)),
    *(Column("attempts", 3, right=True), Column("", words=True)),
)
MODELS = (
    *(Column("model"), Column("version"), Column("skill against naive", 1), Column("role"), Column("", words=True)),
)


@app.command()
def run(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Files of bars to train on, instead of the stored ones.")
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option(help="This model instead of those in service; may be repeated.")
    ] = None,
    tune: Annotated[int, typer.Option(min=0, help="Tune each model first, in a study of this many trials.")] = 0,
    days: Annotated[
        float | None, typer.Option(min=0.0, help="Train on this many last days (FORETICK_RETRAIN_DAYS).")
    ] = None,
    seed: Annotated[int, typer.Option(help="The seed of everything random.")] = 0,
    run_id: Annotated[str | None, typer.Option(help="Resume this run, with its options.")] = None,
    wide: Wide = False,
    as_json: Json = False,
) -> None:
    """Load, check, compute features, tune, train, walk forward, register, and start the new versions as challengers.

    Every step is recorded. --run-id resumes an interrupted run. Exit code 1: the run or a model failed.
    """
    check_typed(files or (), model or ())
    check_writable(Settings().home)
    from learning.pipeline import ProductionPipeline

    with progress("beginning") as reporter:

        def recorded(step: "Step") -> None:
            if step.state != "running":
                reporter.say(_line(step))

        pipeline = ProductionPipeline(
            Settings(), files or (), model or (), tune, days, seed, reporter.now, reporter.say, recorded
        )
        try:
            report = _or_error(lambda: pipeline.run_complete_pipeline(run_id))
        except KeyboardInterrupt:
            reporter.say(f"stopped; foretick pipeline run --run-id {pipeline.run_id} goes on")
            raise
    if as_json:
        _print(report)
    else:
        _show(report, wide)
    if report.failed:
        raise typer.Exit(FAILED)


@app.command("list")
def list_runs(
    most: Annotated[int, typer.Option("--most", "-n", min=1, help="The number of runs, newest first.")] = 20,
    wide: Wide = False,
    as_json: Json = False,
) -> None:
    """List the runs: who requested each and why, at which bar, and its result."""
    rows = _or_error(lambda: _runs().listed(most))
    if as_json:
        _print(rows)
        return
    from learning.monitoring import waiting_for

    settings = Settings()
    if rows:
        show_table(RUNS, map(_ran, rows), wide)
    if not any(row.state in ("queued", "running") for row in rows):
        result = _or_error(lambda: waiting_for.progress(settings))
        paragraph(Terminal(), f"{'' if rows else 'no run yet; '}{waiting_for.of_training(result, settings)}")


@app.command()
def show(
    run_id: Annotated[str, typer.Argument(help="The run, as `foretick pipeline list` shows it.")],
    wide: Wide = False,
    as_json: Json = False,
) -> None:
    """Show a run: its steps, their durations and its results."""
    pipeline_run, steps = _or_error(lambda: _runs().shown(run_id))
    if as_json:
        _print({"run": pipeline_run, "steps": steps})
        return
    head = f"{pipeline_run.run_id}: {pipeline_run.state}, asked for by {pipeline_run.requested_by}: {pipeline_run.why}"
    paragraph(Terminal(), head, pipeline_run.error or "")
    show_table(STEPS, map(_stepped, steps), wide)


def _show(report: "Report", wide: bool = False) -> None:
    show_table(MODELS, map(_learned, report.models), wide)
    ended, text = report.run.ended_at or report.run.requested_at, f": {report.run.error}" if report.run.error else ""
    spent = (ended - report.run.requested_at) / 1000
    paragraph(Terminal(), f"run {report.run.run_id} {report.run.state} after {spent:.0f} s{text}")


def _ran(row: "PipelineRun") -> tuple[str, ...]:
    took = "-" if row.ended_at is None else f"{(row.ended_at - row.requested_at) / 1000:.0f} s"
    return row.run_id, row.state, took, row.requested_by, minute(row.bar_time), row.why, row.error or ""


def _stepped(step: "Step") -> tuple[str, ...]:
    spent = "-" if step.seconds is None else f"{step.seconds:.1f}", str(step.attempts)
    return step.step, step.model or "", step.state, iso(step.started_at), *spent, step.error or _step_summary(step)


def _learned(one: "ModelOutcome") -> tuple[str, ...]:
    error = "" if one.skill_error is None else f" ± {100 * one.skill_error:.2f}"
    skill = "-" if one.skill is None else f"{100 * one.skill:+.2f} %{error}"
    return one.model, one.version or "-", skill, one.role or "-", one.error or one.why


def _line(step: "Step") -> str:
    """Return the line of a step that has ended."""
    what = f"{step.step} {step.model}" if step.model else step.step
    text = step.error or _step_summary(step)
    return f"{what} {step.state}{f': {text}' if text else ''}"


def _step_summary(step: "Step") -> str:
    """Return the short parts of a step's detail, and the skill of each model."""
    detail = step.detail or {}
    known = {key: value for key, value in detail.items() if isinstance(value, str | int | float | bool)}
    for name, skill in detail.get("skills", {}).items() if step.step == "evaluate" else ():
        known[f"skill of {name}"] = "unknown" if skill["mean"] is None else f"{100 * skill['mean']:+.2f} %"
    return ", ".join(
        f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}" for key, value in known.items()
    )


def _runs() -> "Runs":
    from learning.runs.queue import Runs

    return Runs(Settings().database_url.get_secret_value())


def _or_error(ask: Callable[[], T]) -> T:
    from sources.errors import SourceError
    from storage.errors import StorageError

    try:
        return ask()
    except StorageError as error:
        raise UserError(f"{error}: is it running? foretick up") from error
    except (SourceError, ValueError) as error:
        raise UserError(str(error)) from error


def _print(document: Any) -> None:
    echo_json(msgspec.json.format(msgspec.json.encode(document), indent=2))
