"""`foretick lookahead`: which features and models see the future, or depend on where the bars begin."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, NamedTuple

import msgspec
import typer

from cli.argument_checks import check_typed
from cli.errors import UserError
from cli.options import Files, Interval, Json
from cli.tables import Column, Wide, paragraph, show
from cli.text import Terminal, echo_json
from cli.times import minute
from settings import Settings

if TYPE_CHECKING:
    from evaluation.lookahead import Future, Start
    from features.frame import BarFrame, Floats
    from features.step import FeatureStep
    from models.forecaster import Forecaster

BARS = 20_000
"""The newest bars of each symbol, which take a model seconds."""
SHOWN = 10
"""The most columns of a table; `--json` has all."""


class Checked(NamedTuple):
    """What was found of one symbol and one source of columns: the features, or a model."""

    symbol: str
    source: str
    bars: int
    columns: int
    futures: "list[Future]"
    starts: "list[Start]"


def lookahead(
    files: Files,
    features: Annotated[
        list[str] | None, typer.Option("--features", help="Check this feature only; may be given again.")
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option(help="Check this model of those in service too; may be given again.")
    ] = None,
    bars: Annotated[int, typer.Option(min=100, help="Check so many of each symbol's newest bars.")] = BARS,
    interval: Interval = None,
    wide: Wide = False,
    as_json: Json = False,
) -> None:
    """Check that no feature or model uses bars that come later, and how long each depends on where the bars begin.

    All columns are computed again on bars that end earlier and on bars that begin later. Exit code 1: one uses the
    future.
    """
    check_typed(files, model or (), interval)
    from sources.errors import SourceError
    from sources.reading.bars import read_bars

    settings = Settings()
    try:
        frames = [frame[-bars:] for frame in read_bars(files, interval or settings.interval)]
        results = [
            _checked(frame, *columns) for columns in _columns(settings, features, model or ()) for frame in frames
        ]
    except (SourceError, ValueError) as error:
        raise UserError(str(error)) from error
    if as_json:
        echo_json(msgspec.json.encode([_document(one) for one in results]))
    else:
        for one in results:
            _show(one, wide)
    if any(one.futures for one in results):
        raise typer.Exit(1)


def _columns(
    settings: Settings, features: list[str] | None, models: Sequence[str]
) -> "list[tuple[str, tuple[str, ...], Callable[[BarFrame], Floats]]]":
    """Return the sources of columns: their name, the columns' names, and what computes them."""
    from features.definition import Definition
    from features.step import FeatureStep
    from models.combine.combiner import Combination
    from models.registry import model_registry

    folder = settings.home / "models"
    definition = Definition.load(folder)
    step = FeatureStep(definition)
    Definition(timeframes=definition.timeframes, columns=tuple(features or ()))  # names the nearest to an unknown one
    wanted = tuple(features or definition.names)
    places = [definition.names.index(name) for name in wanted]

    def computed(frame: "BarFrame") -> "Floats":
        return step.features(step.initial(), frame)[1].values[:, places]

    results: list[tuple[str, tuple[str, ...], Callable[[BarFrame], Floats]]] = [("features", wanted, computed)]
    forecasters = model_registry.divided(model_registry.classes(models))[0]
    for name in models:
        if name not in forecasters:
            raise ValueError(f"--model {name}: a combination of models sees only their forecasts; name the models")
    listed = model_registry.serving(folder) if models else {}
    for name in models:
        if name not in listed:
            raise ValueError(f"--model {name} is not in service: run foretick train --model {name}")
        model = model_registry.load(folder, name, listed[name], definition.fingerprint)
        assert not isinstance(model, Combination)  # noqa: S101 - it was refused before
        results.append((name, *_forecasts(step, model)))
    return results


def _forecasts(step: "FeatureStep", forecaster: "Forecaster") -> "tuple[tuple[str, ...], Callable[[BarFrame], Floats]]":
    """Return the columns of a model: the mean, scale and probability of a rise at each horizon."""
    import numpy as np

    names = tuple(f"{part} {horizon}" for part in ("mean", "scale", "p_up") for horizon in forecaster.horizons)

    def computed(frame: "BarFrame") -> "Floats":
        rows = step.features(step.initial(), frame)[1]
        _, forecasts = forecaster.step(forecaster.initial(), rows)
        return np.hstack((forecasts.mean, forecasts.scale, forecasts.p_up))

    return names, computed


def _checked(
    frame: "BarFrame", source: str, names: tuple[str, ...], compute: "Callable[[BarFrame], Floats]"
) -> Checked:
    from evaluation.lookahead import futures, starts

    return Checked(
        symbol=frame.symbol,
        source=source,
        bars=len(frame),
        columns=len(names),
        futures=futures(compute, names, frame),
        starts=starts(compute, names, frame),
    )


def _document(one: Checked) -> dict[str, object]:
    return {**one._asdict(), "sees_the_future": bool(one.futures)}


def _show(one: Checked, wide: bool) -> None:
    """Print what was found of one source of columns."""
    console = Terminal()
    head = f"{one.symbol}, {one.source}: {one.columns} columns of {one.bars:,} bars"
    never = [start for start in one.starts if start.bars is None]
    last = next((start for start in one.starts if start.bars is not None), None)
    paragraph(
        console,
        head,
        f"{len(one.futures)} use later bars" if one.futures else "none uses later bars",
        f"{len(never)} depend on the first bar to the end" if never else "none depends on the first bar to the end",
        f"the others have settled after {last.bars:,} bars or fewer, {last.column} last" if last else "",
    )
    if one.futures:
        columns = [Column("uses later bars"), Column("rows", right=True), Column("deviations", right=True)]
        show(
            [*columns, Column("most at", 1)],
            [
                (found.column, f"{found.rows:,} of {found.compared:,}", f"{found.deviations:.2g}", minute(found.time))
                for found in one.futures[:SHOWN]
            ],
            wide,
            console,
        )
    if never:
        show(
            [Column("depends on the first bar"), Column("deviations at the end", right=True)],
            [(start.column, f"{start.deviations:.2g}") for start in never[:SHOWN]],
            wide,
            console,
        )
