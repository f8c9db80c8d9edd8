"""`foretick pipeline`: train, judge and deploy all models in one run that can be resumed; and what came of each run."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec
import typer
from rich.table import Table

from cli.errors import UserError
from cli.show import paragraph, whole
from cli.text import Terminal, echo_json, plain
from cli.times import iso, minute
from settings import Settings

if TYPE_CHECKING:
    from learning.report import Report
    from learning.run_records import Step
    from learning.runs import Runs

T = TypeVar("T")

FAILED = 1
app = typer.Typer(no_args_is_help=True, help="Train, judge and deploy all models in one run; show what came of runs.")
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def run(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Files of bars to learn from, instead of what the stream has persisted.")
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option(help="This model, and others given so, instead of those in service.")
    ] = None,
    tune: Annotated[int, typer.Option(min=0, help="Tune each model first, in a study of so many trials.")] = 0,
    days: Annotated[
        float | None, typer.Option(min=0.0, help="Learn from the last so many days (FORETICK_RETRAIN_DAYS).")
    ] = None,
    seed: Annotated[int, typer.Option(help="The seed of everything random.")] = 0,
    run_id: Annotated[str | None, typer.Option(help="Go on with this run, as it was asked for.")] = None,
    as_json: Json = False,
) -> None:
    """Load, check, compute features, tune, train, walk forward, register, and let the new versions challenge.

    Every step leaves a record. Interrupted, --run-id goes on where it was. Exit code 1: the run or a model failed.
    """
    from learning.pipeline import ProductionPipeline  # noqa: PLC0415 - numba, Torch, MLflow: seconds

    console, began = Terminal(stderr=True), time.monotonic()
    with console.status("beginning") as status:

        def told(what: str) -> None:
            status.update(plain(what))

        def say(what: str) -> None:
            console.print(f"{time.monotonic() - began:7.0f} s  {what}", highlight=False)

        def recorded(step: "Step") -> None:
            if step.state != "running":
                say(_line(step))

        pipeline = ProductionPipeline(Settings(), files or (), model or (), tune, days, seed, told, say, recorded)
        try:
            report = _told(lambda: pipeline.run_complete_pipeline(run_id))
        except KeyboardInterrupt:
            console.print(f"stopped; foretick pipeline run --run-id {pipeline.run_id} goes on", highlight=False)
            raise
    if as_json:
        _print(report)
    else:
        _show(report)
    if report.failed:
        raise typer.Exit(FAILED)


@app.command("list")
def list_runs(
    most: Annotated[int, typer.Option(min=1, help="So many runs, the newest first.")] = 20, as_json: Json = False
) -> None:
    """List the runs: who asked for each and why, at which bar, and what became of it."""
    rows = _told(lambda: _runs().listed(most))
    if as_json:
        _print(rows)
        return
    from learning import awaited  # noqa: PLC0415 - psycopg

    console, settings = Terminal(), Settings()
    for row in rows:
        took = "" if row.ended_at is None else f" after {(row.ended_at - row.requested_at) / 1000:.0f} s"
        asked = f"asked for by {row.requested_by}" + ("" if row.bar_time is None else f" at {minute(row.bar_time)}")
        paragraph(console, f"{row.run_id}  {row.state}{took}, {asked}", row.why, row.error or "")
    if not any(row.state in ("queued", "running") for row in rows):
        found = _told(lambda: awaited.progress(settings))
        paragraph(console, f"{'' if rows else 'no run yet; '}{awaited.of_training(found, settings)}")


@app.command()
def show(
    run_id: Annotated[str, typer.Argument(help="The run, as `foretick pipeline list` shows it.")], as_json: Json = False
) -> None:
    """Show a run: its steps, how long each took, and what came of it."""
    found, steps = _told(lambda: _runs().shown(run_id))
    if as_json:
        _print({"run": found, "steps": steps})
        return
    console = Terminal()
    console.print(f"{found.run_id}: {found.state}, asked for by {found.requested_by}: {found.why}", highlight=False)
    if found.error:
        console.print(found.error, highlight=False)
    table = Table("step", "model", "state", "began", "seconds", "", box=None)
    for step in steps:
        seconds = "-" if step.seconds is None else f"{step.seconds:.1f}"
        table.add_row(
            step.step, step.model or "", step.state, iso(step.started_at), seconds, step.error or _told_of(step)
        )
    console.print(table)


def _show(report: "Report") -> None:
    console = Terminal()
    table = Table("model", whole("version"), "skill against naive", "role", "", box=None)
    for one in report.models:
        skill = "-" if one.skill is None else f"{100 * one.skill:+.2f} % ± {100 * (one.skill_error or 0):.2f}"
        table.add_row(one.model, one.version or "-", skill, one.role or "-", one.error or one.why)
    console.print(table)
    ended, said = report.run.ended_at or report.run.requested_at, f": {report.run.error}" if report.run.error else ""
    spent = (ended - report.run.requested_at) / 1000
    console.print(f"run {report.run.run_id} {report.run.state} after {spent:.0f} s{said}", highlight=False)


def _line(step: "Step") -> str:
    """Return a step that has ended in a line."""
    what = f"{step.step} {step.model}" if step.model else step.step
    said = step.error or _told_of(step)
    return f"{what} {step.state}{f': {said}' if said else ''}"


def _told_of(step: "Step") -> str:
    """Return the part of a step's detail that is short enough to be told with it."""
    detail = step.detail or {}
    known = {key: value for key, value in detail.items() if isinstance(value, str | int | float | bool)}
    return ", ".join(
        f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}" for key, value in known.items()
    )


def _runs() -> "Runs":
    from learning.runs import Runs  # noqa: PLC0415 - psycopg

    return Runs(Settings().database_url.get_secret_value())


def _told(ask: Callable[[], T]) -> T:
    from sources.errors import SourceError  # noqa: PLC0415 - as above
    from storage.errors import StorageError  # noqa: PLC0415

    try:
        return ask()
    except StorageError as error:
        raise UserError(f"{error}: is it running? foretick up") from error
    except (SourceError, ValueError) as error:
        raise UserError(str(error)) from error


def _print(document: Any) -> None:
    echo_json(msgspec.json.format(msgspec.json.encode(document), indent=2))
