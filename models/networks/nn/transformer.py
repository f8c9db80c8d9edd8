"""Self-attention over patches of bars and a token of the current row."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.networks.nn.net import Net


class Attention(nn.Module):
    """Multi-head attention (Vaswani et al. 2017) whose weights can be looked at."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.pair, self.out = nn.Linear(width, width), nn.Linear(width, 2 * width), nn.Linear(width, width)

    def forward(self, asking: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Return what each asking token [B, A, D] gathers of the tokens [B, T, D], and its weights [B, heads, A, T]."""
        query = self._split(self.query(asking))
        key, value = (self._split(part) for part in self.pair(tokens).chunk(2, dim=-1))
        weights = functional.softmax(query @ key.transpose(-1, -2) / key.shape[-1] ** 0.5, dim=-1)
        gathered = (weights @ value).transpose(1, 2).reshape(asking.shape)
        return self.out(gathered), weights

    def _split(self, tokens: Tensor) -> Tensor:
        return tokens.view(*tokens.shape[:2], self.heads, -1).transpose(1, 2)


class TransformerNet(Net):
    """One full layer over all tokens, and a second, thinned one in which the current row's token asks the others.

    `patch` is the bars of a token.
    """

    def __init__(self, window: int, channels: int, static: int, outputs: int, width: int, *, patch: int) -> None:
        super().__init__()
        tokens, heads = window // patch + 1, 4
        self.patch = nn.Linear(patch * channels, width)
        self.row = nn.Sequential(nn.Linear(static, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
        self.position = nn.Parameter(0.02 * torch.randn(tokens, width))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(5))
        self.first, self.second = Attention(width, heads), Attention(width, heads)
        self.wide = nn.ModuleList(nn.Linear(width, 2 * width) for _ in range(2))
        self.narrow = nn.ModuleList(nn.Linear(2 * width, width) for _ in range(2))
        self.head = nn.Linear(width, outputs)
        self.sizes = [width, width, 2 * width, width]
        self.masks = sum(self.sizes)

    def encode(self, window: Tensor, static: Tensor) -> tuple[Tensor, Tensor]:
        """Return the tokens [B, T, D] after the first layer, the current row's last, and its weights [B, 4, T, T]."""
        patches = self.patch(window.reshape(len(window), -1, self.patch.in_features))
        tokens = torch.cat([patches, self.row(static)[:, None]], dim=1) + self.position
        normal = self.norms[0](tokens)
        gathered, weights = self.first(normal, normal)
        tokens = tokens + gathered
        return tokens + self.narrow[0](functional.gelu(self.wide[0](self.norms[1](tokens)))), weights

    def thinned(self, encoded: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the embedding [B, D] of the current row's token and its weights [B, 4, 1, T]."""
        before, attended, inner, after = torch.split(mask, self.sizes, dim=1)
        normal = self.norms[2](encoded) * before[:, None]
        gathered, weights = self.second(normal[:, -1:], normal)
        token = encoded[:, -1] + gathered[:, 0] * attended
        token = token + self.narrow[1](functional.gelu(self.wide[1](self.norms[3](token))) * inner)
        return self.norms[4](token) * after, weights
