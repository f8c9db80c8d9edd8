"""The importance of a fitted model's inputs, if the model has one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import msgspec
import numpy as np

from features.frame import Floats

FILE = "importance.json"
GAIN = "the total gain of all splits in training"
COEFFICIENTS = "the sizes of all coefficients, inputs standardised"


class Importance(msgspec.Struct, frozen=True):
    """The share of each input in a `whole`, in %, the largest first."""

    whole: str
    shares: dict[str, float]

    @classmethod
    def of(cls, whole: str, names: Sequence[str], sizes: Floats) -> Self | None:
        """Return the shares of these sizes [F], none negative, in their sum; None if their sum is 0."""
        total = float(sizes.sum())
        if not total > 0:
            return None
        order = np.argsort(-sizes, kind="stable")
        return cls(whole, {names[place]: 100.0 * float(sizes[place]) / total for place in order})

    def save(self, folder: Path) -> None:
        """Write it beside an artifact: it is not part of the version's hash."""
        (folder / FILE).write_bytes(msgspec.json.encode(self))

    @classmethod
    def load(cls, folder: Path) -> Self | None:
        """Return what lies beside an artifact, None if there is none or it cannot be read."""
        try:
            return msgspec.json.decode((folder / FILE).read_bytes(), type=cls)
        except (OSError, msgspec.DecodeError):
            return None


def coefficients(names: Sequence[str], weights: Floats) -> Importance | None:
    """Return the importance of inputs by their coefficients [H, F] on standardised inputs, of all horizons together."""
    return Importance.of(COEFFICIENTS, names, np.abs(weights).sum(axis=0))
