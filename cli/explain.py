"""`foretick explain`: what each input added to one forecast."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from cli.argument_checks import check_typed
from cli.errors import UserError
from cli.tables import Wide
from cli.text import Terminal, echo_json
from cli.times import epoch_ms, iso
from models.registry.names import NAMES
from models.registry.zoo import ZOO
from settings import Settings
from topics.former import renewed
from topics.markets import canonical
from topics.records import Prediction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from features.definition import Definition
    from features.frame import FeatureFrame
    from storage.bar_history import Published

FORM = "SYMBOL/INTERVAL/TIME/MODEL, such as BTCUSDT/1m/2025-06-02T00:00/gbm"

LATEST = 253_402_300_800_000  # the year 10000


@dataclass(frozen=True)
class ForecastReference:
    """A forecast's symbol and interval, bar (epoch ms) and model."""

    symbol: str
    interval: str
    time: int
    model: str


def explain(
    prediction: Annotated[
        str, typer.Argument(help=f"{FORM} (ISO 8601 or epoch ms); or a line of `foretick topics tail predictions`.")
    ],
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Files of bars to compute the features from, instead of those that the stack stored."),
    ] = None,
    horizon: Annotated[
        int | None, typer.Option(help="Bars ahead; by default the shortest at which the mean is not 0.")
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="Inputs to show; the others are summed.")] = 15,
    models: Annotated[
        Path | None,
        typer.Option(help="The folder of a split saved by `foretick evaluate`, instead of the models in service."),
    ] = None,
    warm_up: Annotated[
        int, typer.Option(min=0, help="Earlier bars with which the model's state is brought up to date.")
    ] = 2_880,  # models.explain.explainer.WARM_UP, whose import takes a second
    wide: Wide = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Explain one forecast: each input's contribution to its mean, and a network's attention.

    Trees by SHAP values, linear models by coefficient times input, networks by integrated gradients, combinations by
    their models.
    """
    check_typed(files or ())
    from cli.explanation_tables import show
    from features.definition import Definition
    from models.explain.explainer import explain_served
    from storage.errors import StorageError

    settings, asked = Settings(), _asked(prediction)
    folder = models or settings.home / "models"
    try:
        definition = Definition.load(folder)
        served = _fitted(folder, asked.model, definition.fingerprint, evaluated=models is not None)
        if files:
            frame = _computed(asked, files, definition, settings, alike=models is not None)
        else:
            frame = _stored(asked, settings, warm_up)
        frame = _checked(frame, asked, definition)
        frame = frame[max(0, len(frame) - warm_up - 1) :]
        explanation = explain_served(served, asked.model, frame, horizon)
        lines = () if files else _published(settings, asked, explanation.horizon)
    except StorageError as error:
        raise UserError(f"{error}; start it by ./foretick up, or give files of bars") from error
    except ValueError as error:
        raise UserError(str(error)) from error
    if as_json:
        document = {**msgspec.to_builtins(explanation), "looked": explanation.looked(), "published": lines}
        echo_json(msgspec.json.encode(document))
        return
    show(Terminal(), explanation, top, len(frame) - 1, lines, wide)


def _published(settings: Settings, asked: ForecastReference, horizon: int) -> "Sequence[Published]":
    """Return what was published at that bar, as stored."""
    from storage.bar_history import published

    with _database(settings) as connection:
        return published(connection, asked.symbol, asked.interval, asked.time, asked.model, horizon)


def _asked(text: str) -> ForecastReference:
    if text.lstrip().startswith("{"):
        try:
            record = msgspec.json.decode(renewed(text.encode(), Prediction), type=Prediction)
        except msgspec.DecodeError as error:
            raise UserError(f"that line is no prediction ({error}); give {FORM}") from error
        return ForecastReference(record.symbol, record.interval, record.time, record.model)
    parts = text.rsplit("/", 3)  # a symbol may have slashes of its own
    if len(parts) != 4 or not all(parts):
        raise UserError(f"{text!r} names no prediction: give {FORM}")
    symbol, interval, time, model = parts
    moment = int(time) if time.isdecimal() else epoch_ms(time, "TIME")
    if moment is None or not 0 <= moment < LATEST:
        raise UserError(f"TIME {time!r} is no time in ISO 8601 or epoch ms from 1970 to 9999")
    return ForecastReference(canonical(symbol), interval, moment, model)


def _fitted(folder: Path, name: str, fingerprint: str, *, evaluated: bool) -> list[Any]:
    """Return the model, and the others in service, which a combination needs."""
    from evaluation.walk_forward import artifact_of
    from features.definition import FILE
    from models.registry import model_registry

    if name not in NAMES:
        raise UserError(f"no model {name!r}; the models are {', '.join(NAMES)}")
    if evaluated and not (folder / model_registry.SERVING).exists():
        if name not in ZOO:
            raise UserError(f"{name!r} combines models: it is not saved with a split; explain one of {', '.join(ZOO)}")
        artifact = artifact_of(folder, name)
        if not (folder / FILE).exists():
            raise UserError(f"{folder}: no {FILE}: run foretick evaluate again, which reuses finished work")
        return [ZOO[name].load(artifact)]
    served = model_registry.load_all(folder, fingerprint)
    in_service = [model.name for model in served]
    if name not in in_service:
        raise UserError(f"model {name!r} is not in service in {folder}, where {', '.join(in_service)} are")
    return list(served)


def _computed(
    asked: ForecastReference, files: list[Path], definition: "Definition", settings: Settings, *, alike: bool
) -> "FeatureFrame":
    """Return the features of the symbol's bars in files up to the bar in question."""
    from cli.evaluate import universe_of
    from features.cross_section import join
    from features.step import FeatureStep
    from sources.errors import SourceError
    from sources.reading.bars import read_bars

    try:
        bars = read_bars(files, asked.interval, asked.time + 1)
    except SourceError as error:
        raise UserError(str(error)) from error
    universe = settings.universe or (universe_of(bars) if alike else {})
    of_symbol = [frame for frame in join(bars, universe) if frame.symbol == asked.symbol]
    if not of_symbol:
        raise UserError(f"the files have no bars of {asked.symbol}, but {', '.join(frame.symbol for frame in bars)}")
    step = FeatureStep(definition)
    return step.features(step.initial(), of_symbol[0])[1]


def _stored(asked: ForecastReference, settings: Settings, warm_up: int) -> "FeatureFrame":
    """Return the stored features of the bar and of those before it."""
    from storage.bar_history import features

    with _database(settings) as connection:
        frame = features(connection, asked.symbol, asked.interval, asked.time, warm_up + 1)
    if frame is None:
        raise UserError(
            f"no {asked.interval} bar of {asked.symbol} at or before {iso(asked.time)} is stored; "
            "give files of bars to compute the features from"
        )
    return frame


def _database(settings: Settings) -> Any:
    from storage.bar_history import opened

    return opened(settings.database_url.get_secret_value())


def _checked(frame: "FeatureFrame", asked: ForecastReference, definition: "Definition") -> "FeatureFrame":
    last = int(frame.time[-1])
    if last != asked.time:
        raise UserError(
            f"no {asked.interval} bar of {asked.symbol} at {iso(asked.time)}; the one before it is at {iso(last)}"
        )
    if frame.fingerprint != definition.fingerprint:
        raise UserError(
            f"the features of that bar are of definition {frame.fingerprint}, but the model was fitted on "
            f"{definition.fingerprint}; give files of bars to compute them"
        )
    return frame
