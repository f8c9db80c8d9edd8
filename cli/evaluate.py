"""`foretick evaluate`: every model fitted and scored on the same rows, walking forward in time."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import msgspec
import typer

from cli.argument_checks import check_typed
from cli.errors import UserError
from cli.options import Files, Interval, Seed
from cli.progress import progress
from cli.tables import Wide, paragraph
from cli.text import Terminal, echo, echo_json
from cli.tracking import Track, tracker
from learning.tracking.code_version import commit
from models.registry.names import NAMES, not_installed, packages
from settings import Settings
from topics.records import HORIZONS

if TYPE_CHECKING:
    from evaluation.results import Results, Weight
    from evaluation.splits import Split
    from features.frame import BarFrame
    from learning.tracking.run import MlflowRun
    from learning.tracking.tracker import Tracker

QUICK_DAYS, QUICK_WINDOW = 7, 20
"""The days on which `--quick` tests and trains."""


def evaluate(  # noqa: PLR0913 - a command's options
    files: Files,
    model: Annotated[
        list[str] | None, typer.Option(help="Only this model, beside the naive one; may be given again.")
    ] = None,
    horizon: Annotated[
        list[int] | None, typer.Option(help="Score this horizon only, in bars; may be repeated.")
    ] = None,
    months: Annotated[int, typer.Option(min=1, help="Test the last whole months, each a split.")] = 3,
    window: Annotated[int, typer.Option(min=1, help="Days to train on before each split.")] = 150,
    quick: Annotated[
        bool,
        typer.Option("--quick", help=f"A trial run, {QUICK_DAYS} days after {QUICK_WINDOW}: inconclusive."),
    ] = False,
    interval: Interval = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The folder for tables, report, models and forecasts.")
    ] = None,
    leaderboard: Annotated[
        Path | None, typer.Option(help="Write the tables to this Markdown file too (docs/LEADERBOARD.md).")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Models fitted at the same time, each on one core.")] = 2,
    seed: Seed = 0,
    track: Track = True,
    wide: Wide = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print every figure as JSON.")] = False,
) -> None:
    """Fit all models on the same rows, forecast the rows after, and score the forecasts.

    The universe is FORETICK_UNIVERSE, or all symbols of the files alike. An interrupted run continues where it stopped.
    """
    check_typed(files, model or (), interval)
    folder = output or Settings().home / "evaluation"
    split = partial(_splits, months=months, window=window, quick=quick)
    done = _evaluated(files, _wanted(model), _horizons(horizon), interval, split, folder, seed, jobs, track)
    options = [f"--model {name}" for name in model or ()] + [f"--horizon {bars}" for bars in horizon or ()]
    options += ["--quick"] if quick else [f"--months {months}", f"--window {window}"]
    command = _command(files, [*options, f"--seed {seed}"], done.walked)
    report = _written(done, folder, command, leaderboard)
    if as_json:
        from cli.evaluation_tables import document

        figures = document(done.results)
        echo_json(msgspec.json.encode({**figures, "report": str(report), "tracked": done.logged.address}))
        return
    _show(done.results, report, done.logged.address, wide)


class _Evaluated(NamedTuple):
    results: "Results"
    weights: "list[Weight]"
    walked: "list[Split]"
    tracked: "Tracker"
    logged: "MlflowRun"


def _evaluated(
    files: list[Path],
    wanted: dict[str, type[Any]],
    horizons: tuple[int, ...],
    interval: str | None,
    split: "Callable[[list[BarFrame]], list[Split]]",
    folder: Path,
    seed: int,
    jobs: int,
    track: bool,
) -> _Evaluated:
    """Read the bars, fit the models on each split, forecast, and score, with the progress shown."""
    from evaluation.run import evaluate as run
    from models.registry.model_registry import divided
    from sources.errors import SourceError
    from sources.reading.bars import read_bars

    settings = Settings()
    try:
        with progress("reading") as reporter:
            bars = read_bars(files, interval or settings.interval)
            walked = split(bars)
            tracked = tracker(settings, track, reporter.say)
            with tracked.run(f"evaluation {_span(walked)}", "evaluate") as logged:
                results, weights = run(
                    bars,
                    settings.universe or universe_of(bars),
                    walked,
                    *divided(wanted),
                    folder,
                    seed,
                    jobs,
                    reporter.say,
                    horizons,
                )
    except (SourceError, ValueError) as error:
        raise UserError(str(error)) from error
    return _Evaluated(results, weights, walked, tracked, logged)


def _splits(bars: "list[BarFrame]", months: int, window: int, *, quick: bool) -> "list[Split]":
    """Return the splits of the bars: whole months, or the last days."""
    from evaluation import splits

    first, last = min(int(frame.time[0]) for frame in bars), max(int(frame.time[-1]) for frame in bars)
    return splits.days(first, last, QUICK_DAYS, QUICK_WINDOW) if quick else splits.monthly(first, last, months, window)


def _written(done: _Evaluated, folder: Path, command: str, leaderboard: Path | None) -> Path:
    """Write the tables and the report, and log both; return the report's path."""
    from evaluation.leaderboard import leaderboard as page
    from evaluation.output import write
    from learning.tracking.log_evaluation import log_evaluation, log_models

    report = write(done.results, folder, commit(), command, done.weights)
    if leaderboard is not None:
        leaderboard.write_text(page(done.results, commit(), command), encoding="utf-8")
    log_evaluation(done.logged, done.results, folder)
    log_models(done.tracked, done.logged, done.results, done.walked)
    return report


def _show(results: "Results", report: Path, tracked: str | None, wide: bool) -> None:
    """Print the conclusions, then the tables, then the paths of the rest."""
    from cli.evaluation_tables import show_results
    from evaluation.verdict import conclusions

    shown = Terminal()
    for line in conclusions(results):
        paragraph(shown, line)
    show_results(results, wide, shown)
    shown.print()
    paragraph(shown, f"report: {report}")
    if tracked:
        paragraph(shown, f"tracked: {tracked}")


def _wanted(model: list[str] | None) -> dict[str, type[Any]]:
    from models.registry.model_registry import classes

    try:
        return classes(model or _all_that_can())
    except ValueError as error:
        raise UserError(str(error)) from error


def _horizons(chosen: list[int] | None) -> tuple[int, ...]:
    unknown = [horizon for horizon in chosen or () if horizon not in HORIZONS]
    if unknown:
        raise UserError(f"no horizon {unknown[0]}; they are {', '.join(map(str, HORIZONS))} bars")
    return tuple(horizon for horizon in HORIZONS if horizon in (chosen or HORIZONS))


def universe_of(bars: "list[BarFrame]") -> dict[str, float]:
    """Return the universe of several symbols with equal weights, if FORETICK_UNIVERSE names none."""
    return {frame.symbol: 1.0 for frame in bars} if len(bars) > 1 else {}


def _command(files: list[Path], options: list[str], walked: "list[Split]") -> str:
    """Return the command line of the same run, with its splits."""
    names = [path.name for path in files]
    return " ".join(["foretick evaluate", *names, *options]) + f" ({_span(walked)})"


def _all_that_can() -> list[str]:
    """Return every model, without those whose package is not installed, which is printed."""
    if lacking := not_installed():
        needed, verb = packages(lacking)
        echo(f"without {' and '.join(lacking)}: {needed} {verb} not installed (./foretick install networks)", err=True)
    return [name for name in NAMES if name not in lacking]


def _span(walked: "list[Split]") -> str:
    return " to ".join(dict.fromkeys((walked[0].name, walked[-1].name)))
