"""What the weights and gradients of a network were like after each epoch: a record beside its artifact.

No forecast depends on it: it is not part of the version, and who serves a model does not read it.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec

FILE = "epochs.json"
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


class TrainingEpoch(msgspec.Struct, frozen=True, kw_only=True):
    """The weights after an epoch, and the gradients of its last batch before they were clipped.

    By tensor, the quantiles of its numbers at `QUANTILES`.
    """

    epoch: int
    weights: dict[str, list[float]]
    gradients: dict[str, list[float]]


def write(folder: Path, epochs: Sequence[TrainingEpoch]) -> None:
    """Write them beside an artifact, if there are any."""
    if epochs:
        (folder / FILE).write_bytes(msgspec.json.encode(epochs))


def read(folder: Path) -> list[TrainingEpoch]:
    """Return those beside an artifact, none if it has none. Raises ValueError with one line if they are damaged."""
    path = folder / FILE
    if not path.exists():
        return []
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[TrainingEpoch])
    except (OSError, msgspec.DecodeError) as error:
        raise ValueError(f"{path}: cannot be read ({error}); no forecast depends on it: remove it") from error
