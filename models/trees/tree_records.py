"""The libraries' trees as the records of `models.structure`."""

from typing import Any

import msgspec
import numpy as np

from models.structure import Tree, TreeNode
from models.trees.lightgbm_import import lightgbm


def of_lightgbm(booster: lightgbm.Booster) -> list[Tree]:
    """Return a booster's trees, in their order."""
    results = []
    for tree in booster.dump_model()["tree_info"]:
        nodes: list[TreeNode] = []
        _add(tree["tree_structure"], nodes)
        results.append(Tree.of(nodes))
    return results


def _add(node: dict[str, Any], nodes: list[TreeNode]) -> int:
    """Add a node and those below it, and return its place."""
    place = len(nodes)
    if "leaf_value" in node:
        rows = float(node.get("leaf_count", 0))  # a tree without a split has no count
        nodes.append(TreeNode(value=float(node["leaf_value"]), rows=rows))
        return place
    nodes.append(TreeNode())  # its place is before those below it
    left, right = _add(node["left_child"], nodes), _add(node["right_child"], nodes)
    nodes[place] = TreeNode(
        feature=int(node["split_feature"]),
        threshold=float(node["threshold"]),
        # A feature that was never unknown in training counts as zero if it is unknown: see `models.trees.compiled`.
        unknown_right=not (node["default_left"] if node["missing_type"] == "NaN" else node["threshold"] >= 0),
        left=left,
        right=right,
        gain=float(node["split_gain"]),
        rows=float(node["internal_count"]),
    )
    return place


def of_xgboost(text: str) -> list[Tree]:
    """Return the trees of a model in XGBoost's JSON, in their order."""
    learner = msgspec.json.decode(text)["learner"]
    return [Tree.of(_nodes(tree)) for tree in learner["gradient_booster"]["model"]["trees"]]


def _nodes(tree: dict[str, Any]) -> list[TreeNode]:
    nodes = []
    for place, left in enumerate(tree["left_children"]):
        condition, rows = float(tree["split_conditions"][place]), float(tree["sum_hessian"][place])
        if left < 0:
            nodes.append(TreeNode(value=condition, rows=rows))
            continue
        # XGBoost sends what is less than its condition to the left: at most the number before it, in single precision.
        threshold = float(np.nextafter(np.float32(condition), np.float32(-np.inf)))
        nodes.append(
            TreeNode(
                feature=int(tree["split_indices"][place]),
                threshold=threshold,
                unknown_right=not tree["default_left"][place],
                left=left,
                right=int(tree["right_children"][place]),
                gain=float(tree["loss_changes"][place]),
                rows=rows,
            )
        )
    return nodes
