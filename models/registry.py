"""Which models there are, and the artifacts in service: <home>/models/<name>/<version>/, listed in serving.json.

Beside them lies features.json, the definition of the features that all of them were fitted on.
"""

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from features.definition import Definition
from models.combiner import Combination
from models.forecaster import Forecaster
from models.gbm import GBM
from models.naive import Naive
from models.online import Online

MODELS: dict[str, type[Naive] | type[Online] | type[GBM]] = {model.name: model for model in (Naive, Online, GBM)}
"""The models that serve where no others are named; first the naive forecast, which the others are to beat."""
SERVING = "serving.json"
Served = Forecaster | Combination


def classes(names: Iterable[str]) -> dict[str, type[Any]]:
    """Return the models of these names and the naive one, in the zoo's order, combinations of models last.

    Raises ValueError that lists the known ones where one is unknown. Others than `MODELS` load the zoo: seconds.
    """
    wanted = {Naive.name, *names}
    if wanted <= set(MODELS):
        return {name: model for name, model in MODELS.items() if name in wanted}
    from models.zoo import COMBINERS, ZOO  # noqa: PLC0415 - XGBoost and arch

    known = {**ZOO, **COMBINERS}
    unknown = sorted(wanted - set(known))
    if unknown:
        raise ValueError(f"no model {unknown[0]!r}; the models are {', '.join(known)}")
    return {name: model for name, model in known.items() if name in wanted}


def save(folder: Path, definition: Definition, forecasters: Sequence[Served]) -> list[Path]:
    """Write the artifacts below <home>/models and put them, and only them, into service; return where they lie.

    A reader sees the old list or the new one, and never a half-written artifact. One that starts between the two files
    finds models of another definition, and is refused them until the list is there too.
    Raises ValueError with one line where a model was fitted on features of another definition.
    """
    for forecaster in forecasters:
        _fits(forecaster, definition.fingerprint)
    paths = []
    for forecaster in forecasters:
        path = folder / forecaster.name / forecaster.version
        draft = path.with_name(f".{path.name}.draft")
        shutil.rmtree(draft, ignore_errors=True)
        forecaster.save(draft)
        if path.exists():  # the same version: the same content
            shutil.rmtree(draft)
        else:
            draft.rename(path)
        paths.append(path)
    definition.save(folder)
    listed = {forecaster.name: forecaster.version for forecaster in forecasters}
    draft = folder / f".{SERVING}.draft"
    draft.write_bytes(msgspec.json.encode(listed))
    draft.replace(folder / SERVING)
    return paths


def load_all(folder: Path, fingerprint: str) -> list[Served]:
    """Return the models in service, in the zoo's order, combinations of models last.

    Raises ValueError with one line where none were trained, one is unknown, an artifact is not what was saved, or was
    fitted on features of another definition than the one that `fingerprint` names.
    """
    path = folder / SERVING
    try:
        serving = msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    except OSError as error:
        raise ValueError(f"{path}: no models in service ({error.strerror}); run foretick train") from error
    except msgspec.DecodeError as error:
        raise ValueError(f"{path}: not a list of models in service ({error}); run foretick train") from error
    try:
        known = classes(serving)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    loaded: list[Served] = []
    for name, model in known.items():
        if name in serving:
            path = folder / name / serving[name]
            forecaster = model.load(path)
            if forecaster.version != serving[name]:
                raise ValueError(f"{path}: holds version {forecaster.version}: changed since; run foretick train")
            _fits(forecaster, fingerprint)
            loaded.append(forecaster)
    return loaded


def _fits(forecaster: Served, fingerprint: str) -> None:
    if forecaster.fingerprint != fingerprint:
        raise ValueError(
            f"model {forecaster.name!r} was fitted on features {forecaster.fingerprint}, but {fingerprint} are "
            "computed; run foretick train"
        )
