"""A search for a model's parameters with settings and bars: the study's name, storage and tracking."""

from collections.abc import Callable, Mapping, Sequence

from features.frame import BarFrame
from learning.tracking.tracker import Tracker
from learning.tuning.objective import Objective, Plan
from learning.tuning.study import PRUNERS, Shared, pruner_of
from learning.tuning.tuner import tune
from learning.tuning.tuning_result import TuningResult
from models.forecaster import Forecaster
from models.registry import parameters
from models.search_space import NONE
from settings import Settings


def search(
    settings: Settings,
    model: type[Forecaster],
    bars: Sequence[BarFrame],
    universe: Mapping[str, float],
    trials: int,
    plan: Plan | None = None,
    pruner: str = PRUNERS[0],
    timeout: float | None = None,
    on_message: Callable[[str], None] = lambda _: None,
) -> TuningResult:
    """Return the result of a study with this many trials of a model, on the features of the settings.

    A study is identified by the model, its space, the features, the trials' bars and the plan: a change of any begins
    another. Raises ValueError with one line if the model has nothing to tune, or there are too few bars, and
    StorageError if the database cannot be reached.
    """
    if not model.SPACE:
        raise ValueError(f"model {model.name!r} has nothing to tune")
    if not bars:
        raise ValueError("no bars to tune on: give files, or let the stream store some")
    present = parameters.read(settings.home / "models").get(model.name, NONE)
    plan = plan or Plan()
    objective = Objective(model, bars, plan, universe, settings.timeframes, settings.features)
    name = f"{model.name}-{objective.definition.fingerprint}-{objective.identity}"
    on_message(f"study {name}")
    url = settings.database_url.get_secret_value()
    shared = Shared(url, name, model.SPACE, pruner_of(pruner, plan.folds), plan.seed)
    return tune(
        objective,
        shared,
        trials,
        Tracker(settings.mlflow_uri.get_secret_value(), on_message),
        on_message,
        timeout,
        present,
    )
