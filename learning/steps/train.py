"""Train: every model on all of the history, each with its parameters."""

from time import monotonic

import msgspec

from evaluation.eta import RemainingTime
from evaluation.walk_forward import code_of
from learning.runs.step_results import TrainedModel
from learning.runs.work import Work
from learning.tracking.log_training import FitLog, log_training
from models import training
from models.registry import model_registry
from models.search_space import NONE


def train(work: Work) -> None:
    """Fit the models and store their artifacts, out of service. Raises ValueError if none could be fitted."""
    left = RemainingTime(len(work.classes))

    def one(name: str) -> None:
        _one(work, name)
        work.on_message(f"{name} is fitted ({left.step()})")

    work.each("train", work.classes, one)
    if not work.fitted:
        raise ValueError(f"no model could be trained: {'; '.join(work.failures.values())}")


def _one(work: Work, name: str) -> None:
    model, origin = work.classes[name], work.data()
    parameters = work.parameters.get(name, NONE)
    universe = sorted(work.settings.universe.items())

    def make() -> TrainedModel:
        began = monotonic()
        with work.tracked("train", name) as run:
            fit = FitLog(run)

            def told(what: str) -> None:
                work.on_message(f"{name}: {what}")
                fit.told(what)

            checkpoint = work.folder / "train" / f"{name}.checkpoint"
            checkpoint.parent.mkdir(parents=True, exist_ok=True)
            work.on_message(f"fitting {name}")
            fitted = training.fit(model, work.definition, work.frames, origin.seed, parameters, told, checkpoint)
            folder = model_registry.store(work.models, fitted)
            seconds = monotonic() - began
            own = msgspec.structs.replace(origin, parameters=dict(parameters))
            log_training(run, name, fitted.version, own, seconds)
            fit.stored(name, folder)
        return TrainedModel(fitted.version, seconds, dict(parameters), run.run_id)

    depends = (origin, universe, sorted(parameters.items()), code_of(model))
    work.fitted[name] = work.once("train", name, depends, TrainedModel, make)
