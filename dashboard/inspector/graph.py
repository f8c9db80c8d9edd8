"""Where the boxes of a network's graph and of a tree lie: pure functions of the records."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from models.structure import Layer, Tree

SWEEPS = 4
Way = Literal["direct", "past", "sum"]


@dataclass(frozen=True)
class Edge:
    """From one step to another: `direct` to the next row, `past` steps between, or a `sum` carried on around them."""

    source: str
    target: str
    way: Way


@dataclass(frozen=True)
class Place:
    """The middle of a box: `x` in boxes from the middle of its row, `row` counted from the top."""

    x: float
    row: int


def edges(layers: Sequence[Layer]) -> list[Edge]:
    """Return the edges to draw.

    Where a step takes all that an earlier one of several takes, and more, that earlier sum is carried on around the
    steps between (a residual connection): one edge from the earlier step stands for all of it.
    """
    rows = {name: place.row for name, place in placed(layers).items()}
    result = []
    for number, layer in enumerate(layers):
        takes = set(layer.takes)
        sums = [one for one in layers[:number] if len(one.takes) > 1 and set(one.takes) < takes]
        carried = max(sums, key=lambda one: len(one.takes), default=None)
        if carried is not None:
            takes -= set(carried.takes)
            result.append(Edge(carried.name, layer.name, "sum"))
        for name in layer.takes:
            if name in takes:
                way: Way = "direct" if rows[layer.name] - rows[name] == 1 else "past"
                result.append(Edge(name, layer.name, way))
    return result


def placed(layers: Sequence[Layer]) -> dict[str, Place]:
    """Return each step's place: a row below all that it takes, and near them (barycentres, swept up and down).

    Sugiyama, Tagawa and Toda 1981, "Methods for visual understanding of hierarchical system structures".
    """
    rows: dict[str, int] = {}
    for layer in layers:
        rows[layer.name] = max((rows[name] + 1 for name in layer.takes if name in rows), default=0)
    given: dict[str, list[str]] = {layer.name: [] for layer in layers}
    taken = {layer.name: [name for name in layer.takes if name in rows] for layer in layers}
    for name, parts in taken.items():
        for part in parts:
            given[part].append(name)
    for name, place in rows.items():  # an input or parameter lies just above the first step that takes it
        if not taken[name] and given[name]:
            rows[name] = max(place, min(rows[one] for one in given[name]) - 1)
    order = [[name for name in rows if rows[name] == row] for row in range(max(rows.values(), default=-1) + 1)]
    x = {name: _middle(place, names) for names in order for place, name in enumerate(names)}
    for sweep in range(SWEEPS):
        around = taken if sweep % 2 == 0 else given
        for names in order if sweep % 2 == 0 else order[::-1]:
            names.sort(
                key=lambda name: sum(x[one] for one in around[name]) / len(around[name]) if around[name] else x[name]
            )
            x |= {name: _middle(place, names) for place, name in enumerate(names)}
    return {name: Place(x[name], row) for name, row in rows.items()}


def _middle(place: int, names: Sequence[str]) -> float:
    return place - (len(names) - 1) / 2


def tree_places(tree: Tree) -> list[tuple[int, float]]:
    """Return the depth and the height of each node: leaves one below the other, a split in the middle of its two."""
    places: dict[int, tuple[int, float]] = {}
    leaves = 0

    def put(node: int, depth: int) -> float:
        nonlocal leaves
        if tree.feature[node] < 0:
            height = float(leaves)
            leaves += 1
        else:
            height = (put(tree.left[node], depth + 1) + put(tree.right[node], depth + 1)) / 2
        places[node] = depth, height
        return height

    put(0, 0)
    return [places[node] for node in range(len(tree.feature))]
