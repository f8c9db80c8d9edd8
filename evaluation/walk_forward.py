"""The walk forward: each split's models are fitted, then forecast the rows after, as the stream does.

Results are cached in a folder, so that an interrupted walk can be resumed: artifacts and forecasts are recomputed only
if the bars, the split, the features' definition, the seed or the model's own code differ.
"""

import hashlib
import inspect
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cached_property
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace
from safetensors import safe_open
from safetensors.numpy import save_file

from evaluation.label_columns import labels_of
from evaluation.labels import Labels
from evaluation.progress import RemainingFits, scores
from evaluation.splits import DAY, Split
from features.definition import Definition
from features.frame import BarFrame, FeatureFrame, Ints
from models import training
from models.forecaster import Forecaster, Forecasts
from models.intervals import calibration
from models.intervals.calibration import Calibration
from models.registry.model_registry import ServedClass
from models.registry.parameters import ByModel
from models.search_space import NONE, Parameters
from topics.records import HORIZONS

WARM_UP = 7 * DAY
"""Before a split's test the models walk this long, so that scales and intervals are warmed up when scoring begins."""
CHUNK = 20_000
"""Rows forecast in one call, at most."""
PARTS = ("mean", "scale", "quantiles", "p_up")
FORECASTS = "forecasts.safetensors"
OnMessage = Callable[[str], None]
Model = type[Forecaster]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class PreparedSplit:
    """One split: the features of all symbols, and the folder of its results."""

    split: Split
    definition: Definition
    frames: list[FeatureFrame]
    folder: Path
    key: str

    def walked(self) -> list[FeatureFrame]:
        """Return the rows that are forecast, one frame a symbol."""
        return [self.split.walked(frame, WARM_UP) for frame in self.frames]

    @cached_property
    def labels(self) -> Labels:
        """The labels of the scored rows."""
        return labels_of(self.frames, HORIZONS, self.split.cut, self.split.end)

    def done(self) -> "WalkedSplit":
        """Return the part needed for combining and scoring, without the training rows."""
        frames = [own_copy(frame) for frame in self.walked()]
        return WalkedSplit(
            split=self.split, definition=self.definition, folder=self.folder, frames=frames, labels=self.labels
        )


@dataclass(frozen=True, kw_only=True)
class WalkedSplit:
    """One split after its models have forecast: the walked rows of each symbol, and the labels of the scored rows."""

    split: Split
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
        rows = np.concatenate([frame.time >= self.split.cut for frame in self.frames])
        return take_rows(self.load(name), rows)


def prepare(
    bars: Sequence[BarFrame], universe: Mapping[str, float], split: Split, folder: Path, seed: int
) -> PreparedSplit:
    """Return a split's features: their definition is fitted on its training bars, and no later bar is read."""
    definition = training.define([frame[frame.time < split.cut] for frame in bars])
    definition.save(folder / split.name)
    frames = training.features([frame[frame.time < split.end] for frame in bars], definition, universe)
    data = hashlib.sha256(repr((split, definition.fingerprint, seed, WARM_UP, sorted(universe.items()))).encode())
    for frame in frames:
        data.update(frame.symbol.encode() + frame.time.tobytes() + frame.close.tobytes())
    return PreparedSplit(
        split=split, definition=definition, frames=frames, folder=folder / split.name, key=data.hexdigest()
    )


def forecast(model: Forecaster, frame: FeatureFrame) -> Forecasts:
    """Return a model's calibrated forecasts of a symbol's rows, bit for bit those that the stream publishes.

    It starts with the first row from the initial state.
    """
    state, calibrated, parts = model.initial(), Calibration.initial(len(model.horizons)), []
    for first in range(0, len(frame), CHUNK):
        rows = frame[first : first + CHUNK]
        state, forecasts = model.step(state, rows)
        forecasts = forecasts.limited()
        calibrated, quantiles = calibration.step(calibrated, rows, forecasts, model.horizons)
        parts.append(Forecasts(forecasts.mean, forecasts.scale, quantiles, forecasts.p_up))
    return joined(parts)


def take_rows(forecasts: Forecasts, rows: Flags | Ints | slice) -> Forecasts:
    """Return these rows of the forecasts."""
    return Forecasts(*(getattr(forecasts, part)[rows] for part in PARTS))


def own_copy(frame: FeatureFrame) -> FeatureFrame:
    """Return a copy of the frame, so that the original can be freed."""
    return replace(frame, time=frame.time.copy(), close=frame.close.copy(), values=frame.values.copy())


def joined(parts: Sequence[Forecasts]) -> Forecasts:
    """Return the forecasts of the parts, one after another."""
    return Forecasts(*(np.concatenate([getattr(part, name) for part in parts]) for name in PARTS))


def run(
    prepared: PreparedSplit,
    models: Mapping[str, Model],
    seed: int,
    jobs: int,
    on_message: OnMessage = lambda _: None,
    parameters: ByModel = training.UNTUNED,
    pace: RemainingFits | None = None,
) -> None:
    """Fit and forecast missing results, `jobs` models at a time, each in a process of its own.

    `parameters` are by model; others have their defaults. `on_message` gets each model with its scores, and the
    remaining time by `pace`.
    """
    pace = pace or RemainingFits(tuple(models), 1, jobs)
    missing = [
        name for name, model in models.items() if not has_forecasts(prepared, name, model, parameters.get(name, NONE))
    ]
    for name in models.keys() - missing:
        pace.kept(name)
    if missing:
        _ = prepared.labels  # once, before the processes are made
    global _shared  # noqa: PLW0603 - what the forked processes inherit without a copy
    _shared = (prepared, models, seed, parameters)
    if jobs == 1:
        for name in missing:
            on_message(_recorded(_one(name), prepared, pace))
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("fork"), max_tasks_per_child=None) as pool:
        futures = [pool.submit(_one, name) for name in missing]
        for future in as_completed(futures):
            on_message(_recorded(future.result(), prepared, pace))


_shared: tuple[PreparedSplit, Mapping[str, Model], int, ByModel] | None = None


class FittedModel(NamedTuple):
    """A model that was fitted and has forecast a split: its scores in words, and its duration in seconds."""

    name: str
    version: str
    scores: str
    seconds: float


def _recorded(one: FittedModel, prepared: PreparedSplit, pace: RemainingFits) -> str:
    pace.fitted(one.name, one.seconds)
    return f"{prepared.split.name}: {one.name} {one.version}, {one.scores}; {pace.summary()}"


def _one(name: str) -> FittedModel:
    """Fit one model and save its forecasts."""
    began = time.monotonic()
    assert _shared is not None  # noqa: S101 - set before the processes are made
    prepared, models, seed, parameters = _shared
    own = parameters.get(name, NONE)
    model = models[name](prepared.definition.names, parameters=own)
    folder = prepared.folder / name
    if model.resumable:
        folder.mkdir(parents=True, exist_ok=True)
        model.checkpoint, model.progress = folder / "checkpoint", _epoch(f"{prepared.split.name}: {name}: ")
    model.fit([prepared.split.training(frame) for frame in prepared.frames], seed)
    model.save(folder / model.version)
    forecasts = joined([forecast(model, frame) for frame in prepared.walked()])
    save_forecasts(folder, forecasts, {"key": _key(prepared, models[name], own), "version": model.version})
    rows = np.concatenate([frame.time >= prepared.split.cut for frame in prepared.walked()])
    return FittedModel(name, model.version, scores(forecasts.mean[rows], prepared.labels), time.monotonic() - began)


def _epoch(prefix: str) -> OnMessage:
    """Return the callback of an epoch: it prints on stderr, since this process shares nothing else with its parent."""

    def tell(what: str) -> None:
        sys.stderr.write(f"{prefix}{what}\n")
        sys.stderr.flush()

    return tell


def save_forecasts(folder: Path, forecasts: Forecasts, about: Mapping[str, str]) -> None:
    """Write the forecasts of the walked rows atomically."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{FORECASTS}.draft"
    save_file({part: np.ascontiguousarray(getattr(forecasts, part)) for part in PARTS}, draft, dict(about))
    draft.replace(folder / FORECASTS)


def has_forecasts(prepared: PreparedSplit, name: str, model: Model, parameters: Parameters = NONE) -> bool:
    """Return whether the forecasts of this model, with these parameters and rows, are saved."""
    path = prepared.folder / name / FORECASTS
    if not path.exists():
        return False
    with safe_open(path, "numpy") as file:
        return bool(file.metadata()["key"] == _key(prepared, model, parameters))


def artifact_of(folder: Path, name: str) -> Path:
    """Return the folder of the artifact that made a model's forecasts in a split's folder.

    Raises ValueError with one line if there is none.
    """
    path = folder / name / FORECASTS
    if not path.exists():
        kept_ones = ", ".join(sorted(result.parent.name for result in folder.glob(f"*/{FORECASTS}")))
        raise ValueError(f"{folder}: no forecasts of model {name!r} by foretick evaluate; it has {kept_ones or 'none'}")
    with safe_open(path, "numpy") as file:
        return folder / name / str(file.metadata()["version"])


def code_of(model: ServedClass) -> list[str]:
    """Return the source of what a model is made by."""
    return [inspect.getsource(module) for module in _modules(model)]


def _key(prepared: PreparedSplit, model: Model, parameters: Parameters) -> str:
    about = (prepared.key, code_of(model), sorted(parameters.items()))
    return hashlib.sha256(repr(about).encode()).hexdigest()


def _modules(model: ServedClass) -> Iterator[ModuleType]:
    """Yield the modules of ours that a model's classes stand in, and the calibration's."""
    yield calibration
    for part in model.__mro__:
        module = inspect.getmodule(part)
        if module is not None and module.__name__.startswith("models."):
            yield module
