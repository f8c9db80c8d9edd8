"""The training of a network: epochs over sampled windows, held-out rows that say when to stop, and checkpoints."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import cos, isfinite, pi
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.forecaster import Floats, told
from models.networks.nn import checkpoint
from models.networks.nn.checkpoint import Tensors, TrainingCheckpoint
from models.networks.nn.determinism import device
from models.networks.nn.losses import loss
from models.networks.nn.net import Net, masks
from models.networks.training_epochs import QUANTILES, TrainingEpoch
from models.networks.windows import WINDOW

SEEN_AT_ONCE = 1024
"""Held-out rows in one batch."""


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """How to train: `rows` windows an epoch at most, `patience` epochs without gain before the end.

    `correlation` is the weight of 1 - IC in the loss.
    """

    epochs: int
    rows: int
    batch: int
    rate: float
    decay: float
    dropout: float
    noise: float
    patience: int
    correlation: float


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Rows of all symbols: `static` [n, S], labels `y` [n, H] their places `end` [n] in `channels` [m, C] of all bars.

    Before each symbol's first bar stand WINDOW - 1 rows of zeros. `weights` [H] are the horizons'.
    """

    channels: Floats
    end: np.ndarray
    static: Floats
    y: Floats
    weights: Floats


@dataclass(frozen=True)
class TrainedWeights:
    """The weights of the best epoch, how far AdamW moves each of the head's for a gradient of one [2 H, D + 1], and
    what weights and gradients were like after every epoch.
    """

    weights: Tensors
    rates: Floats
    history: tuple[TrainingEpoch, ...]


class _Data:
    """The sample as tensors; windows are gathered batch by batch."""

    def __init__(self, sample: Sample, place: torch.device) -> None:
        parts = (sample.channels, sample.static, sample.y, sample.weights)
        self.channels, self.static, self.y, self.weights = (torch.from_numpy(part).float().to(place) for part in parts)
        self.end = torch.from_numpy(sample.end).to(place)
        self.back = torch.arange(1 - WINDOW, 1, device=place)

    def take(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return windows [B, 64, C], rows [B, S] and labels [B, H]."""
        return self.channels[self.end[rows, None] + self.back], self.static[rows], self.y[rows]


def train(
    net: Net,
    sample: Sample,
    train_rows: np.ndarray,
    held_out: np.ndarray,
    config: TrainingConfig,
    seed: int,
    identity: str,
    progress: Callable[[str], None] | None = None,
    path: Path | None = None,
) -> TrainedWeights:
    """Train on some rows of the sample and stop by others, from the checkpoint at `path` where it is of this training.

    What is random in an epoch depends on seed and epoch alone, so that a training taken up again gives the same bits.
    """
    place = device()
    net = net.to(place)
    data = _Data(sample, place)
    chosen, judged = (torch.from_numpy(rows).to(place) for rows in (train_rows, held_out))
    optimiser = torch.optim.AdamW(net.parameters(), lr=config.rate, weight_decay=config.decay)
    standing, best = TrainingCheckpoint(identity=identity), _copy(net.state_dict())
    results = checkpoint.read(path, identity) if path else None
    if results:
        standing, groups = results
        net.load_state_dict(groups["net"])
        best = groups["best"]
        _restore(optimiser, net, groups)
    while standing.epochs < config.epochs and standing.ago < config.patience:
        taught, gradients = _epoch(net, optimiser, data, chosen, config, seed, standing.epochs)
        judged_loss = _judge(net, data, judged, config.correlation)
        if not isfinite(judged_loss):
            raise ValueError(f"training of {identity} diverged in epoch {standing.epochs + 1}: lower the learning rate")
        better = judged_loss < standing.best
        if better:
            best = _copy(net.state_dict()) | {"moment": _head_moment(net, optimiser)}
        number = standing.epochs + 1
        seen = TrainingEpoch(epoch=number, weights=quantiles(_numbers(net)), gradients=quantiles(gradients))
        standing = TrainingCheckpoint(
            identity=identity,
            epochs=number,
            best=min(judged_loss, standing.best),
            ago=0 if better else standing.ago + 1,
            history=(*standing.history, seen),
        )
        if path:
            checkpoint.write(path, standing, {"net": net.state_dict(), "best": best} | _kept(optimiser, net))
        if progress:
            progress(told("epoch", standing.epochs, config.epochs, taught, judged_loss))
    best = _copy(best)
    moment = best.pop("moment")
    rates = 1.0 / (np.sqrt(moment.cpu().numpy().astype(np.float64)) + 1e-8)
    return TrainedWeights({name: tensor.cpu() for name, tensor in best.items()}, rates, standing.history)


def _epoch(
    net: Net, optimiser: torch.optim.AdamW, data: _Data, rows: Tensor, config: TrainingConfig, seed: int, epoch: int
) -> tuple[float, Tensors]:
    """Take one pass over at most `config.rows` of the rows; return the mean loss and the last batch's gradients."""
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(_mixed(seed, epoch, 0)))[: config.rows]
    rows = rows[order.to(rows.device)]
    generator = torch.Generator(device=rows.device).manual_seed(_mixed(seed, epoch, 1))
    batches = max(1, len(rows) // config.batch)
    total, gradients = 0.0, dict[str, Tensor]()
    net.train()
    for batch, (window, static, y) in enumerate(_batches(data, rows, batches)):
        for group in optimiser.param_groups:
            group["lr"] = _rate(config, epoch + batch / batches)
        noisy = [
            part + config.noise * torch.randn(part.shape, generator=generator, device=part.device)
            for part in (window, static)
        ]
        mask = masks((len(y), net.masks), config.dropout, generator)
        value = loss(net(*noisy, mask), y, data.weights, config.correlation)
        optimiser.zero_grad()
        value.backward()  # type: ignore[no-untyped-call] # torch has no type for it
        if batch == batches - 1:
            gradients = {name: part.grad.clone() for name, part in net.named_parameters() if part.grad is not None}
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        total += value.item()
    return total / batches, gradients


def quantiles(tensors: Tensors) -> dict[str, list[float]]:
    """Return the quantiles of each tensor's numbers, to six digits."""
    results = {name: np.quantile(tensor.cpu().double().numpy(), QUANTILES) for name, tensor in tensors.items()}
    return {name: [float(f"{value:.6g}") for value in values] for name, values in results.items()}


def _numbers(net: Net) -> Tensors:
    return {name: part.detach() for name, part in net.named_parameters()}


def _batches(data: _Data, rows: Tensor, batches: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    for part in rows.tensor_split(batches):
        yield data.take(part)


def _rate(config: TrainingConfig, epochs: float) -> float:
    """Return the learning rate after so many epochs: a rise over the first tenth of one, then half a cosine to zero."""
    return config.rate * min(1.0, 0.05 + epochs / 0.1) * 0.5 * (1.0 + cos(pi * epochs / config.epochs))


def _judge(net: Net, data: _Data, rows: Tensor, correlation: float) -> float:
    """Return the loss on these rows without dropout and noise."""
    net.eval()
    with torch.no_grad():
        lines, labels = [], []
        for window, static, y in _batches(data, rows, -(-len(rows) // SEEN_AT_ONCE)):
            lines.append(net(window, static, torch.ones((len(y), net.masks), device=y.device)))
            labels.append(y)
        return float(loss(torch.cat(lines), torch.cat(labels), data.weights, correlation))


def _mixed(seed: int, epoch: int, use: int) -> int:
    """Return a seed of its own for each use of chance."""
    return int(np.random.SeedSequence([seed, epoch, use]).generate_state(1)[0])


def _copy(tensors: Tensors) -> Tensors:
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}


def _head_moment(net: Net, optimiser: torch.optim.AdamW) -> Tensor:
    """Return AdamW's mean squared gradient of the head, the bias last [2 H, D + 1]."""
    weight, bias = (optimiser.state[part] for part in (net.head.weight, net.head.bias))
    decayed = 1.0 - optimiser.param_groups[0]["betas"][1] ** float(weight["step"])
    moment: Tensor = torch.cat([weight["exp_avg_sq"], bias["exp_avg_sq"][:, None]], dim=1) / decayed
    return moment


def _kept(optimiser: torch.optim.AdamW, net: Net) -> dict[str, Tensors]:
    """Return the optimiser's state by parameter name, one group a kind."""
    kinds = ("step", "exp_avg", "exp_avg_sq")
    return {kind: {name: optimiser.state[part][kind] for name, part in net.named_parameters()} for kind in kinds}


def _restore(optimiser: torch.optim.AdamW, net: Net, groups: dict[str, Tensors]) -> None:
    for name, part in net.named_parameters():
        optimiser.state[part] = {
            "step": groups["step"][name],
            **{kind: groups[kind][name].to(part.device) for kind in ("exp_avg", "exp_avg_sq")},
        }
