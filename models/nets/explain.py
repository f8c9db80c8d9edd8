"""Which inputs of a row moved its forecast, and where the network looked."""

import torch
from torch import Tensor

from models.forecaster import Floats
from models.nets.net import Net


def looked(net: Net, window: Floats, static: Floats) -> tuple[Floats, Floats]:
    """Return the attention weights of the encoder and of the thinned layers for one row, without dropout."""
    one, other = _tensors(window, static)
    with torch.inference_mode():
        encoded, first = net.encode(one, other)
        second = net.thinned(encoded, torch.ones(len(encoded), net.masks))[1]
    return first[0].double().numpy(), second[:1].reshape(second.shape[1:]).double().numpy()


def integrated(
    net: Net, weights: Floats, window: Floats, static: Floats, steps: int
) -> tuple[Floats, Floats, float, float]:
    """Return integrated gradients (Sundararajan, Taly and Yan 2017) of one output from the baseline of zeros.

    Of window [64, C] and row [S] in their shapes; then the output there and at the baseline. `weights` [D + 1] are the
    head's for the output. The path is cut into `steps` and the gradient taken at the middle of each.
    """
    one, other = _tensors(window, static)
    along = (torch.arange(steps) + 0.5) / steps
    path = [(along.view(-1, *(1 for _ in part.shape[1:])) * part[:1]).requires_grad_() for part in (one, other)]
    of_window, of_static = torch.autograd.grad(_output(net, weights, *path).sum(), path)
    with torch.inference_mode():
        ends = _output(net, weights, torch.cat([one[:1], 0 * one[:1]]), torch.cat([other[:1], 0 * other[:1]])).tolist()
    parts = [
        (gradient.mean(dim=0) * part[0]).double().numpy() for gradient, part in ((of_window, one), (of_static, other))
    ]
    return parts[0], parts[1], ends[0], ends[1]


def _output(net: Net, weights: Floats, window: Tensor, static: Tensor) -> Tensor:
    embedding, _ = net.thinned(net.encode(window, static)[0], torch.ones(len(static), net.masks))
    head = torch.from_numpy(weights).float()
    out: Tensor = embedding @ head[:-1] + head[-1]
    return out


def _tensors(window: Floats, static: Floats) -> tuple[Tensor, Tensor]:
    """Return both with the row twice: a single one may take another way through a library."""
    one, other = (torch.from_numpy(part.copy()).float()[None] for part in (window, static))
    return one.repeat(2, 1, 1), other.repeat(2, 1)
