"""The walk forward: each fold's models are fitted, then forecast the rows after, as the stream does.

What is done is kept in a folder, and an interrupted walk goes on where it was: artifacts and forecasts are made anew
only where the bars, the fold, the features' definition, the seed or the model's own code differ.
"""

import hashlib
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace
from safetensors import safe_open
from safetensors.numpy import save_file

from evaluation.folds import DAY, Fold
from evaluation.labels import Labels
from evaluation.truth import labels_of
from features.definition import Definition
from features.frame import BarFrame, FeatureFrame, Ints
from models import calibration, training
from models.calibration import Calibration
from models.forecaster import Forecaster, Forecasts
from models.parameters import ByModel, made
from models.space import NONE, Parameters
from topics.records import HORIZONS

WARM_UP = 7 * DAY
"""Before a fold's test the models walk this long, so that scales and intervals are in service when scoring begins."""
CHUNK = 20_000
"""Rows forecast in one call, at most."""
PARTS = ("mean", "scale", "quantiles", "p_up")
FORECASTS = "forecasts.safetensors"
Told = Callable[[str], None]
Model = type[Any]
"""A class that `models.forecaster.Forecaster` describes, made of the features' names."""
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Prepared:
    """One fold: the features of all symbols, and where what is made of it is kept."""

    fold: Fold
    definition: Definition
    frames: list[FeatureFrame]
    folder: Path
    key: str

    def walked(self) -> list[FeatureFrame]:
        """Return the rows that are forecast, one frame a symbol."""
        return [self.fold.walked(frame, WARM_UP) for frame in self.frames]

    def done(self) -> "Walked":
        """Return what is left to be combined and judged, without the training rows."""
        frames = [own_copy(frame) for frame in self.walked()]
        return Walked(
            self.fold,
            self.definition,
            self.folder,
            frames,
            labels_of(self.frames, HORIZONS, self.fold.cut, self.fold.end),
        )


@dataclass(frozen=True)
class Walked:
    """One fold after its models have forecast: the walked rows of each symbol, and what came true of the scored."""

    fold: Fold
    definition: Definition
    folder: Path
    frames: list[FeatureFrame]
    labels: Labels

    def load(self, name: str) -> Forecasts:
        """Return a model's forecasts of the walked rows, one symbol after another."""
        with safe_open(self.folder / name / FORECASTS, "numpy") as file:
            return Forecasts(*(file.get_tensor(part) for part in PARTS))

    def scored(self, name: str) -> Forecasts:
        """Return a model's forecasts of the rows that are scored."""
        rows = np.concatenate([frame.time >= self.fold.cut for frame in self.frames])
        return taken(self.load(name), rows)


def prepare(bars: Sequence[BarFrame], universe: Mapping[str, float], fold: Fold, folder: Path, seed: int) -> Prepared:
    """Return a fold's features: their definition is fitted on its training bars, and no later bar is read."""
    definition = training.define([frame[frame.time < fold.cut] for frame in bars])
    definition.save(folder / fold.name)
    frames = training.features([frame[frame.time < fold.end] for frame in bars], definition, universe)
    data = hashlib.sha256(repr((fold, definition.fingerprint, seed, WARM_UP, sorted(universe.items()))).encode())
    for frame in frames:
        data.update(frame.symbol.encode() + frame.time.tobytes() + frame.close.tobytes())
    return Prepared(fold, definition, frames, folder / fold.name, data.hexdigest())


def forecast(model: Forecaster, frame: FeatureFrame) -> Forecasts:
    """Return a model's calibrated forecasts of a symbol's rows, bit for bit those that the stream publishes.

    It begins with the first row as with one that was not seen before.
    """
    state, calibrated, parts = model.initial(), Calibration.initial(len(model.horizons)), []
    for first in range(0, len(frame), CHUNK):
        rows = frame[first : first + CHUNK]
        state, forecasts = model.step(state, rows)
        forecasts = forecasts.limited()
        calibrated, quantiles = calibration.step(calibrated, rows, forecasts, model.horizons)
        parts.append(Forecasts(forecasts.mean, forecasts.scale, quantiles, forecasts.p_up))
    return joined(parts)


def taken(found: Forecasts, rows: Flags | Ints | slice) -> Forecasts:
    """Return these rows of the forecasts."""
    return Forecasts(*(getattr(found, part)[rows] for part in PARTS))


def own_copy(frame: FeatureFrame) -> FeatureFrame:
    """Return the frame in memory of its own, so that what it was cut from can go."""
    return replace(frame, time=frame.time.copy(), close=frame.close.copy(), values=frame.values.copy())


def joined(parts: Sequence[Forecasts]) -> Forecasts:
    """Return the forecasts of the parts, one after another."""
    return Forecasts(*(np.concatenate([getattr(part, name) for part in parts]) for name in PARTS))


def run(
    prepared: Prepared,
    models: Mapping[str, Model],
    seed: int,
    jobs: int,
    told: Told = lambda _: None,
    parameters: ByModel = training.UNTUNED,
) -> None:
    """Fit and forecast what is not there yet, `jobs` models at a time, each in a process of its own.

    `parameters` are by model; one that is not there has its defaults.
    """
    missing = [name for name, model in models.items() if not kept(prepared, name, model, parameters.get(name, NONE))]
    global _shared  # noqa: PLW0603 - what the forked processes inherit without a copy
    _shared = (prepared, models, seed, parameters)
    if jobs == 1:
        for name in missing:
            told(f"{prepared.fold.name}: {_one(name)}")
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("fork"), max_tasks_per_child=None) as pool:
        futures = [pool.submit(_one, name) for name in missing]
        for future in as_completed(futures):
            told(f"{prepared.fold.name}: {future.result()}")


_shared: tuple[Prepared, Mapping[str, Model], int, ByModel] | None = None


def _one(name: str) -> str:
    """Fit one model and keep its forecasts; return what to tell."""
    assert _shared is not None  # noqa: S101 - set before the processes are made
    prepared, models, seed, parameters = _shared
    own = parameters.get(name, NONE)
    model = made(models[name], prepared.definition.names, own)
    folder = prepared.folder / name
    if hasattr(model, "checkpoint"):
        folder.mkdir(parents=True, exist_ok=True)
        model.checkpoint, model.progress = folder / "checkpoint", _epoch(f"{prepared.fold.name}: {name}: ")
    model.fit([prepared.fold.training(frame) for frame in prepared.frames], seed)
    model.save(folder / model.version)
    found = joined([forecast(model, frame) for frame in prepared.walked()])
    keep(folder, found, {"key": _key(prepared, models[name], own), "version": model.version})
    return f"{name} {model.version}"


def _epoch(prefix: str) -> Told:
    """Return what tells of an epoch: on stderr at once, for this process shares nothing else with who waits for it."""

    def tell(what: str) -> None:
        sys.stderr.write(f"{prefix}{what}\n")
        sys.stderr.flush()

    return tell


def keep(folder: Path, found: Forecasts, about: Mapping[str, str]) -> None:
    """Write the forecasts of the walked rows; a reader sees all of them or none."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{FORECASTS}.draft"
    save_file({part: np.ascontiguousarray(getattr(found, part)) for part in PARTS}, draft, dict(about))
    draft.replace(folder / FORECASTS)


def kept(prepared: Prepared, name: str, model: Model, parameters: Parameters = NONE) -> bool:
    """Tell whether the forecasts of this very model, of these parameters and rows, are there."""
    path = prepared.folder / name / FORECASTS
    if not path.exists():
        return False
    with safe_open(path, "numpy") as file:
        return bool(file.metadata()["key"] == _key(prepared, model, parameters))


def artifact_of(folder: Path, name: str) -> Path:
    """Return where the artifact lies that made a model's forecasts in a fold's folder.

    Raises ValueError with one line where there is none.
    """
    path = folder / name / FORECASTS
    if not path.exists():
        kept_ones = ", ".join(sorted(found.parent.name for found in folder.glob(f"*/{FORECASTS}")))
        raise ValueError(f"{folder}: no forecasts of model {name!r} by foretick evaluate; it has {kept_ones or 'none'}")
    with safe_open(path, "numpy") as file:
        return folder / name / str(file.metadata()["version"])


def code_of(model: Model) -> list[str]:
    """Return the source of what a model is made by."""
    return [inspect.getsource(module) for module in _modules(model)]


def _key(prepared: Prepared, model: Model, parameters: Parameters) -> str:
    about = (prepared.key, code_of(model), sorted(parameters.items()))
    return hashlib.sha256(repr(about).encode()).hexdigest()


def _modules(model: Model) -> Iterator[ModuleType]:
    """Yield the modules of ours that a model's classes stand in, and the calibration's."""
    yield calibration
    for part in model.__mro__:
        module = inspect.getmodule(part)
        if module is not None and module.__name__.startswith("models."):
            yield module
