"""A version's provenance: a file beside its artifact, not part of the version's hash."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from features.frame import BarFrame

FILE = "provenance.json"
Parameter = float | int | str | bool


class Provenance(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The training data and parameters of a version.

    `first` and `last` are the times (epoch ms) of the first and the last bar of the training data, `rows` its bars of
    all `symbols`, `data_sha256` their hash, `fingerprint` the features' definition. `commit` is the code's, `reference`
    names the sample for comparing new rows, `run_id` is the run in MLflow.
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
        """Return whether at that time (epoch ms) the training data has ended more than so many days ago."""
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
    """Return the provenance of a training on these bars, at least one frame with a bar."""
    return Provenance(
        first=min(int(frame.time[0]) for frame in bars),
        last=max(int(frame.time[-1]) for frame in bars),
        rows=sum(map(len, bars)),
        symbols=[frame.symbol for frame in bars],
        data_sha256=data_sha256(bars),
        fingerprint=fingerprint,
        seed=seed,
        commit=commit,
        parameters=dict(parameters or {}),
        reference=reference,
        run_id=run_id,
    )


def data_sha256(bars: Sequence[BarFrame]) -> str:
    """Return the SHA-256 over symbol, interval, times and numbers of the frames, whatever their order."""
    result = hashlib.sha256()
    for frame in sorted(bars, key=lambda frame: (frame.symbol, frame.interval)):
        result.update(f"{frame.symbol} {frame.interval} {len(frame)} ".encode())
        for column in (frame.time, frame.gap, frame.numbers):
            result.update(column.tobytes())
    return result.hexdigest()


def write(folder: Path, provenance: Provenance) -> None:
    """Write it into an artifact's folder; atomically for readers."""
    draft = folder / f".{FILE}.draft"
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(provenance)))
    draft.replace(folder / FILE)


def read(folder: Path) -> Provenance | None:
    """Return what lies in an artifact's folder, None if nothing does.

    Raises ValueError with one line if it cannot be read.
    """
    path = folder / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Provenance)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise ValueError(f"{path}: not a version's provenance ({error})") from error
