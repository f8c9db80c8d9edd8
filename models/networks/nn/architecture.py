"""What a network consists of: a walk over its modules, and over the graph of one pass that says what takes what."""

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from models.networks.nn.net import Net
from models.structure import Layer, Weights

BINS = 40
INPUTS = {"window": "the last bars by channel", "row": "the current bar's columns"}


def layers(net: Net, window: tuple[int, int], row: int) -> list[Layer]:
    """Return the steps of one pass in their order, for a window [bars, channels] and a row of so many columns.

    A step is a module without parts, a parameter that a module has besides, or an input. What it takes are the steps
    whose outputs reach its input over operations without weights: sums, attention's products, concatenation.
    """
    seen = _Pass(net)
    tensors = (torch.zeros(1, *window, requires_grad=True), torch.zeros(1, row, requires_grad=True))
    for (name, kind), tensor in zip(INPUTS.items(), tensors, strict=True):
        seen.leaf(name, kind, tensor, list(tensor.shape[1:]), 0)
    for name, parameter in net.named_parameters():
        if name not in seen.inside:
            seen.leaf(name, "Parameter", parameter, list(parameter.shape), parameter.numel())
    with torch.enable_grad(), seen.watching():
        net(*tensors, torch.ones(1, net.masks))
    return seen.layers


class _Pass:
    """What one pass shows: each step with the nodes of autograd's graph that are its outputs.

    The nodes are kept, as Python would give another object for a node that nothing refers to.
    """

    def __init__(self, net: Net) -> None:
        self.modules = {name: module for name, module in net.named_modules() if not list(module.children())}
        self.inside = {
            f"{name}.{part}" for name, module in self.modules.items() for part, _ in module.named_parameters()
        }
        self.layers: list[Layer] = []
        self._leaves: dict[int, str] = {}
        self._owner: dict[Any, str] = {}

    def leaf(self, name: str, kind: str, tensor: Tensor, shape: list[int], parameters: int) -> None:
        """Add an input or a parameter of its own."""
        self._leaves[id(tensor)] = name
        self.layers.append(Layer(name=name, kind=kind, takes=[], shape=shape, parameters=parameters))

    def watching(self) -> "_Hooks":
        """Return the hooks on every module."""
        return _Hooks([module.register_forward_hook(self._hook(name)) for name, module in self.modules.items()])

    def _hook(self, name: str) -> Any:
        def passed(module: nn.Module, taken: tuple[Any, ...], given: Any) -> None:
            outputs = list(_tensors(given))
            parameters = sum(part.numel() for part in module.parameters())
            takes = list(dict.fromkeys(owner for tensor in _tensors(taken) for owner in self._behind(tensor)))
            shape = list(outputs[0].shape[1:])
            self.layers.append(
                Layer(name=name, kind=type(module).__name__, takes=takes, shape=shape, parameters=parameters)
            )
            self._owner |= dict.fromkeys((tensor.grad_fn for tensor in outputs), name)

        return passed

    def _behind(self, tensor: Tensor) -> list[str]:
        """Return the steps whose outputs a tensor is made of."""
        if tensor.grad_fn is None:
            return [self._leaves[id(tensor)]] if id(tensor) in self._leaves else []
        found: list[str] = []
        waiting: list[Any] = [tensor.grad_fn]
        met: set[Any] = set()
        while waiting:
            node = waiting.pop(0)
            if node is None or node in met:
                continue
            met.add(node)
            variable = getattr(node, "variable", None)  # of a leaf of the graph
            if node in self._owner:
                found.append(self._owner[node])
            elif variable is not None:
                found += [self._leaves[id(variable)]] if id(variable) in self._leaves else []
            else:
                waiting += [following for following, _ in node.next_functions]
        return found


class _Hooks:
    """Hooks for the time of a `with` block."""

    def __init__(self, handles: list[Any]) -> None:
        self._handles = handles

    def __enter__(self) -> None:
        """They are set already."""

    def __exit__(self, *_: object) -> None:
        for handle in self._handles:
            handle.remove()


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from _tensors(part)


def weights(net: Net) -> list[Weights]:
    """Return the distribution of each parameter's numbers, in the order of the modules."""
    return [_weights(name, parameter.detach()) for name, parameter in net.named_parameters()]


def _weights(name: str, tensor: Tensor) -> Weights:
    values = tensor.double().cpu().numpy().ravel()
    counts, edges = np.histogram(values, bins=min(BINS, max(1, prod(tensor.shape))))
    return Weights(
        name=name,
        shape=list(tensor.shape),
        mean=float(values.mean()),
        deviation=float(values.std()),
        edges=edges.tolist(),
        counts=counts.tolist(),
    )
