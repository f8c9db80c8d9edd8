"""What the two networks have in common: an encoder without dropout, and thinned layers on top of it."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn


class Net(nn.Module, ABC):
    """A window and the current row -> an embedding [B, width] -> per horizon a mean and a log scale.

    Dropout begins behind the encoder, so that an encoded window serves all of a forecast's passes.
    """

    masks: int
    """Numbers of one dropout mask."""
    head: nn.Linear

    @abstractmethod
    def encode(self, window: Tensor, static: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the thinned layers take [B, ...] of windows [B, 64, C] and rows [B, S], and attention weights."""

    @abstractmethod
    def thinned(self, encoded: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the embedding [B, width] with each unit times its number in mask [B, masks], and attention weights."""

    def forward(self, window: Tensor, static: Tensor, mask: Tensor) -> Tensor:
        """Return the head's outputs [B, 2 H]."""
        out: Tensor = self.head(self.thinned(self.encode(window, static)[0], mask)[0])
        return out


def masks(shape: tuple[int, ...], dropout: float, generator: torch.Generator) -> Tensor:
    """Return zeros with probability `dropout`, else what keeps the expectation."""
    drawn = torch.rand(shape, generator=generator, device=generator.device)
    return (drawn >= dropout).to(torch.float32) / (1.0 - dropout)
