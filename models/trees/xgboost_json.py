"""XGBoost's JSON as the trees that `models.trees.compiled` sums: like XGBoost in single precision, so to the bit."""

from typing import Any

import msgspec
import numpy as np

from models.trees.compiled import Node, Trees, TreeSplit


def read(text: str) -> Trees:
    """Return the trees of a model with one output and a base score of 0; raises ValueError where it is another."""
    learner = msgspec.json.decode(text)["learner"]
    about, booster = learner["learner_model_param"], learner["gradient_booster"]
    if int(about["num_class"]) > 1 or int(about["num_target"]) > 1 or float(about["base_score"].strip("[]")) != 0:
        raise ValueError("an XGBoost model has several outputs, or a base score other than 0")
    if booster["name"] != "gbtree":
        raise ValueError(f"an XGBoost model has a booster {booster['name']!r}, not trees")
    return Trees.made([_node(tree, 0) for tree in booster["model"]["trees"]], 1, np.float32)


def _node(tree: dict[str, Any], node: int) -> Node:
    """Return a node of a tree; raises ValueError where it splits by categories."""
    left, right, condition = (tree[name][node] for name in ("left_children", "right_children", "split_conditions"))
    if left < 0:
        return float(condition)
    if tree["split_type"][node]:
        raise ValueError("an XGBoost tree splits by categories, not by a threshold")
    # Less than the threshold goes left: of numbers in single precision, those up to the one before it.
    threshold = np.nextafter(np.float32(condition), np.float32(-np.inf))
    unknown_right = not tree["default_left"][node]
    return TreeSplit(
        tree["split_indices"][node], float(threshold), unknown_right, _node(tree, left), _node(tree, right)
    )
