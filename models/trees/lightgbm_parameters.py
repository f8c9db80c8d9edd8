"""LightGBM's own parameters: what may be tuned of them, and training by them."""

from collections.abc import Callable, Mapping
from typing import Any

from features.frame import Floats
from models.search_space import Choice, Integer, Kind, Real
from models.trees.compiled import LEAVES
from models.trees.lightgbm_import import lightgbm


def trees(parameters: Mapping[str, Any]) -> dict[str, Kind]:
    """Return the space around these parameters; more leaves than compiled code reads are not tried."""
    return {
        "num_leaves": Integer(7, LEAVES, parameters["num_leaves"], log=True),
        "min_data_in_leaf": Integer(200, 5_000, parameters["min_data_in_leaf"], log=True),
        "lambda_l2": Real(1.0, 1_000.0, parameters["lambda_l2"], log=True),
        "lambda_l1": Real(0.0, 300.0, 0.0),
        "feature_fraction": Real(0.15, 0.6, parameters["feature_fraction"]),
        "bagging_fraction": Real(0.4, 0.8, parameters["bagging_fraction"]),
        "path_smooth": Real(0.0, 100.0, 0.0),
        "extra_trees": Choice((False, True), default=False),
        "max_bin": Choice((63, 127), parameters["max_bin"]),
    }


PER_ROW = ("min_data_in_leaf", "lambda_l2", "lambda_l1", "path_smooth")
"""The parameters that scale with the number of rows."""
NOBODY: Mapping[str, Any] = {}
JUDGED = 4_000
"""The number of training rows, and of held-out rows, on which each round is scored if there is a callback."""
Tell = Callable[[int, float, float], None]
"""Called for a round: its number, and its loss on training rows and on held-out rows."""


def some(x: Any, y: Floats) -> tuple[Any, Floats]:
    """Return the rows on which a round is scored: at most `JUDGED`, spread evenly."""
    every = -(-len(x) // JUDGED)
    return x[::every], y[::every]


def judged_by(sets: list[lightgbm.Dataset], tell: Tell, **how: Any) -> dict[str, Any]:
    """Return the arguments with which LightGBM reports each round's loss, its objective's unless `how` names another
    `feval`.

    The first of the `sets` are training rows, the others held-out rows. The trees are unchanged.
    """

    def told(now: Any) -> None:
        losses = [result[2] for result in now.evaluation_result_list]
        tell(now.iteration + 1, losses[0], losses[-1])

    return {"valid_sets": sets, "valid_names": ["taught", "held out"], "callbacks": [told], **how}


def trained(
    parameters: Mapping[str, Any],
    data: lightgbm.Dataset,
    seed: int,
    rounds: int,
    judged: Mapping[str, Any] = NOBODY,
    **more: Any,
) -> lightgbm.Booster:
    """Return a booster of this many rounds; `more` are further parameters, `judged` is for the scores of each round.

    Raises ValueError with one line if LightGBM refuses, as it does where leaves of that size are too large for the
    rows.
    """
    try:
        return lightgbm.train({**parameters, **more, "seed": seed}, data, rounds, **judged)
    except lightgbm.basic.LightGBMError as error:
        raise ValueError(f"LightGBM refuses these parameters for these rows: {' '.join(str(error).split())}") from error


def thinned(parameters: Mapping[str, Any], names: tuple[str, ...], thin: int) -> dict[str, Any]:
    """Return the parameters for a `thin`-th of the rows: a leaf is as large a part of them, and shrunk as much."""
    if thin == 1:
        return dict(parameters)
    per_row = {name: parameters[name] for name in names if name in parameters}
    fewer = {name: max(1, round(v / thin)) if isinstance(v, int) else v / thin for name, v in per_row.items()}
    return {**parameters, **fewer}
