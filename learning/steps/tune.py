"""Tune: a study of each model that has something to tune, where the run asks for trials."""

from learning.results import Tuned
from learning.work import Work
from models import parameters


def tune(work: Work) -> None:
    """Search each model's parameters and keep those that are clearly better, for this training and all later ones.

    A model whose search fails is trained with the parameters that it has.
    """
    if work.held.run.options.tune:
        tunable = [name for name, model in work.classes.items() if parameters.space_of(model)]
        work.each("tune", tunable, lambda name: _one(work, name))
    found = parameters.read(work.models)
    work.parameters = {name: found[name] for name in work.classes if found.get(name)}


def _one(work: Work, name: str) -> None:
    from learning.objective import Plan  # noqa: PLC0415 - Optuna: seconds that only who tunes is to pay
    from learning.search import search  # noqa: PLC0415

    options, settings, model = work.held.run.options, work.settings, work.classes[name]

    def make() -> Tuned:
        plan = Plan(seed=options.seed)
        found = search(settings, model, work.bars, settings.universe, options.tune, plan, told=work.told)
        if found.better:
            parameters.write(work.models, name, found.parameters)
        return Tuned(found.study, found.better, found.parameters, found.numbers())

    work.once("tune", name, (options.tune, options.seed, work.data()), Tuned, make)
