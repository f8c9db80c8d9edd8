"""Which inputs of a row moved its forecast, and where the network looked."""

import torch
from torch import Tensor

from models.forecaster import Floats
from models.networks.nn.net import Net


def attention_weights(net: Net, window: Floats, static: Floats) -> tuple[Floats, Floats]:
    """Return the attention weights of the encoder and of the thinned layers for one row, without dropout."""
    one, other = _tensors(window, static)
    with torch.inference_mode():
        encoded, first = net.encode(one, other)
        second = net.thinned(encoded, torch.ones(len(encoded), net.masks))[1]
    return first[0].double().numpy(), second[:1].reshape(second.shape[1:]).double().numpy()


def integrated(
    net: Net, weights: Floats, window: Floats, static: Floats, steps: int, masks: Tensor | None = None
) -> tuple[Floats, Floats, float, float]:
    """Return integrated gradients (Sundararajan, Taly and Yan 2017) of one output from the baseline of zeros.

    Of window [64, C] and row [S] in their shapes; then the output there and at the baseline. `weights` [D + 1] are the
    head's for the output. The path is cut into `steps` and the gradient taken at the middle of each. The output is the
    mean over `masks` [P, masks], without dropout where there are none.
    """
    one, other = _tensors(window, static)
    masks = torch.ones(1, net.masks) if masks is None else masks.clone()  # drawn for inference, a gradient refuses them
    along = (torch.arange(steps) + 0.5) / steps
    path = [(along.view(-1, *(1 for _ in part.shape[1:])) * part[:1]).requires_grad_() for part in (one, other)]
    output = _output(net, weights, path[0], path[1], masks)
    of_window, of_static = torch.autograd.grad(output.sum(), path)
    with torch.inference_mode():
        here, there = (torch.cat([part[:1], 0 * part[:1]]) for part in (one, other))
        ends = _output(net, weights, here, there, masks).tolist()
    parts = [
        (gradient.mean(dim=0) * part[0]).double().numpy() for gradient, part in ((of_window, one), (of_static, other))
    ]
    return parts[0], parts[1], ends[0], ends[1]


def _output(net: Net, weights: Floats, window: Tensor, static: Tensor, masks: Tensor) -> Tensor:
    encoded, _ = net.encode(window, static)
    embedding, _ = net.thinned(encoded.repeat_interleave(len(masks), dim=0), masks.repeat(len(encoded), 1))
    head = torch.from_numpy(weights).float()
    out: Tensor = (embedding @ head[:-1] + head[-1]).view(len(encoded), len(masks)).mean(dim=1)
    return out


def _tensors(window: Floats, static: Floats) -> tuple[Tensor, Tensor]:
    """Return both with the row twice: a single one may take another way through a library."""
    one, other = (torch.from_numpy(part.copy()).float()[None] for part in (window, static))
    return one.repeat(2, 1, 1), other.repeat(2, 1)
