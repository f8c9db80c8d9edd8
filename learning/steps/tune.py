"""Tune: a study of each model with tunable parameters, if the run has trials."""

from learning.runs.step_results import Tuned
from learning.runs.work import Work
from models.registry import parameters
from models.registry.model_registry import divided, tunable


def tune(work: Work) -> None:
    """Search each model's parameters and keep those that are clearly better, for this training and all later ones.

    A model whose search fails is trained with its present parameters.
    """
    if work.lease.run.options.tune:
        names = [name for name, model in divided(work.classes)[0].items() if model.SPACE]
        work.each("tune", names, lambda name: _one(work, name))
    values = parameters.read(work.models)
    work.parameters = {name: values[name] for name in work.classes if values.get(name)}


def _one(work: Work, name: str) -> None:
    from learning.tuning.objective import Plan  # noqa: PLC0415 - Optuna: seconds that only who tunes is to pay
    from learning.tuning.search import search  # noqa: PLC0415 - likewise

    options, settings = work.lease.run.options, work.settings

    def make() -> Tuned:
        plan = Plan(seed=options.seed)
        tuning_result = search(
            settings, tunable(name), work.bars, settings.universe, options.tune, plan, on_message=work.on_message
        )
        if tuning_result.better and options.keep:
            parameters.write(work.models, name, tuning_result.parameters)
        return Tuned(tuning_result.study, tuning_result.better, tuning_result.parameters, tuning_result.numbers())

    work.once("tune", name, (options.tune, options.seed, work.data()), Tuned, make)
