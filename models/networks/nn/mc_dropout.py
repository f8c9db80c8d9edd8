"""Forecasts by Monte Carlo dropout (Gal and Ghahramani 2016): the same thinned networks for every row."""

import numpy as np
import torch

from models.forecaster import Floats
from models.networks.nn.net import Net, masks

BLOCK = 16
"""Rows computed at once, always: a library may choose another way of multiplying for another number of rows."""


def drawn(net: Net, passes: int, dropout: float, seed: int) -> torch.Tensor:
    """Return the masks [1 + passes, masks]: first the one without dropout, then those of the seed."""
    own = masks((passes, net.masks), dropout, torch.Generator().manual_seed(seed))
    return torch.cat([torch.ones(1, net.masks), own])


def embeddings(net: Net, masks: torch.Tensor, windows: Floats, static: Floats) -> Floats:
    """Return the embeddings [n, P, D] of windows [n, 64, C] and rows [n, S] under masks [P, masks].

    Computed in blocks of `BLOCK` rows, the last filled up with zeros, so that each row's bits depend on it alone.
    """
    parts = []
    for first in range(0, len(static), BLOCK):
        rows = len(static[first : first + BLOCK])
        block = torch.zeros(BLOCK, *windows.shape[1:]), torch.zeros(BLOCK, static.shape[1])
        for whole, part in zip(block, (windows, static), strict=True):
            whole[:rows] = torch.from_numpy(np.ascontiguousarray(part[first : first + BLOCK], dtype=np.float32))
        encoded, _ = net.encode(*block)
        many = encoded.repeat(len(masks), *(1 for _ in encoded.shape[1:]))
        embedding, _ = net.thinned(many, masks.repeat_interleave(BLOCK, dim=0))
        parts.append(embedding.view(len(masks), BLOCK, -1)[:, :rows].transpose(0, 1).numpy().astype(np.float64))
    return np.ascontiguousarray(np.concatenate(parts))
