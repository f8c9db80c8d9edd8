"""Which models there are, and their artifacts: <home>/models/<name>/<version>/; serving.json lists those in service.

Beside them lies features.json, the definition of the features that all of them were fitted on.
"""

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from features.definition import Definition
from models import provenance as origin
from models.combiner import Combination
from models.forecaster import Forecaster
from models.gbm import GBM
from models.listing import SERVING, names, place, serve, serving, versions
from models.naive import Naive
from models.online import Online
from models.provenance import Provenance

MODELS: dict[str, type[Naive] | type[Online] | type[GBM]] = {model.name: model for model in (Naive, Online, GBM)}
"""The models that serve where no others are named; first the naive forecast, which the others are to beat."""
Served = Forecaster | Combination

__all__ = [  # what only lists files lies apart, for commands that shall not wait for LightGBM to be imported
    "MODELS",
    "SERVING",
    "Served",
    "classes",
    "load",
    "load_all",
    "names",
    "provenance",
    "save",
    "serve",
    "serving",
    "store",
    "versions",
]


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


def store(folder: Path, forecaster: Served, provenance: Provenance | None = None) -> Path:
    """Write an artifact below <home>/models, out of service, and return where it lies; a version is written once.

    A reader sees it whole or not at all. What is told of its `provenance` replaces what was told before.
    """
    path = folder / forecaster.name / forecaster.version
    draft = path.with_name(f".{path.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    forecaster.save(draft)
    if path.exists():  # the same version: the same content
        shutil.rmtree(draft)
    else:
        draft.rename(path)
    if provenance is not None:
        origin.write(path, provenance)
    return path


def save(
    folder: Path, definition: Definition, forecasters: Sequence[Served], provenance: Provenance | None = None
) -> list[Path]:
    """Write the artifacts below <home>/models and put them, and only them, into service; return where they lie.

    A reader sees the old list or the new one, and never a half-written artifact. One that starts between the two files
    finds models of another definition, and is refused them until the list is there too.
    Raises ValueError with one line where a model was fitted on features of another definition.
    """
    for forecaster in forecasters:
        _fits(forecaster, definition.fingerprint)
    paths = [store(folder, forecaster, provenance) for forecaster in forecasters]
    definition.save(folder)
    serve(folder, {forecaster.name: forecaster.version for forecaster in forecasters})
    return paths


def load_all(folder: Path, fingerprint: str) -> list[Served]:
    """Return the models in service, in the zoo's order, combinations of models last.

    Raises ValueError with one line where none were trained, one is unknown, an artifact is not what was saved, or was
    fitted on features of another definition than the one that `fingerprint` names.
    """
    listed = serving(folder)
    try:
        known = classes(listed)
    except ValueError as error:
        raise ValueError(f"{folder / SERVING}: {error}") from error
    return [_load(folder, model, listed[name], fingerprint) for name, model in known.items() if name in listed]


def load(folder: Path, name: str, version: str, fingerprint: str) -> Served:
    """Return one version of a model. Raises ValueError as `load_all` does."""
    return _load(folder, classes([name])[name], version, fingerprint)


def provenance(folder: Path, name: str, version: str) -> Provenance | None:
    """Return where a version comes from, None where nothing is told.

    Raises ValueError with one line where what is told cannot be read.
    """
    return origin.read(place(folder, name, version))


def _load(folder: Path, model: type[Any], version: str, fingerprint: str) -> Served:
    path = place(folder, model.name, version)
    forecaster: Served = model.load(path)
    if forecaster.version != version:
        raise ValueError(f"{path}: holds version {forecaster.version}: changed since; run foretick train")
    _fits(forecaster, fingerprint)
    return forecaster


def _fits(forecaster: Served, fingerprint: str) -> None:
    if forecaster.fingerprint != fingerprint:
        raise ValueError(
            f"model {forecaster.name!r} was fitted on features {forecaster.fingerprint}, but {fingerprint} are "
            "computed; run foretick train"
        )
