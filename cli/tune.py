"""`foretick tune`: search a model's parameters on purged folds of the past, in one study that processes share."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from cli.errors import UserError
from cli.text import Terminal, echo_json, plain
from settings import Settings

if TYPE_CHECKING:
    from learning.objective import Worth
    from learning.verdict import Verdict


def tune(
    model: Annotated[str, typer.Argument(help="The model to tune.")],
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Files of bars; without any, what the stream stored in FORETICK_RETRAIN_DAYS."),
    ] = None,
    trials: Annotated[int, typer.Option(min=1, help="Trials of the whole study, by all processes together.")] = 40,
    timeout: Annotated[float | None, typer.Option(min=0.0, help="Begin no trial after so many seconds.")] = None,
    pruner: Annotated[str, typer.Option(help="What gives trials up early: median or hyperband.")] = "median",
    folds: Annotated[int, typer.Option(min=1, help="Spans of days that each trial is judged on.")] = 2,
    held_out: Annotated[
        float, typer.Option(min=0.05, max=0.5, help="The last part of the bars, which no trial sees.")
    ] = 0.2,
    rows_share: Annotated[float, typer.Option(min=0.01, max=1.0, help="The share of the rows that trials fit.")] = 0.25,
    interval: Annotated[str | None, typer.Option(help="Use bars of this interval only (1m).")] = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Train with the best on all bars, and let it challenge the champion.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Apply the best even where it is not clearly better.")] = False,
    seed: Annotated[int, typer.Option(help="The seed of everything random.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Search the parameters of a model; several processes with the same command share the work, and none is lost.

    Stopped or killed, the same command goes on where the study was. It needs the database that `foretick up` starts.
    """
    from learning import history  # noqa: PLC0415 - as the next
    from learning.applying import apply as use  # noqa: PLC0415 - Optuna, MLflow, numba: seconds
    from learning.objective import Plan  # noqa: PLC0415
    from learning.search import search  # noqa: PLC0415
    from learning.verdict import explained  # noqa: PLC0415
    from models import registry  # noqa: PLC0415
    from sources.bars import read_bars  # noqa: PLC0415
    from sources.errors import SourceError  # noqa: PLC0415
    from storage.errors import StorageError  # noqa: PLC0415

    settings, console, began = Settings(), Terminal(stderr=True), time.monotonic()
    plan = Plan(folds, held_out, max(1, round(1 / rows_share)), seed)
    try:
        found = registry.classes([model])[model]
        with console.status("reading") as status:

            def told(what: str) -> None:
                console.print(f"{time.monotonic() - began:7.0f} s  {what}")
                status.update(plain(what))

            if files:
                bars = read_bars(files, interval or settings.interval)
            else:
                bars = history.bars(settings, settings.retrain_days)
            verdict = search(settings, found, bars, settings.universe, trials, plan, pruner, timeout, told)
            done = None
            if apply and (verdict.better or (force and verdict.gain is not None)):
                done = use(settings, found, verdict, explained(verdict), bars, seed, told)
    except StorageError as error:
        raise UserError(f"{error}: is it running? foretick up") from error
    except (SourceError, ValueError) as error:
        raise UserError(str(error)) from error
    if as_json:
        document = verdict.to_json() | {"applied": None if done is None else done._asdict()}
        echo_json(msgspec.json.encode(document, enc_hook=str))
        return
    shown = Terminal()
    _show(shown, verdict)
    if done is not None:
        shown.print(f"parameters: {done.parameters}")
        if done.version is not None:
            shown.print(f"version {done.version}: {done.path}")
        shown.print(f"not deployed: {done.why_not}" if done.deployment is None else "it challenges the champion")
    elif apply:
        shown.print("nothing is applied: the parameters stay as they were")


def _show(console: Console, verdict: "Verdict") -> None:
    """Print the figures, what was found, and what it may be worth."""
    from learning.verdict import explained  # noqa: PLC0415 - as above

    table = Table("skill against naive", "untuned", "best", "gain", box=None)
    for name, parts in (
        ("on the folds", (verdict.untuned, verdict.best, verdict.gain)),
        ("later, seen by no trial", (verdict.later_untuned, verdict.later_best, verdict.later_gain)),
    ):
        table.add_row(name, *map(_percent, parts))
    console.print(table)
    chosen = Table("parameter", "best", "importance", box=None)
    for name in verdict.parameters.keys() | verdict.importances.keys():
        value = verdict.parameters.get(name)
        importance = verdict.importances.get(name)
        chosen.add_row(
            name,
            "untuned" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value),
            "" if importance is None else f"{importance:.2f}",
        )
    if chosen.row_count:
        console.print(chosen)
    console.print(f"{verdict.complete} trials complete, {verdict.pruned} given up early, {verdict.failed} failed")
    for reason, count in verdict.reasons.items():
        console.print(f"  {count} times: {reason}")
    console.print(explained(verdict))


def _percent(worth: "Worth | None") -> str:
    return "" if worth is None else f"{100 * worth.mean:+.3f} % ± {100 * worth.error:.3f}"
