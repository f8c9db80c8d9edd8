"""A search for a model's parameters as settings and bars give it: the study's name, its storage and its tracking."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from features.frame import BarFrame
from learning.objective import Objective, Plan
from learning.study import PRUNERS, Shared, pruner_of
from learning.tracking import Tracker
from learning.tuning import tune
from learning.verdict import Verdict
from models import parameters
from models.space import NONE
from settings import Settings


def search(
    settings: Settings,
    model: type[Any],
    bars: Sequence[BarFrame],
    universe: Mapping[str, float],
    trials: int,
    plan: Plan | None = None,
    pruner: str = PRUNERS[0],
    timeout: float | None = None,
    told: Callable[[str], None] = lambda _: None,
) -> Verdict:
    """Return what a study of so many trials says of a model, on the features that the settings ask for.

    A study belongs to the model, its space, the features, the bars that trials see and the plan: whatever changes of
    these begins another. Raises ValueError with one line where the model has nothing to tune, or the bars are too few,
    and StorageError where the database cannot be reached.
    """
    space = parameters.space_of(model)
    if not space:
        raise ValueError(f"model {model.name!r} has nothing to tune")
    if not bars:
        raise ValueError("no bars to tune on: give files, or let the stream store some")
    present = parameters.read(settings.home / "models").get(model.name, NONE)
    plan = plan or Plan()
    objective = Objective(model, bars, plan, universe, settings.timeframes, settings.features)
    name = f"{model.name}-{objective.definition.fingerprint}-{objective.identity}"
    told(f"study {name}")
    url = settings.database_url.get_secret_value()
    shared = Shared(url, name, space, pruner_of(pruner, plan.folds), plan.seed)
    return tune(
        objective, shared, trials, Tracker(settings.mlflow_uri.get_secret_value(), told), told, timeout, present
    )
