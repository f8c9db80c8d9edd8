"""`foretick explain`: what each input added to one forecast."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from cli.errors import UserError
from cli.text import Terminal, echo_json
from cli.times import epoch_ms, iso
from settings import Settings
from topics.records import Prediction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from features.definition import Definition
    from features.frame import FeatureFrame
    from storage.history import Published

FORM = "SYMBOL/INTERVAL/TIME/MODEL, such as BTCUSDT/1m/2025-06-02T00:00/gbm"

LATEST = 253_402_300_800_000  # the year 10000


@dataclass(frozen=True)
class Asked:
    """Which forecast: of whom, at which bar (epoch ms), by which model."""

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
        typer.Argument(help="Files of bars to compute the features from, instead of reading what the stack stored."),
    ] = None,
    horizon: Annotated[int | None, typer.Option(help="Bars ahead; the model's shortest by default.")] = None,
    top: Annotated[int, typer.Option(min=1, help="Inputs to show; the others are summed.")] = 15,
    models: Annotated[
        Path | None, typer.Option(help="The folder of a fold that `foretick evaluate` kept, instead of the service.")
    ] = None,
    warm_up: Annotated[
        int, typer.Option(min=0, help="Bars before it from which the model's memory is brought up to date.")
    ] = 2_880,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Explain one forecast: what each input added to its mean, and where a network looked.

    Trees by SHAP values, linear models by coefficient times input, networks by integrated gradients, combinations by
    their models.
    """
    from cli.explanation import show  # noqa: PLC0415 - NumPy, for this command alone
    from features.definition import Definition  # noqa: PLC0415 - numba, Torch and more: seconds
    from models.explain import explain_served  # noqa: PLC0415
    from storage.errors import StorageError  # noqa: PLC0415
    from storage.history import published  # noqa: PLC0415

    settings, asked = Settings(), _asked(prediction)
    folder = models or settings.home / "models"
    said: Sequence[Published] = ()
    try:
        definition = Definition.load(folder)
        served = _fitted(folder, asked.model, definition.fingerprint, evaluated=models is not None)
        if files:
            frame = _computed(asked, files, definition, settings, alike=models is not None)
        else:
            frame = _stored(asked, settings, warm_up)
        frame = _checked(frame, asked, definition)
        frame = frame[max(0, len(frame) - warm_up - 1) :]
        found = explain_served(served, asked.model, frame, horizon)
        if not files:
            with _database(settings) as connection:
                said = published(connection, asked.symbol, asked.interval, asked.time, asked.model, found.horizon)
    except StorageError as error:
        raise UserError(f"{error}; start it by ./foretick up, or give files of bars") from error
    except ValueError as error:
        raise UserError(str(error)) from error
    if as_json:
        document = {**msgspec.to_builtins(found), "looked": found.looked(), "published": said}
        echo_json(msgspec.json.encode(document))
        return
    show(Terminal(), found, top, len(frame) - 1, said)


def _asked(text: str) -> Asked:
    if text.lstrip().startswith("{"):
        try:
            record = msgspec.json.decode(text, type=Prediction)
        except msgspec.DecodeError as error:
            raise UserError(f"that line is no prediction ({error}); give {FORM}") from error
        return Asked(record.symbol, record.interval, record.time, record.model)
    parts = text.rsplit("/", 3)  # a symbol may have slashes of its own
    if len(parts) != 4 or not all(parts):
        raise UserError(f"{text!r} names no prediction: give {FORM}")
    symbol, interval, time, model = parts
    moment = int(time) if time.isdecimal() else epoch_ms(time, "TIME")
    if moment is None or not 0 <= moment < LATEST:
        raise UserError(f"TIME {time!r} is no time in ISO 8601 or epoch ms from 1970 to 9999")
    return Asked(symbol, interval, moment, model)


def _fitted(folder: Path, name: str, fingerprint: str, *, evaluated: bool) -> list[Any]:
    """Return the model, and those in service beside it, which a combination needs."""
    from evaluation.walk import artifact_of  # noqa: PLC0415 - Torch
    from features.definition import FILE  # noqa: PLC0415
    from models import registry  # noqa: PLC0415
    from models.zoo import COMBINERS, ZOO  # noqa: PLC0415

    known = [*ZOO, *COMBINERS]
    if name not in known:
        raise UserError(f"no model {name!r}; the models are {', '.join(known)}")
    if evaluated and not (folder / registry.SERVING).exists():
        if name not in ZOO:
            raise UserError(f"{name!r} combines models: it is not kept with a fold; explain one of {', '.join(ZOO)}")
        artifact = artifact_of(folder, name)
        if not (folder / FILE).exists():
            raise UserError(f"{folder}: no {FILE}: run foretick evaluate once more, which keeps what it has done")
        return [ZOO[name].load(artifact)]
    served = registry.load_all(folder, fingerprint)
    in_service = [model.name for model in served]
    if name not in in_service:
        raise UserError(f"model {name!r} is not in service in {folder}, where {', '.join(in_service)} are")
    return list(served)


def _computed(
    asked: Asked, files: list[Path], definition: "Definition", settings: Settings, *, alike: bool
) -> "FeatureFrame":
    """Return the features of the symbol's bars in files up to the bar in question."""
    from cli.evaluate import universe_of  # noqa: PLC0415
    from features.cross_section import join  # noqa: PLC0415
    from features.step import FeatureStep  # noqa: PLC0415
    from sources.bars import read_bars  # noqa: PLC0415
    from sources.errors import SourceError  # noqa: PLC0415

    try:
        bars = read_bars(files, asked.interval, asked.time + 1)
    except SourceError as error:
        raise UserError(str(error)) from error
    universe = settings.universe or (universe_of(bars) if alike else {})
    of_symbol = [frame for frame in join(bars, universe) if frame.symbol == asked.symbol]
    if not of_symbol:
        raise UserError(f"the files hold no bars of {asked.symbol}, but {', '.join(frame.symbol for frame in bars)}")
    step = FeatureStep(definition)
    return step.features(step.initial(), of_symbol[0])[1]


def _stored(asked: Asked, settings: Settings, warm_up: int) -> "FeatureFrame":
    """Return the features that the stack stored of the bar and of those before it."""
    from storage.history import features  # noqa: PLC0415

    with _database(settings) as connection:
        frame = features(connection, asked.symbol, asked.interval, asked.time, warm_up + 1)
    if frame is None:
        raise UserError(
            f"no {asked.interval} bar of {asked.symbol} at or before {iso(asked.time)} is stored; "
            "give files of bars to compute the features from"
        )
    return frame


def _database(settings: Settings) -> Any:
    from storage.history import opened  # noqa: PLC0415

    return opened(settings.database_url.get_secret_value())


def _checked(frame: "FeatureFrame", asked: Asked, definition: "Definition") -> "FeatureFrame":
    last = int(frame.time[-1])
    if last != asked.time:
        raise UserError(
            f"no {asked.interval} bar of {asked.symbol} at {iso(asked.time)}; the one before it is at {iso(last)}"
        )
    if frame.fingerprint != definition.fingerprint:
        raise UserError(
            f"the features of that bar are of definition {frame.fingerprint}, but the model was fitted on "
            f"{definition.fingerprint}; give files of bars to compute them anew"
        )
    return frame
