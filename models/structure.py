"""What a fitted model consists of, as plain records that any page or program can read without the model."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from features.frame import Floats


class Coefficients(msgspec.Struct, frozen=True, kw_only=True):
    """A table of fitted numbers: `values` [rows][columns].

    `meaning` says what one is, with its unit. `alike`: they are of one unit, and so may be drawn on one axis.
    """

    meaning: str
    rows: list[str]
    columns: list[str]
    values: list[list[float]]
    alike: bool = True

    @classmethod
    def of(
        cls, meaning: str, rows: Sequence[str], columns: Sequence[str], values: Floats, alike: bool = True
    ) -> "Coefficients":
        """Return the table of an array [rows, columns]."""
        return cls(meaning=meaning, rows=list(rows), columns=list(columns), values=values.tolist(), alike=alike)


class TreeNode(NamedTuple):
    """A node of a tree; see `Tree`."""

    feature: int = -1
    threshold: float = 0.0
    unknown_right: bool = False
    left: int = -1
    right: int = -1
    value: float = 0.0
    gain: float = 0.0
    rows: float = 0.0


class Tree(msgspec.Struct, frozen=True, kw_only=True):
    """One tree by its nodes, the root first.

    A leaf has the feature -1 and a `value`; a split sends what is at most its `threshold` to `left`, and what is
    unknown to the right where `unknown_right`. `gain` is the fall of the training's loss by the split, `rows` the
    training rows that came to the node, or the sum of their second derivatives.
    """

    feature: list[int]
    threshold: list[float]
    unknown_right: list[bool]
    left: list[int]
    right: list[int]
    value: list[float]
    gain: list[float]
    rows: list[float]

    @classmethod
    def of(cls, nodes: Sequence[TreeNode]) -> "Tree":
        """Return the tree of these nodes."""
        columns = {name: [getattr(node, name) for node in nodes] for name in TreeNode._fields}
        return msgspec.convert(columns, cls)


class Forest(msgspec.Struct, frozen=True, kw_only=True):
    """The trees whose sum is one output of the model; splits name a feature by its place in `inputs`."""

    output: str
    inputs: list[str]
    trees: list[Tree]


class Layer(msgspec.Struct, frozen=True, kw_only=True):
    """A step of a network: what it `takes` (names of other steps), its shapes for one row, and its own parameters."""

    name: str
    kind: str
    takes: list[str]
    shape: list[int]
    parameters: int = 0


class Weights(msgspec.Struct, frozen=True, kw_only=True):
    """The distribution of one tensor's numbers: a histogram of `counts` between `edges`, one edge more."""

    name: str
    shape: list[int]
    mean: float
    deviation: float
    edges: list[float]
    counts: list[int]


class Structure(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a model, whichever it has; `note` says what else there is to know, `facts` are named values."""

    note: str = ""
    facts: dict[str, str] = {}
    coefficients: list[Coefficients] = []
    forests: list[Forest] = []
    layers: list[Layer] = []
    weights: list[Weights] = []


def ahead(horizons: Sequence[int]) -> list[str]:
    """Return the horizons in words.

    >>> ahead((1, 5))
    ['1 bar ahead', '5 bars ahead']
    """
    return [f"{horizon} bar{'' if horizon == 1 else 's'} ahead" for horizon in horizons]
