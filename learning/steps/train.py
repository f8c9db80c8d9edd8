"""Train: every model on all of the history, each with its parameters."""

from time import monotonic

import msgspec

from evaluation.walk import code_of
from learning.log_training import epochs, log_training
from learning.results import Fitted
from learning.work import Work
from models import registry, training
from models.space import NONE


def train(work: Work) -> None:
    """Fit the models and store their artifacts, out of service. Raises ValueError where none could be fitted."""
    work.each("train", work.classes, lambda name: _one(work, name))
    if not work.fitted:
        raise ValueError(f"no model could be trained: {'; '.join(work.failures.values())}")


def _one(work: Work, name: str) -> None:
    model, origin = work.classes[name], work.data()
    parameters = work.parameters.get(name, NONE)
    universe = sorted(work.settings.universe.items())

    def make() -> Fitted:
        began = monotonic()
        with work.tracked("train", name) as run:
            curve = epochs(run)

            def told(what: str) -> None:
                work.told(f"{name}: {what}")
                curve(what)

            checkpoint = work.folder / "train" / f"{name}.checkpoint"
            checkpoint.parent.mkdir(parents=True, exist_ok=True)
            work.told(f"fitting {name}")
            fitted = training.fit(model, work.definition, work.frames, origin.seed, parameters, told, checkpoint)
            registry.store(work.models, fitted)
            seconds = monotonic() - began
            own = msgspec.structs.replace(origin, parameters=dict(parameters))
            log_training(run, name, fitted.version, own, seconds)
        return Fitted(fitted.version, seconds, dict(parameters), run.run_id)

    depends = (origin, universe, sorted(parameters.items()), code_of(model))
    work.fitted[name] = work.once("train", name, depends, Fitted, make)
