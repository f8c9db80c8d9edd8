"""A bidirectional LSTM over the window, pooled by additive attention."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.networks.nn.net import Net


class LSTMNet(Net):
    """Hidden states [B, 64, 2 W] -> what the current row asks for of them -> two thinned dense layers."""

    def __init__(self, window: int, channels: int, static: int, outputs: int, width: int) -> None:  # noqa: ARG002 - any window
        super().__init__()
        self.recurrent = nn.LSTM(channels, width, batch_first=True, bidirectional=True)
        self.row = nn.Sequential(nn.Linear(static, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
        self.key, self.query = nn.Linear(2 * width, width), nn.Linear(width, width, bias=False)
        self.score = nn.Linear(width, 1, bias=False)
        self.norms = nn.ModuleList([nn.LayerNorm(5 * width), nn.LayerNorm(width)])
        self.dense = nn.ModuleList([nn.Linear(5 * width, 2 * width), nn.Linear(2 * width, width)])
        self.head = nn.Linear(width, outputs)
        self.sizes = [5 * width, 2 * width, width]
        self.masks = sum(self.sizes)

    def encode(self, window: Tensor, static: Tensor) -> tuple[Tensor, Tensor]:
        """Return the pooled states, those at the current bar and the current row [B, 5 W]; and weights [B, 64].

        Additive attention (Bahdanau, Cho and Bengio 2015): a state's score is v tanh(K state + Q row).
        """
        states, _ = self.recurrent(window)
        row = self.row(static)
        scores = self.score(torch.tanh(self.key(states) + self.query(row)[:, None]))[:, :, 0]
        weights = functional.softmax(scores, dim=1)
        pooled = (weights[:, None] @ states)[:, 0]
        return self.norms[0](torch.cat([pooled, states[:, -1], row], dim=1)), weights

    def thinned(self, encoded: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the embedding [B, W]; attention was paid before."""
        before, inner, after = torch.split(mask, self.sizes, dim=1)
        hidden = functional.gelu(self.dense[0](encoded * before)) * inner
        return self.norms[1](self.dense[1](hidden)) * after, hidden.new_empty(len(hidden), 0)
