"""Where a version of a model comes from: a file beside its artifact, and no part of the hash that names the version."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from features.frame import BarFrame

FILE = "provenance.json"
Parameter = float | int | str | bool


class Provenance(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a version was trained on, and how.

    `first` and `last` are the times (epoch ms) of the first and the last bar of the training data, `rows` its bars of
    all `symbols`, `data_sha256` their hash, `fingerprint` the features' definition. `commit` is the code's, `reference`
    names the sample that new rows are compared with, `run_id` is the run in MLflow.
    """

    first: int
    last: int
    rows: int
    symbols: list[str]
    data_sha256: str
    fingerprint: str
    seed: int
    commit: str | None = None
    parameters: dict[str, Parameter] = {}
    reference: str | None = None
    run_id: str | None = None

    def expired(self, time: int, days: float) -> bool:
        """Tell whether at that time (epoch ms) the training data has ended more than so many days ago."""
        return time > self.last + days * 86_400_000


def of(
    bars: Sequence[BarFrame],
    fingerprint: str,
    seed: int,
    *,
    commit: str | None = None,
    parameters: Mapping[str, Parameter] | None = None,
    reference: str | None = None,
    run_id: str | None = None,
) -> Provenance:
    """Return the provenance of what is trained on these bars, at least one frame with a bar."""
    return Provenance(
        min(int(frame.time[0]) for frame in bars),
        max(int(frame.time[-1]) for frame in bars),
        sum(map(len, bars)),
        [frame.symbol for frame in bars],
        data_sha256(bars),
        fingerprint,
        seed,
        commit,
        dict(parameters or {}),
        reference,
        run_id,
    )


def data_sha256(bars: Sequence[BarFrame]) -> str:
    """Return the SHA-256 over symbol, interval, times and numbers of the frames, whatever their order."""
    found = hashlib.sha256()
    for frame in sorted(bars, key=lambda frame: (frame.symbol, frame.interval)):
        found.update(f"{frame.symbol} {frame.interval} {len(frame)} ".encode())
        for column in (frame.time, frame.gap, frame.numbers):
            found.update(column.tobytes())
    return found.hexdigest()


def write(folder: Path, provenance: Provenance) -> None:
    """Write it into an artifact's folder; a reader sees the old file or the new one."""
    draft = folder / f".{FILE}.draft"
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(provenance)))
    draft.replace(folder / FILE)


def read(folder: Path) -> Provenance | None:
    """Return what lies in an artifact's folder, None where nothing does.

    Raises ValueError with one line where it cannot be read.
    """
    path = folder / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Provenance)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise ValueError(f"{path}: tells nothing of where the version comes from ({error})") from error
