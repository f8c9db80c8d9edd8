"""A copy of a run's bars, so that a resumed run trains on the same ones, whatever has been stored since."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

from features.frame import BarFrame

FILE = "bars.safetensors"


def save(folder: Path, frames: Sequence[BarFrame]) -> None:
    """Write the frames into a folder; a reader sees all of them or none."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {
        f"{place} {name}": np.ascontiguousarray(getattr(frame, name))
        for place, frame in enumerate(frames)
        for name in ("time", "gap", "numbers")
    }
    about = msgspec.json.encode([(frame.symbol, frame.interval) for frame in frames]).decode()
    draft = folder / f".{FILE}.draft"
    save_file(arrays, draft, {"frames": about})
    draft.replace(folder / FILE)


def load(folder: Path) -> list[BarFrame] | None:
    """Read the output of `save`, None if there is none."""
    path = folder / FILE
    if not path.exists():
        return None
    with safe_open(path, "np") as file:
        about = msgspec.json.decode(file.metadata()["frames"], type=list[tuple[str, str]])
        return [
            BarFrame(
                symbol=symbol,
                interval=interval,
                **{name: file.get_tensor(f"{place} {name}") for name in ("time", "gap", "numbers")},
            )
            for place, (symbol, interval) in enumerate(about)
        ]


def remove(folder: Path) -> None:
    """Remove the copy if there is one."""
    (folder / FILE).unlink(missing_ok=True)
