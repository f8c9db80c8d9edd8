"""A fitted LightGBM booster read in compiled code: its own sums, bit for bit, in less time where there are many rows.

LightGBM walks each tree from its root, and the processor guesses wrong at every other branch. Here no branch is taken
(QuickScorer; Lucchese et al. 2015): each split whose right side a row belongs to strikes out the leaves on its left,
many rows at once, and the first leaf that is left over is the row's.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import lightgbm
import numpy as np
import numpy.typing as npt

from features.compiled import compiled_and_kept
from features.frame import Floats, Ints

Masks = npt.NDArray[np.uint32]
Flags = npt.NDArray[np.bool_]

LEAVES = 32
"""Leaves of a tree, at most: one bit each."""
ALL = 0xFFFF_FFFF
DE_BRUIJN = 0x077C_B531
"""Times a power of two, its highest five bits tell which power (Leiserson, Prokop and Randall 1998)."""
POWERS = np.array([power for _, power in sorted(((DE_BRUIJN << power & ALL) >> 27, power) for power in range(LEAVES))])


@dataclass
class _Splits:
    """The splits of all trees: feature, whether an unknown value goes right, threshold, and the leaves that stay."""

    column: list[tuple[int, bool]] = field(default_factory=list)
    threshold: list[float] = field(default_factory=list)
    stay: list[int] = field(default_factory=list)

    def add(self, node: dict[str, Any], leaves: list[float]) -> int:
        """Add what is below a node; append the values of its leaves and return their bits."""
        if "leaf_value" in node:
            leaves.append(node["leaf_value"])
            return 1 << (len(leaves) - 1)
        if node["decision_type"] != "<=":
            raise ValueError(f"a tree splits by {node['decision_type']!r}, not by a threshold")
        left, right = self.add(node["left_child"], leaves), self.add(node["right_child"], leaves)
        # A feature that was never unknown in training is taken for zero where it is.
        unknown_left = node["default_left"] if node["missing_type"] == "NaN" else node["threshold"] >= 0
        self.column.append((node["split_feature"], not unknown_left))
        self.threshold.append(node["threshold"])
        self.stay.append(ALL & ~left)
        return left | right


@dataclass(frozen=True)
class Trees:
    """T trees of at most 32 leaves; tree t adds to output t modulo `outputs`.

    A column is a `feature` [C], and whether its unknown values go right (`unknown_right` [C]); its distinct thresholds
    are `edges` from `edge_starts` [C + 1] on. A split has its `column`, its threshold's place among the column's, and
    the leaves that `stay` for a row on its right; those of tree t begin at `starts` [T + 1]. `leaves` [T, 32].
    """

    outputs: int
    feature: Ints
    unknown_right: Flags
    edges: Floats
    edge_starts: Ints
    column: Ints
    place: Ints
    stay: Masks
    starts: Ints
    leaves: Floats

    @classmethod
    def of(cls, booster: lightgbm.Booster) -> "Trees":
        """Return the trees of a booster; raises ValueError where one has too many leaves or splits otherwise."""
        model = booster.dump_model()
        splits, starts = _Splits(), [0]
        leaves = np.zeros((len(model["tree_info"]), LEAVES))
        for tree, values in zip(model["tree_info"], leaves, strict=True):
            if tree["num_leaves"] > LEAVES:
                raise ValueError(f"a tree has {tree['num_leaves']} leaves, not at most {LEAVES}")
            found: list[float] = []
            splits.add(tree["tree_structure"], found)
            values[: len(found)] = found
            starts.append(len(splits.column))
        thresholds: dict[tuple[int, bool], set[float]] = defaultdict(set)
        for column, threshold in zip(splits.column, splits.threshold, strict=True):
            thresholds[column].add(threshold)
        edges = {column: sorted(known) for column, known in sorted(thresholds.items())}
        places = {column: place for place, column in enumerate(edges)}
        ranks = {(column, edge): rank for column, known in edges.items() for rank, edge in enumerate(known)}
        return cls(
            model["num_tree_per_iteration"],
            np.array([feature for feature, _ in edges], dtype=np.int64),
            np.array([right for _, right in edges], dtype=np.bool_),
            np.array([edge for known in edges.values() for edge in known], dtype=np.float64),
            np.cumsum([0, *map(len, edges.values())]),
            np.array([places[column] for column in splits.column], dtype=np.int64),
            np.array([ranks[split] for split in zip(splits.column, splits.threshold, strict=True)], dtype=np.int64),
            np.array(splits.stay, dtype=np.uint32),
            np.array(starts),
            leaves,
        )

    def predict(self, x: Floats) -> Floats:
        """Return the outputs [n, outputs] of rows x [n, F], summed tree by tree for each row alone."""
        ranks = _ranks(np.ascontiguousarray(x.T), self.feature, self.unknown_right, self.edges, self.edge_starts)
        sums = _sums(ranks, self.outputs, self.column, self.place, self.stay, self.starts, self.leaves, POWERS)
        return np.ascontiguousarray(sums.T)


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
    stay: Masks,
    starts: Ints,
    leaves: Floats,
    powers: Ints,
) -> Floats:
    """Return the sums [outputs, n] over the trees of the leaf that each row falls into."""
    rows = ranks.shape[1]
    sums = np.zeros((outputs, rows))
    left = np.empty(rows, dtype=np.uint32)
    for tree in range(len(leaves)):
        left[:] = np.uint32(ALL)
        for split in range(starts[tree], starts[tree + 1]):
            rank, threshold, mask = ranks[column[split]], place[split], stay[split]
            for row in range(rows):
                left[row] &= mask if rank[row] > threshold else np.uint32(ALL)
        out, values = sums[tree % outputs], leaves[tree]
        for row in range(rows):
            first = left[row] & (np.uint32(0) - left[row])
            out[row] += values[powers[np.uint32(first * np.uint32(DE_BRUIJN)) >> np.uint32(27)]]
    return sums
