"""LightGBM's own parameters: what may be tuned of them, and training by them."""

from collections.abc import Mapping
from typing import Any

from models.plain_lightgbm import lightgbm
from models.space import Choice, Integer, Kind, Real
from models.trees import LEAVES


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
"""What is weighed against a number of rows."""


def trained(
    parameters: Mapping[str, Any], data: lightgbm.Dataset, seed: int, rounds: int, **more: Any
) -> lightgbm.Booster:
    """Return a booster of so many rounds; `more` is what the data need not know.

    Raises ValueError with one line where LightGBM refuses, as it does where leaves of that size are too large for the
    rows.
    """
    try:
        return lightgbm.train({**parameters, **more, "seed": seed}, data, rounds)
    except lightgbm.basic.LightGBMError as error:
        raise ValueError(f"LightGBM refuses these parameters for these rows: {' '.join(str(error).split())}") from error


def thinned(parameters: Mapping[str, Any], names: tuple[str, ...], thin: int) -> dict[str, Any]:
    """Return the parameters for a `thin`-th of the rows: a leaf is as large a part of them, and shrunk as much."""
    if thin == 1:
        return dict(parameters)
    per_row = {name: parameters[name] for name in names if name in parameters}
    fewer = {name: max(1, round(v / thin)) if isinstance(v, int) else v / thin for name, v in per_row.items()}
    return {**parameters, **fewer}
