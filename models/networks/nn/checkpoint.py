"""Where a training stands after an epoch: one safetensors file, whose header carries the rest as JSON."""

from dataclasses import dataclass
from pathlib import Path

import msgspec
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from models.networks.training_epochs import TrainingEpoch

Tensors = dict[str, Tensor]


@dataclass(frozen=True, kw_only=True)
class TrainingCheckpoint:
    """After `epochs`: the `best` loss on the held-out rows, how many epochs ago, and which training (`identity`).

    `history` has an entry for each epoch; checkpoints of before it existed have none.
    """

    identity: str
    epochs: int = 0
    best: float = float("inf")
    ago: int = 0
    history: tuple[TrainingEpoch, ...] = ()


def write(path: Path, checkpoint: TrainingCheckpoint, groups: dict[str, Tensors]) -> None:
    """Write the standing and the named groups of tensors; a reader finds the old file or the new one."""
    flat = {
        f"{group}/{name}": tensor.detach().cpu().contiguous()
        for group, part in groups.items()
        for name, tensor in part.items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    draft.write_bytes(save(flat, {"standing": msgspec.json.encode(checkpoint).decode()}))
    draft.replace(path)


def read(path: Path, identity: str) -> tuple[TrainingCheckpoint, dict[str, Tensors]] | None:
    """Return what `write` wrote, None if there is nothing of the training with this identity.

    Raises ValueError with one line if the file is damaged.
    """
    if not path.exists():
        return None
    groups: dict[str, Tensors] = {}
    try:
        with safe_open(path, framework="pt") as file:
            checkpoint = msgspec.json.decode(file.metadata()["standing"], type=TrainingCheckpoint)
            if checkpoint.identity != identity:
                return None
            for name in file.keys():  # noqa: SIM118 - it is no dict
                group, _, own = name.partition("/")
                groups.setdefault(group, {})[own] = file.get_tensor(name)
    except (SafetensorError, KeyError, TypeError, msgspec.DecodeError, msgspec.ValidationError) as error:
        raise ValueError(f"{path}: not a checkpoint ({error}); remove it to train from the beginning") from error
    return checkpoint, groups
