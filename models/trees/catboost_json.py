"""CatBoost's JSON: as trees that `models.trees.compiled` sums, as records, and with fewer trees.

A tree is oblivious: all nodes of a level have one split, and bit k of a leaf's place tells the k-th level's answer.
"""

from typing import Any

import msgspec
import numpy as np

from models.structure import Tree, TreeNode
from models.trees.compiled import Node, Trees, TreeSplit

KEPT = ("features_info", "oblivious_trees", "scale_and_bias")
"""What a forecast depends on: the rest tells when and how it was trained, and would make a version of each training."""


def plain(text: bytes, rounds: int | None = None) -> str:
    """Return what is `KEPT` of a model, with its first trees only if there are to be so many `rounds`."""
    whole = msgspec.json.decode(text)
    model = {name: whole[name] for name in KEPT}
    return msgspec.json.encode(
        model | {"oblivious_trees": model["oblivious_trees"][:rounds], "model_info": {}}
    ).decode()


def read(text: str) -> Trees:
    """Return the trees of a model with one output; raises ValueError where it is another."""
    model = msgspec.json.decode(text)
    scale, bias = model["scale_and_bias"]
    if scale != 1 or any(bias):
        raise ValueError("a CatBoost model has a scale other than 1, or a bias other than 0")
    for tree in model["oblivious_trees"]:
        if len(tree["leaf_values"]) != 2 ** len(tree["splits"] or []):
            raise ValueError("a CatBoost model has several outputs")
    return Trees.made([_node(tree, 0, 0) for tree in model["oblivious_trees"]], 1)


def _node(tree: dict[str, Any], level: int, place: int) -> Node:
    splits = tree["splits"] or []
    if level == len(splits):
        return float(tree["leaf_values"][place])
    split = splits[level]
    if split["split_type"] != "FloatFeature":
        raise ValueError(f"a CatBoost tree splits by {split['split_type']!r}, not by a threshold")
    left, right = _node(tree, level + 1, place), _node(tree, level + 1, place | 1 << level)
    # An unknown value is above no threshold.
    return TreeSplit(split["float_feature_index"], split["border"], unknown_right=False, left=left, right=right)


def records(text: str) -> list[Tree]:
    """Return the trees as the records of `models.structure`, in their order.

    CatBoost keeps no gains: that of a split is how much of the variance of the tree's own output it explains, times the
    rows.
    """
    results = []
    for tree in msgspec.json.decode(text)["oblivious_trees"]:
        nodes: list[TreeNode] = []
        _add(tree, np.array(tree["leaf_values"]), np.array(tree["leaf_weights"], dtype=np.float64), 0, 0, nodes)
        results.append(Tree.of(nodes))
    return results


def _add(
    tree: dict[str, Any],
    values: "np.ndarray[Any, np.dtype[np.float64]]",
    weights: "np.ndarray[Any, np.dtype[np.float64]]",
    level: int,
    place: int,
    nodes: list[TreeNode],
) -> int:
    """Add a node and those below it, and return its place among the `nodes`."""
    splits, at = tree["splits"] or [], len(nodes)
    if level == len(splits):
        nodes.append(TreeNode(value=float(values[place]), rows=float(weights[place])))
        return at
    nodes.append(TreeNode())  # its place is before those below it
    left = _add(tree, values, weights, level + 1, place, nodes)
    right = _add(tree, values, weights, level + 1, place | 1 << level, nodes)
    leaves = np.arange(len(values))
    size, mean = [], []
    for low in (place, place | 1 << level):
        below = (leaves & ((2 << level) - 1)) == low
        size.append(weights[below].sum())
        mean.append((weights[below] @ values[below]) / max(size[-1], 1.0))
    rows = size[0] + size[1]
    nodes[at] = TreeNode(
        feature=int(splits[level]["float_feature_index"]),
        threshold=float(splits[level]["border"]),
        left=left,
        right=right,
        gain=float(size[0] * size[1] / max(rows, 1.0) * (mean[0] - mean[1]) ** 2),
        rows=float(rows),
    )
    return at
