"""`foretick train`: fit every model on files of bars and put them into service."""

import time
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from cli.argument_checks import check_typed, check_writable
from cli.errors import UserError
from cli.options import Files, From, Interval, Json, Seed, To
from cli.progress import Progress, progress
from cli.tables import Column, Wide, paragraph, show
from cli.text import Terminal, echo, echo_json
from cli.times import iso, span
from cli.tracking import Track, tracker
from evaluation.eta import RemainingTime
from learning.tracking.code_version import commit
from settings import Settings

if TYPE_CHECKING:
    from features.definition import Definition
    from features.frame import BarFrame
    from learning.tracking.training_runs import TrainingRuns
    from models.registry.model_registry import Served
    from models.registry.parameters import ByModel


def train(  # noqa: PLR0913 - a command's options
    files: Files,
    start: From = None,
    end: To = None,
    rows_until: Annotated[
        float | None, typer.Option(min=0.0, max=1.0, help="Use only this first share of the rows, cut at one time.")
    ] = None,
    interval: Interval = None,
    model: Annotated[
        list[str] | None, typer.Option(help="This model instead of FORETICK_MODELS; may be repeated.")
    ] = None,
    seed: Seed = 0,
    default_parameters: Annotated[
        bool, typer.Option("--default-parameters", help="Ignore the parameters of `foretick tune --apply`.")
    ] = False,
    as_challenger: Annotated[
        bool, typer.Option("--as-challenger", help="Start the versions as challengers in a running stack.")
    ] = False,
    track: Track = True,
    wide: Wide = False,
    as_json: Json = False,
) -> None:
    """Fit every model on the history in files and save them. The worker serves them from its next start.

    They replace the champions, without a test; with --as-challenger they must win one first.
    """
    first, last = span(start, end)
    check_typed(files, model or (), interval)
    settings = Settings()
    folder, wanted, serving = settings.home / "models", tuple(model or settings.models), None
    check_writable(settings.home)
    # numba and LightGBM: imported here, since they take seconds
    from features.definition import FILE, Definition
    from learning.deployment.challenge import champions
    from learning.deployment.ledger import Ledger, LedgerError
    from models.registry import parameters
    from sources.errors import SourceError
    from sources.reading.bars import read_bars

    try:
        if as_challenger:
            wanted, serving = tuple(champions(Ledger(settings), wanted)), Definition.load(folder)
        bars = read_bars(files, interval or settings.interval, last, rows_until, first)
        tuned = {} if default_parameters else parameters.read(folder)
    except (SourceError, ValueError, LedgerError) as error:
        raise UserError(str(error)) from error
    _announce(folder, as_challenger=as_challenger)
    began = time.monotonic()
    definition, forecasters, spent, runs = _fitted(bars, seed, settings, wanted, tuned, serving, track)
    paths = _stored(bars, seed, settings, definition, forecasters, tuned, as_challenger)
    for forecaster, path in zip(forecasters, paths, strict=True):
        runs.stored(forecaster, path)
    taken = "the worker serves them from its next start"
    if as_challenger:
        taken = _challenged(settings, [one for one in forecasters if one.name in wanted], f"trained on {_days(bars)}")
    fitted = [("features", definition.fingerprint, folder / FILE)]
    fitted += [(model.name, model.version, path) for model, path in zip(forecasters, paths, strict=True)]
    used = [model.name for model in forecasters if tuned.get(model.name)]
    _report(bars, fitted, spent, time.monotonic() - began, used, runs.above.address, taken, wide, as_json)


def _announce(folder: Path, *, as_challenger: bool) -> None:
    """Say so where the versions will take the place of others without a test."""
    from models.registry.listing import SERVING

    if not as_challenger and (folder / SERVING).exists():
        echo("replaces the champions at the worker's next start; --as-challenger: tested", err=True)


def _fitted(
    bars: "list[BarFrame]",
    seed: int,
    settings: Settings,
    wanted: tuple[str, ...],
    tuned: "ByModel",
    serving: "Definition | None",
    track: bool,
) -> "tuple[Definition, list[Served], list[float], TrainingRuns]":
    """Return the definition, the models fitted on it, the seconds that each took, and their tracking."""
    from learning.tracking.training_runs import training_runs
    from models import training
    from models.registry.names import DEFAULT_MODELS

    with ExitStack() as stack:
        reporter = stack.enter_context(progress("fitting features"))
        runs = stack.enter_context(training_runs(tracker(settings, track, reporter.say), f"training {_days(bars)}"))
        fitting = _Fitting(reporter, runs, len(wanted or DEFAULT_MODELS))
        stream = (settings.universe, settings.timeframes, settings.features)
        try:
            definition, fitted = training.train(
                bars, seed, fitting.begin, *stream, wanted, fitting.detail, tuned, serving
            )
        except ValueError as error:
            raise UserError(str(error)) from error
    seconds = [*fitting.seconds, time.monotonic()]
    return definition, fitted, [end - start for start, end in pairwise(seconds)], runs


class _Fitting:
    """Reports the progress of each model's training; `seconds` are their start times."""

    def __init__(self, reporter: Progress, runs: "TrainingRuns", models: int) -> None:
        self._told, self._runs, self._models = reporter, runs, models
        self._left: RemainingTime | None = None
        self._what = ""
        self.seconds: list[float] = []

    def begin(self, what: str) -> None:
        """Record what is fitted next: the features, then each model's name."""
        so_far = "" if self._left is None else f" ({self._left.step()})"
        self._told.say(f"fitting {what}{so_far}")
        self.seconds.append(time.monotonic())
        self._what = what
        if what != "features":
            self._left = self._left or RemainingTime(self._models)
            self._runs.begin(what)

    def detail(self, what: str) -> None:
        """Record a model's message about an epoch."""
        self._told.now(f"{self._what}: {what}")
        self._runs.on_message(what)


def _stored(
    bars: "list[BarFrame]",
    seed: int,
    settings: Settings,
    definition: "Definition",
    forecasters: "list[Served]",
    tuned: "ByModel",
    out_of_service: bool,
) -> list[Path]:
    """Write the artifacts, with where they come from, and put them into service unless they shall stay out of it."""
    from models import training
    from models.registry import model_registry, provenance

    folder = settings.home / "models"
    with progress("comparing the bars with each other"):
        reference = training.reference(bars, definition, seed, settings.universe)
        reference.save(folder)
    origin = provenance.of(bars, definition.fingerprint, seed, commit=commit(), reference=reference.id)
    if out_of_service:
        paths = [model_registry.store(folder, one, origin) for one in forecasters]
    else:
        paths = model_registry.save(folder, definition, forecasters, origin)
    for one in forecasters:
        if tuned.get(one.name):
            model_registry.store(folder, one, msgspec.structs.replace(origin, parameters=tuned[one.name]))
    return paths


def _challenged(settings: Settings, forecasters: "list[Served]", why: str) -> str:
    """Let the versions that were asked for (the naive one is fitted in any case) challenge; return what came of it."""
    from learning.deployment.challenge import challenge
    from learning.deployment.ledger import Ledger, LedgerError

    ledger = Ledger(settings)
    try:
        made = {one.name: challenge(ledger, one, why) for one in forecasters}
    except LedgerError as error:
        raise UserError(f"{error}; the versions are saved: foretick models show") from error
    known = [f"{name} ({role})" for name, role in made.items() if isinstance(role, str)]
    text = "they challenge the champions: foretick models list"
    return f"{text}; unchanged versions: {', '.join(known)}" if known else text


def _days(bars: "list[BarFrame]") -> str:
    from evaluation import number_format

    return number_format.span(min(int(frame.time[0]) for frame in bars), max(int(frame.time[-1]) for frame in bars))


def _report(
    bars: "list[BarFrame]",
    fitted: list[tuple[str, str, Path]],
    seconds: list[float],
    total: float,
    tuned: list[str],
    tracked: str | None,
    taken: str,
    wide: bool,
    as_json: bool,
) -> None:
    counts = {frame.symbol: len(frame) for frame in bars}
    if as_json:
        named = {
            name: {"version": version, "seconds": round(spent, 3), "path": str(path)}
            for (name, version, path), spent in zip(fitted, seconds, strict=True)
        }
        document = {"features": named.pop("features"), "models": named, "rows": counts, "seconds": round(total, 3)}
        document["tuned"] = tuned
        document["taken"] = taken
        echo_json(msgspec.json.encode(document))
        return
    console = Terminal()
    columns = (Column("fitted"), Column("version"), Column("seconds", 1, right=True), Column("artifact", words=True))
    rows = [
        (name, version, f"{spent:.1f}", str(path)) for (name, version, path), spent in zip(fitted, seconds, strict=True)
    ]
    show(columns, rows, wide)
    first, last = min(int(frame.time[0]) for frame in bars), max(int(frame.time[-1]) for frame in bars)
    counted = ", ".join(f"{symbol} {count:,}" for symbol, count in counts.items())
    paragraph(console, f"fitted on {counted} bars, {iso(first)} .. {iso(last)} UTC, in {total:.1f} s")
    if tuned:
        paragraph(console, f"with tuned parameters: {', '.join(tuned)}; --default-parameters trains without")
    paragraph(console, taken)
    if tracked:
        paragraph(console, f"tracked: {tracked}")
