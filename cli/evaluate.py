"""`foretick evaluate`: every model fitted and scored on the same rows, walking forward in time."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from cli.errors import UserError
from cli.text import Terminal, echo_json, plain
from cli.track import Track, tracker
from learning.code import commit
from settings import Settings
from topics.records import HORIZONS

if TYPE_CHECKING:
    from evaluation.folds import Fold
    from features.frame import BarFrame

QUICK_DAYS, QUICK_WINDOW = 7, 20
"""What `--quick` tests and trains on, in days."""


def evaluate(
    files: Annotated[list[Path], typer.Argument(help="Files of bars; the format is found by itself.")],
    model: Annotated[
        list[str] | None, typer.Option(help="Only this model, beside the naive one; may be given again.")
    ] = None,
    horizon: Annotated[
        list[int] | None, typer.Option(help="Judge this horizon only, in bars; may be given again.")
    ] = None,
    months: Annotated[int, typer.Option(min=1, help="Test the last whole months, each a fold.")] = 3,
    window: Annotated[int, typer.Option(min=1, help="Days to train on before each fold.")] = 150,
    quick: Annotated[
        bool, typer.Option("--quick", help=f"Test the last {QUICK_DAYS} days, trained on {QUICK_WINDOW}.")
    ] = False,
    interval: Annotated[str | None, typer.Option(help="Use bars of this interval only (1m).")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where tables, report, models and forecasts are kept.")
    ] = None,
    leaderboard: Annotated[
        Path | None, typer.Option(help="Write the tables to this Markdown file too (docs/LEADERBOARD.md).")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Models fitted at the same time, each on one core.")] = 2,
    seed: Annotated[int, typer.Option(help="The seed of everything random.")] = 0,
    track: Track = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print every figure as JSON.")] = False,
) -> None:
    """Fit all models on the same rows, forecast the rows after, and judge them on what came true.

    The universe is FORETICK_UNIVERSE, or all symbols of the files alike. Interrupted, it goes on where it was.
    """
    from evaluation import folds  # noqa: PLC0415 - numba, Torch, Arrow: seconds that no other command is to pay
    from evaluation.leaderboard import leaderboard as page  # noqa: PLC0415
    from evaluation.output import write  # noqa: PLC0415
    from evaluation.run import evaluate as run  # noqa: PLC0415
    from evaluation.summary import tables  # noqa: PLC0415
    from learning.log_evaluation import log_evaluation, log_models  # noqa: PLC0415
    from models.registry import classes  # noqa: PLC0415
    from models.zoo import COMBINERS, ZOO  # noqa: PLC0415
    from sources.bars import read_bars  # noqa: PLC0415
    from sources.errors import SourceError  # noqa: PLC0415

    settings = Settings()
    try:
        wanted = classes(model or [*ZOO, *COMBINERS])
    except ValueError as error:
        raise UserError(str(error)) from error
    folder = output or settings.home / "evaluation"
    console, began = Terminal(stderr=True), time.monotonic()
    try:
        with console.status("reading") as status:

            def told(what: str) -> None:
                console.print(f"{time.monotonic() - began:7.0f} s  {what}")
                status.update(plain(what))

            bars = read_bars(files, interval or settings.interval)
            first, last = min(int(frame.time[0]) for frame in bars), max(int(frame.time[-1]) for frame in bars)
            if quick:
                walked = folds.days(first, last, QUICK_DAYS, QUICK_WINDOW)
            else:
                walked = folds.monthly(first, last, months, window)
            tracked = tracker(settings, track, console.print)
            with tracked.run(f"evaluation {_span(walked)}", "evaluate") as logged:
                results, weights = run(
                    bars,
                    settings.universe or universe_of(bars),
                    walked,
                    {name: found for name, found in wanted.items() if name in ZOO},
                    {name: found for name, found in wanted.items() if name in COMBINERS},
                    folder,
                    seed,
                    jobs,
                    told,
                    _horizons(horizon),
                )
    except (SourceError, ValueError) as error:
        raise UserError(str(error)) from error
    options = [f"--model {name}" for name in model or ()] + [f"--horizon {bars}" for bars in horizon or ()]
    options += ["--quick"] if quick else [f"--months {months}", f"--window {window}"]
    command = _command(files, [*options, f"--seed {seed}"], walked)
    report = write(results, folder, commit(), command, weights)
    if leaderboard is not None:
        leaderboard.write_text(page(results, commit(), command), encoding="utf-8")
    log_evaluation(logged, results, folder)
    log_models(tracked, logged, results, walked)
    if as_json:
        echo_json(msgspec.json.encode([cell._asdict() for cell in results.cells]))
        return
    shown = Terminal()
    for table in tables(results, shown.width):
        shown.print(table)
    shown.print(f"report: {report}")
    if logged.address:
        shown.print(f"tracked: {logged.address}", soft_wrap=True)


def _horizons(chosen: list[int] | None) -> tuple[int, ...]:
    unknown = [horizon for horizon in chosen or () if horizon not in HORIZONS]
    if unknown:
        raise UserError(f"no horizon {unknown[0]}; they are {', '.join(map(str, HORIZONS))} bars")
    return tuple(horizon for horizon in HORIZONS if horizon in (chosen or HORIZONS))


def universe_of(bars: "list[BarFrame]") -> dict[str, float]:
    """Return the market that several symbols make up, all alike, where FORETICK_UNIVERSE names none."""
    return {frame.symbol: 1.0 for frame in bars} if len(bars) > 1 else {}


def _command(files: list[Path], options: list[str], walked: "list[Fold]") -> str:
    """Return what to type for the same run, and which folds it had."""
    names = [path.name for path in files]
    return " ".join(["foretick evaluate", *names, *options]) + f" ({_span(walked)})"


def _span(walked: "list[Fold]") -> str:
    return " to ".join(dict.fromkeys((walked[0].name, walked[-1].name)))
