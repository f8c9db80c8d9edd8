"""The curve of a training: the loss on rows trained on and on rows held out, after each epoch or round."""

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Self

import msgspec

from learning.tracking.run import MlflowRun

FILE = "curve.json"
NOTHING: Mapping[str, int] = MappingProxyType({})
TOLD = re.compile(r"(epoch|round) (\d+) of \d+(?:, ([^:]+))?: loss (\S+), held out (\S+)")
"""The format of `models.forecaster.record`."""


class Curve(msgspec.Struct):
    """The losses by unit (``epoch``, ``round 05 bars ahead``): a step and its two losses each."""

    points: dict[str, list[tuple[int, float, float]]] = {}

    def record(self, words: str) -> str | None:
        """Parse a message of a training, and return its unit; None if it is not about an epoch or round."""
        match = TOLD.fullmatch(words)
        if match is None:
            return None
        unit, step, part, loss, held_out = match.groups()
        counted = f"{unit} {part}" if part else unit
        self.points.setdefault(counted, []).append((int(step), float(loss), float(held_out)))
        return counted

    def save(self, folder: Path) -> None:
        """Write it beside an artifact, if it is not empty."""
        if self.points:
            draft = folder / f".{FILE}.draft"
            draft.write_bytes(msgspec.json.encode(self))
            draft.replace(folder / FILE)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the curve beside an artifact, an empty one if there is none or it cannot be read."""
        try:
            return msgspec.json.decode((folder / FILE).read_bytes(), type=cls)
        except (OSError, msgspec.DecodeError):
            return cls()

    def log(self, run: MlflowRun, *units: str, after: Mapping[str, int] = NOTHING) -> None:
        """Log it, or only those units: a metric for each loss, whose steps are the epochs or rounds.

        `after` is how many points of a unit were logged before, and are left out.
        """
        curves: dict[str, list[tuple[int, float]]] = {}
        for counted, points in self.points.items():
            unit, _, part = counted.partition(" ")
            if units and unit not in units:
                continue
            names, new = losses(unit, part), points[after.get(counted, 0) :]
            curves[names[0]] = [(step, loss) for step, loss, _ in new]
            curves[names[1]] = [(step, held_out) for step, _, held_out in new]
        run.curves(curves)

    def metrics(self) -> dict[str, list[tuple[int, float]]]:
        """Return each loss by its name in MLflow: steps and values."""
        found: dict[str, list[tuple[int, float]]] = {}
        for counted, points in self.points.items():
            names = losses(*counted.partition(" ")[::2])
            found[names[0]] = [(step, loss) for step, loss, _ in points]
            found[names[1]] = [(step, held_out) for step, _, held_out in points]
        return found


def losses(unit: str, part: str = "") -> tuple[str, str]:
    """Return the two losses' names in MLflow, whose page groups them by the text before the slash."""
    group = f"{unit}s {part}".rstrip()
    return f"{group}/loss in training", f"{group}/loss held out"
