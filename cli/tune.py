"""`foretick tune`: search a model's parameters on purged splits of the past, in one study that processes share."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from cli.argument_checks import check_typed, check_writable
from cli.errors import UserError
from cli.options import Interval, Json, Seed
from cli.progress import progress
from cli.tables import Column, Wide, paragraph, show
from cli.text import Terminal, echo_json
from settings import Settings
from topics.suggestions import unknown

PRUNERS = ("median", "hyperband")
"""As `learning.tuning.study` has them; a test compares."""

if TYPE_CHECKING:
    from learning.tuning.apply import Applied
    from learning.tuning.mean_estimate import MeanEstimate
    from learning.tuning.tuning_result import TuningResult


def tune(  # noqa: PLR0913 - a command's options
    model: Annotated[str, typer.Argument(help="The model to tune.")],
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Files of bars; without any, what the stream stored in FORETICK_RETRAIN_DAYS."),
    ] = None,
    trials: Annotated[int, typer.Option(min=1, help="Trials of the whole study, by all processes together.")] = 40,
    timeout: Annotated[float | None, typer.Option(min=0.0, help="Start no trial after this many seconds.")] = None,
    pruner: Annotated[str, typer.Option(help=f"The pruner of trials: {' or '.join(PRUNERS)}.")] = "median",
    splits: Annotated[int, typer.Option(min=1, help="Splits that each trial is scored on.")] = 2,
    held_out: Annotated[
        float, typer.Option(min=0.05, max=0.5, help="The last part of the bars, which no trial uses.")
    ] = 0.2,
    rows_share: Annotated[float, typer.Option(min=0.01, max=1.0, help="The share of the rows that trials fit.")] = 0.25,
    interval: Interval = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Train with the best on all bars, and start it as a challenger.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Apply the best even where it is not clearly better.")] = False,
    seed: Seed = 0,
    wide: Wide = False,
    as_json: Json = False,
) -> None:
    """Search the parameters of a model; several processes with the same command share the work, and none is lost.

    After an interruption the same command continues the study. It needs the database that `foretick up` starts.
    """
    check_typed(files or (), [model], interval, "")
    if pruner not in PRUNERS:
        raise UserError(f"--pruner: {unknown('pruner', pruner, PRUNERS)}")
    check_writable(Settings().home)
    from learning.training import history
    from learning.tuning.apply import apply as use
    from learning.tuning.objective import Plan
    from learning.tuning.search import search
    from learning.tuning.tuning_result import explained
    from models.registry import model_registry
    from sources.errors import SourceError
    from sources.reading.bars import read_bars
    from storage.errors import StorageError

    settings = Settings()
    plan = Plan(splits, held_out, max(1, round(1 / rows_share)), seed)
    try:
        result = model_registry.tunable(model)
        with progress("reading") as reporter:
            if files:
                bars = read_bars(files, interval or settings.interval)
            else:
                bars = history.bars(settings, settings.retrain_days)
            verdict = search(settings, result, bars, settings.universe, trials, plan, pruner, timeout, reporter.say)
            done = None
            if apply and (verdict.better or (force and verdict.gain is not None)):
                done = use(settings, result, verdict, explained(verdict), bars, seed, reporter.say)
    except StorageError as error:
        raise UserError(f"{error}: is it running? foretick up") from error
    except (SourceError, ValueError) as error:
        raise UserError(str(error)) from error
    _report(verdict, done, apply=apply, wide=wide, as_json=as_json)


def _report(verdict: "TuningResult", done: "Applied | None", *, apply: bool, wide: bool, as_json: bool) -> None:
    """Print what the search found, and what became of it."""
    if as_json:
        document = verdict.to_json() | {"applied": None if done is None else done._asdict()}
        echo_json(msgspec.json.encode(document, enc_hook=str))
        return
    shown = Terminal()
    _show(shown, verdict, wide)
    if done is not None:
        paragraph(shown, f"parameters: {done.parameters}")
        if done.version is not None:
            paragraph(shown, f"version {done.version}: {done.path}")
        paragraph(shown, f"not deployed: {done.why_not}" if done.deployment is None else "it challenges the champion")
    elif apply:
        paragraph(shown, "nothing is applied: the parameters are unchanged")


def _show(console: Terminal, verdict: "TuningResult", wide: bool = False) -> None:
    """Print the figures and the result of the search."""
    from learning.tuning.tuning_result import explained

    skills = (
        ("on the splits", (verdict.untuned, verdict.best, verdict.gain)),
        ("later, unused by trials", (verdict.later_untuned, verdict.later_best, verdict.later_gain)),
    )
    columns = (Column("skill against naive"), Column("untuned", 2), Column("best", 1), Column("gain"))
    show(columns, [(name, *map(_percent, parts)) for name, parts in skills], wide, console)
    chosen = []
    for name in sorted(verdict.parameters.keys() | verdict.importances.keys()):
        value = verdict.parameters.get(name)
        importance = verdict.importances.get(name)
        best = "untuned" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
        chosen.append((name, best, "" if importance is None else f"{importance:.2f}"))
    if chosen:
        show((Column("parameter"), Column("best"), Column("importance", 1, right=True)), chosen, wide, console)
    counts = f"{verdict.complete} trials complete, {verdict.pruned} pruned, {verdict.failed} failed"
    paragraph(console, counts, *(f"{count} times: {reason}" for reason, count in verdict.reasons.items()))
    paragraph(console, explained(verdict))


def _percent(worth: "MeanEstimate | None") -> str:
    return "" if worth is None else f"{100 * worth.mean:+.3f} % ± {100 * worth.error:.3f}"
