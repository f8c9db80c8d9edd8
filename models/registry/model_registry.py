"""The models, and their artifacts: <home>/models/<name>/<version>/; serving.json lists those in service.

Beside them lies features.json, the definition of the features that all of them were fitted on.
"""

import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from features.definition import Definition
from models.baselines.naive import Naive
from models.combine.combiner import Combination
from models.forecaster import Forecaster
from models.registry import names as known
from models.registry import provenance as origin
from models.registry.listing import SERVING, names, place, serve, serving, versions
from models.registry.provenance import Provenance
from models.registry.zoo import COMBINERS, ZOO

Served = Forecaster | Combination
ServedClass = type[Forecaster] | type[Combination]

__all__ = [  # listing files is separate, for commands that should not wait for the import of LightGBM
    "SERVING",
    "Served",
    "ServedClass",
    "classes",
    "divided",
    "load",
    "load_all",
    "load_version",
    "names",
    "provenance",
    "save",
    "serve",
    "serving",
    "store",
    "tunable",
    "versions",
]


def classes(names: Iterable[str]) -> dict[str, ServedClass]:
    """Return the models of these names and the naive one, in the zoo's order, combinations of models last.

    Raises ValueError with the nearest name where one is unknown.
    """
    wanted = {Naive.name, *names}
    known.check(sorted(wanted))
    fitted = {name: ZOO[name] for name in ZOO if name in wanted}
    return {**fitted, **{name: COMBINERS[name] for name in COMBINERS if name in wanted}}


def divided(
    served: Mapping[str, ServedClass],
) -> tuple[dict[str, type[Forecaster]], dict[str, type[Combination]]]:
    """Return the models that are fitted on history, and those that combine the others' forecasts."""
    fitted: dict[str, type[Forecaster]] = {}
    combining: dict[str, type[Combination]] = {}
    for name, model in served.items():
        if issubclass(model, Combination):
            combining[name] = model
        else:
            fitted[name] = model
    return fitted, combining


def tunable(name: str) -> type[Forecaster]:
    """Return the model of this name. Raises ValueError with one line where it is unknown or has nothing to tune."""
    model = divided(classes([name]))[0].get(name)
    if model is None or not model.SPACE:
        raise ValueError(f"model {name!r} has nothing to tune")
    return model


def store(folder: Path, forecaster: Served, provenance: Provenance | None = None) -> Path:
    """Write an artifact below <home>/models, out of service, and return its folder; a version is written once.

    Writing is atomic, with the importance of the inputs if the model has one. The `provenance` replaces an earlier one.
    """
    path = folder / forecaster.name / forecaster.version
    draft = path.with_name(f".{path.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    forecaster.save(draft)
    importance = forecaster.importance()
    if importance is not None:
        importance.save(draft)
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
    """Write the artifacts below <home>/models and put only them into service; return their folders.

    The list and each artifact are written atomically. A process that starts between the two finds models of another
    definition, and is refused them until the list is written. Raises ValueError with one line if a model was fitted on
    features of another definition.
    """
    for forecaster in forecasters:
        _fits(forecaster, definition.fingerprint)
    paths = [store(folder, forecaster, provenance) for forecaster in forecasters]
    definition.save(folder)
    serve(folder, {forecaster.name: forecaster.version for forecaster in forecasters})
    return paths


def load_all(folder: Path, fingerprint: str) -> list[Served]:
    """Return the models in service, in the zoo's order, combinations of models last.

    Raises ValueError with one line if none were trained, one is unknown, an artifact is not what was saved, or was
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
    """Return a version's provenance, None if there is none.

    Raises ValueError with one line if it cannot be read.
    """
    return origin.read(place(folder, name, version))


def load_version(folder: Path, name: str, version: str) -> Served:
    """Return one version of a model, whatever the features that it was fitted on: to look at, not to forecast with.

    Raises ValueError with one line if the model is unknown, or the artifact is not what was saved.
    """
    path = place(folder, name, version)
    forecaster: Served = classes([name])[name].load(path)
    if forecaster.version != version:
        raise ValueError(f"{path}: holds version {forecaster.version}: changed since; run foretick train")
    return forecaster


def _load(folder: Path, model: ServedClass, version: str, fingerprint: str) -> Served:
    forecaster = load_version(folder, model.name, version)
    _fits(forecaster, fingerprint)
    return forecaster


def _fits(forecaster: Served, fingerprint: str) -> None:
    if forecaster.fingerprint != fingerprint:
        raise ValueError(
            f"model {forecaster.name!r} was fitted on features {forecaster.fingerprint}, but {fingerprint} are "
            "computed; run foretick train"
        )
