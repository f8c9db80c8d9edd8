"""Evaluates a fitted booster in compiled code: the library's sums, bit for bit, in less time.

The libraries walk each tree from its root, with a branch misprediction at every other split. Here no branch depends on
a tree (QuickScorer; Lucchese et al. 2015): each split at which a row goes right masks the leaves on its left, and the
first remaining leaf is the row's. Many rows are taken at once, split by split; of a few, each takes the splits of a
feature in the order of their thresholds, and stops at the first that it is not above.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from features.compiled import compiled, compiled_and_kept
from features.frame import Floats, Ints
from models.trees.lightgbm_import import lightgbm

Naturals = npt.NDArray[np.uint32]
Flags = npt.NDArray[np.bool_]
Leaves = npt.NDArray[np.floating[Any]]

LEAVES = 32
"""The most leaves of a tree: one bit each."""
ALL = 0xFFFF_FFFF
DE_BRUIJN = 0x077C_B531
"""Times a power of two, its highest five bits tell which power (Leiserson, Prokop and Randall 1998)."""
POWERS = np.array([power for _, power in sorted(((DE_BRUIJN << power & ALL) >> 27, power) for power in range(LEAVES))])


FEW = 16
"""Rows up to which each is taken by itself: more are faster together."""


class TreeSplit(NamedTuple):
    """A row with a value above the threshold goes right, and one with an unknown value by the flag."""

    feature: int
    threshold: float
    unknown_right: bool
    left: "Node"
    right: "Node"


Node = TreeSplit | float
"""A split, or the value of a leaf."""


@dataclass
class _TreeSplits:
    """The splits of all trees: feature, whether an unknown value goes right, threshold, and the leaves that stay."""

    column: list[tuple[int, bool]] = field(default_factory=list)
    threshold: list[float] = field(default_factory=list)
    stay: list[int] = field(default_factory=list)

    def add(self, node: Node, leaves: list[float]) -> int:
        """Add the nodes below a node; append the values of its leaves and return their bits."""
        if not isinstance(node, TreeSplit):
            leaves.append(node)
            return 1 << (len(leaves) - 1)
        left, right = self.add(node.left, leaves), self.add(node.right, leaves)
        self.column.append((node.feature, node.unknown_right))
        self.threshold.append(node.threshold)
        self.stay.append(ALL & ~left)
        return left | right


@dataclass(frozen=True, kw_only=True)
class Trees:
    """T trees of at most 32 leaves; tree t adds to output t modulo `outputs`.

    A column is a `feature` [C], and whether its unknown values go right (`unknown_right` [C]); its distinct thresholds
    are `edges` from `edge_starts` [C + 1] on. A split has its `column`, its threshold's place among the column's, and
    the leaves that `stay` for a row on its right; those of tree t begin at `starts` [T + 1]. The same splits by column
    and threshold: that of `ordered` [S] has its `threshold`, `tree` and the leaves that `keep`, and those of column c
    begin at `column_starts` [C + 1]. `leaves` [T, 32]: in their precision the trees are summed.
    """

    outputs: int
    feature: Ints
    unknown_right: Flags
    edges: Floats
    edge_starts: Ints
    column: Ints
    place: Ints
    stay: Naturals
    starts: Ints
    threshold: Floats
    tree: Naturals
    keep: Naturals
    column_starts: Ints
    leaves: Leaves

    @classmethod
    def of(cls, booster: lightgbm.Booster) -> Self:
        """Return the trees of a LightGBM booster.

        Raises ValueError if one has too many leaves, or splits otherwise than by a threshold.
        """
        model = booster.dump_model()
        roots = [_node(tree["tree_structure"]) for tree in model["tree_info"]]
        return cls.made(roots, model["num_tree_per_iteration"])

    @classmethod
    def made(cls, roots: Sequence[Node], outputs: int, precision: type[np.floating[Any]] = np.float64) -> Self:
        """Return the trees with these roots; raises ValueError where one has too many leaves."""
        splits, starts = _TreeSplits(), [0]
        leaves = np.zeros((len(roots), LEAVES), dtype=precision)
        for root, values in zip(roots, leaves, strict=True):
            results: list[float] = []
            splits.add(root, results)
            if len(results) > LEAVES:
                raise ValueError(f"a tree has {len(results)} leaves, not at most {LEAVES}")
            values[: len(results)] = results
            starts.append(len(splits.column))
        known = sorted(set(splits.column))
        places = {column: place for place, column in enumerate(known)}
        column = np.array([places[results] for results in splits.column], dtype=np.int64)
        threshold, stay = np.array(splits.threshold, dtype=np.float64), np.array(splits.stay, dtype=np.uint32)
        edges = [np.unique(threshold[column == which]) for which in range(len(known))]
        place = np.empty(len(column), dtype=np.int64)
        for which, own in enumerate(edges):
            place[column == which] = np.searchsorted(own, threshold[column == which])
        order = np.lexsort((threshold, column))
        return cls(
            outputs=outputs,
            feature=np.array([feature for feature, _ in known], dtype=np.int64),
            unknown_right=np.array([right for _, right in known], dtype=np.bool_),
            edges=np.concatenate([np.empty(0), *edges]),
            edge_starts=np.cumsum([0, *map(len, edges)]),
            column=column,
            place=place,
            stay=stay,
            starts=np.array(starts),
            threshold=threshold[order],
            tree=np.repeat(np.arange(len(roots), dtype=np.uint32), np.diff(starts))[order],
            keep=stay[order],
            column_starts=np.searchsorted(column[order], np.arange(len(known) + 1)),
            leaves=leaves,
        )

    def predict(self, x: Floats) -> Floats:
        """Return the outputs [n, outputs] of rows x [n, F], summed tree by tree for each row alone."""
        if len(x) <= FEW:
            splits = (self.threshold, self.tree, self.keep, self.column_starts)
            return _each(
                np.ascontiguousarray(x), self.feature, self.unknown_right, *splits, self.leaves, self.outputs, POWERS
            )
        ranks = _ranks(np.ascontiguousarray(x.T), self.feature, self.unknown_right, self.edges, self.edge_starts)
        sums = _sums(ranks, self.outputs, self.column, self.place, self.stay, self.starts, self.leaves, POWERS)
        return np.ascontiguousarray(sums.T)


def _node(node: dict[str, Any]) -> Node:
    """Return a node of LightGBM's JSON; raises ValueError where it does not split by a threshold."""
    if "leaf_value" in node:
        return float(node["leaf_value"])
    if node["decision_type"] != "<=":
        raise ValueError(f"a tree splits by {node['decision_type']!r}, not by a threshold")
    # A feature that was never unknown in training counts as zero if it is unknown.
    unknown_left = node["default_left"] if node["missing_type"] == "NaN" else node["threshold"] >= 0
    left, right = _node(node["left_child"]), _node(node["right_child"])
    return TreeSplit(node["split_feature"], node["threshold"], not unknown_left, left, right)


@compiled_and_kept
def _each(
    x: Floats,
    feature: Ints,
    unknown_right: Flags,
    threshold: Floats,
    tree: Naturals,
    keep: Naturals,
    column_starts: Ints,
    leaves: Leaves,
    outputs: int,
    powers: Ints,
) -> Floats:
    """Return the sums [n, outputs] over the trees of the leaf that each row of x [n, F] falls into."""
    sums = np.zeros((len(x), outputs), leaves.dtype)
    left = np.empty(len(leaves), dtype=np.uint32)
    for row in range(len(x)):
        left[:] = np.uint32(ALL)
        for column in range(len(feature)):
            value = x[row, feature[column]]
            unknown = np.isnan(value)
            if unknown and not unknown_right[column]:
                continue
            for split in range(column_starts[column], column_starts[column + 1]):
                if not unknown and value <= threshold[split]:
                    break
                left[tree[split]] &= keep[split]
        for first in range(0, len(leaves), outputs):
            for out in range(outputs):
                sums[row, out] += leaves[first + out, powers[_first(left[first + out])]]
    return sums.astype(np.float64)


@compiled
def _first(left: int) -> int:
    """Return the place in `POWERS` of the lowest bit that is set."""
    lowest = left & (np.uint32(0) - left)
    return int(np.uint32(lowest * np.uint32(DE_BRUIJN)) >> np.uint32(27))


@compiled_and_kept
def _ranks(x: Floats, feature: Ints, unknown_right: Flags, edges: Floats, starts: Ints) -> npt.NDArray[np.int32]:
    """Return how many of each column's thresholds are below the row's value [C, n], for x [F, n]."""
    ranks = np.empty((len(feature), x.shape[1]), dtype=np.int32)
    for column in range(len(feature)):
        known = edges[starts[column] : starts[column + 1]]
        values, out = x[feature[column]], ranks[column]
        unknown = len(known) if unknown_right[column] else -1
        out[:] = 0
        for edge in known:
            for row in range(len(values)):
                out[row] += values[row] > edge
        for row in range(len(values)):
            if np.isnan(values[row]):
                out[row] = unknown
    return ranks


@compiled_and_kept
def _sums(
    ranks: npt.NDArray[np.int32],
    outputs: int,
    column: Ints,
    place: Ints,
    stay: Naturals,
    starts: Ints,
    leaves: Leaves,
    powers: Ints,
) -> Floats:
    """Return the sums [outputs, n] over the trees of the leaf that each row falls into."""
    rows = ranks.shape[1]
    sums = np.zeros((outputs, rows), leaves.dtype)
    left = np.empty(rows, dtype=np.uint32)
    for tree in range(len(leaves)):
        left[:] = np.uint32(ALL)
        for split in range(starts[tree], starts[tree + 1]):
            rank, threshold, mask = ranks[column[split]], place[split], stay[split]
            for row in range(rows):
                left[row] &= mask if rank[row] > threshold else np.uint32(ALL)
        out, values = sums[tree % outputs], leaves[tree]
        for row in range(rows):
            out[row] += values[powers[_first(left[row])]]
    return sums.astype(np.float64)
