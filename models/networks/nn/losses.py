"""What the networks are trained on: Huber of the mean, its correlation with the label, and the size of the error."""

import torch
from torch import Tensor
from torch.nn import functional

from models.networks.online_head import DELTA, LEAST, MOST

CORRELATION = 0.2
"""Weight of 1 - IC."""


def loss(output: Tensor, y: Tensor, weights: Tensor, correlation: float = CORRELATION) -> Tensor:
    """Return the loss of outputs [B, 2 H] for labels [B, H], NaN if unknown; `weights` [H] are the horizons',
    `correlation` is the weight of 1 - IC.

    The variance has the Gaussian likelihood (log v + e^2 / v) / 2, which is QLIKE up to a constant, of the error e; the
    error is taken as given there, so that the mean is fitted by the robust loss alone.
    """
    mean, log_scale = output.chunk(2, dim=1)
    known = ~torch.isnan(y)
    label = torch.where(known, y, torch.zeros_like(y))
    huber = functional.huber_loss(mean, label, reduction="none", delta=DELTA)
    log_scale = log_scale.clamp(LEAST, MOST)
    spread = log_scale + 0.5 * (label - mean.detach()) ** 2 * torch.exp(-2.0 * log_scale)
    each = ((huber + spread) * known).sum(dim=0) / known.sum(dim=0).clamp(min=1)
    total: Tensor = ((each + correlation * (1.0 - _correlation(mean, label, known))) * weights).sum() / weights.sum()
    return total


def _correlation(mean: Tensor, label: Tensor, known: Tensor) -> Tensor:
    """Return the correlation per horizon [H] over the known rows, 0 if the mean does not vary."""
    count = known.sum(dim=0).clamp(min=1)
    one, other = ((part - (part * known).sum(dim=0) / count) * known for part in (mean, label))
    size = torch.sqrt((one**2).sum(dim=0) * (other**2).sum(dim=0) + 1e-12)
    return (one * other).sum(dim=0) / size
