"""`foretick train`: fit every model on files of bars and put them into service."""

import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.table import Table

from cli.errors import UserError
from cli.text import Terminal, echo_json, plain
from cli.times import epoch_ms, iso
from cli.track import Track, tracker
from learning.code import commit
from settings import Settings

if TYPE_CHECKING:
    from features.frame import BarFrame


def train(
    files: Annotated[list[Path], typer.Argument(help="Files of bars; the format is found by itself.")],
    until: Annotated[
        str | None, typer.Option(help="Use bars before this time only, ISO 8601, UTC where no zone is given.")
    ] = None,
    rows_until: Annotated[
        float | None, typer.Option(min=0.0, max=1.0, help="Use this first share of the rows only, cut at one time.")
    ] = None,
    interval: Annotated[str | None, typer.Option(help="Use bars of this interval only (1m).")] = None,
    model: Annotated[
        list[str] | None, typer.Option(help="This model, and others given so, instead of FORETICK_MODELS.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The seed of everything random.")] = 0,
    default_parameters: Annotated[
        bool, typer.Option("--default-parameters", help="Leave what `foretick tune --apply` found alone.")
    ] = False,
    track: Track = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Fit every model on the history in files, save them, and let the worker serve them from its next start."""
    from features.definition import FILE  # noqa: PLC0415 - as the next
    from learning.training_runs import training_runs  # noqa: PLC0415
    from models import parameters, provenance, registry, training  # noqa: PLC0415 - numba and LightGBM: seconds that no other command is to pay
    from sources.bars import read_bars  # noqa: PLC0415
    from sources.errors import SourceError  # noqa: PLC0415

    settings = Settings()
    folder = settings.home / "models"
    try:
        bars = read_bars(files, interval or settings.interval, epoch_ms(until, "--until"), rows_until)
        tuned = {} if default_parameters else parameters.read(folder)
    except (SourceError, ValueError) as error:
        raise UserError(str(error)) from error
    began, seconds = time.monotonic(), []
    console = Terminal(stderr=True)
    tracked = tracker(settings, track, console.print)
    with console.status("reading") as status, training_runs(tracked, f"training {_span(bars)}") as runs:

        def show(what: str) -> None:
            seconds.append(time.monotonic())
            status.update(plain(f"fitting {what}"))
            if what != "features":
                runs.begin(what)

        def detail(what: str) -> None:
            status.update(plain(f"fitting {what}"))
            runs.told(what)

        try:
            definition, forecasters = training.train(
                bars,
                seed,
                show,
                settings.universe,
                settings.timeframes,
                settings.features,
                tuple(model or settings.models),
                detail,
                tuned,
            )
        except ValueError as error:
            raise UserError(str(error)) from error
    seconds.append(time.monotonic())
    with console.status("comparing the bars with each other"):
        reference = training.reference(bars, definition, seed, settings.universe)
        reference.save(folder)
    origin = provenance.of(bars, definition.fingerprint, seed, commit=commit() or None, reference=reference.id)
    paths = registry.save(folder, definition, forecasters, origin)
    for forecaster, path in zip(forecasters, paths, strict=True):
        if tuned.get(forecaster.name):
            registry.store(folder, forecaster, msgspec.structs.replace(origin, parameters=tuned[forecaster.name]))
        runs.stored(forecaster.name, forecaster.version, path)
    spent = [end - start for start, end in pairwise(seconds)]
    fitted = [("features", definition.fingerprint, folder / FILE)]
    fitted += [(model.name, model.version, path) for model, path in zip(forecasters, paths, strict=True)]
    used = [model.name for model in forecasters if tuned.get(model.name)]
    _report(bars, fitted, spent, time.monotonic() - began, used, runs.above.address, as_json)


def _span(bars: "list[BarFrame]") -> str:
    from evaluation.wording import span  # noqa: PLC0415 - as in `train`

    return span(min(int(frame.time[0]) for frame in bars), max(int(frame.time[-1]) for frame in bars))


def _report(
    bars: "list[BarFrame]",
    fitted: list[tuple[str, str, Path]],
    seconds: list[float],
    total: float,
    tuned: list[str],
    tracked: str | None,
    as_json: bool,
) -> None:
    rows = {frame.symbol: len(frame) for frame in bars}
    if as_json:
        named = {name: {"version": version, "path": str(path)} for name, version, path in fitted}
        document = {"features": named.pop("features"), "models": named, "rows": rows, "seconds": round(total, 3)}
        document["tuned"] = tuned
        echo_json(msgspec.json.encode(document))
        return
    table = Table("fitted", "version", "seconds", "artifact", box=None)
    for (name, version, path), spent in zip(fitted, seconds, strict=True):
        table.add_row(name, version, f"{spent:.1f}", str(path))
    console = Terminal()
    console.print(table)
    first, last = min(int(frame.time[0]) for frame in bars), max(int(frame.time[-1]) for frame in bars)
    counted = ", ".join(f"{symbol} {count:,}" for symbol, count in rows.items())
    console.print(f"fitted on {counted} bars, {iso(first)} .. {iso(last)} UTC, in {total:.1f} s")
    if tuned:
        console.print(f"with tuned parameters: {', '.join(tuned)}; --default-parameters trains without")
    console.print("the worker serves them from its next start")
    if tracked:
        console.print(f"tracked: {tracked}", soft_wrap=True)
