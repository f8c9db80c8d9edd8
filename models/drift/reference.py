"""The reference for new rows: a digest of the training data."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import msgspec
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from features.frame import FeatureFrame, Floats, Ints
from models import inputs
from models.artifact import sha256
from models.drift.dissimilarity import Dissimilarity
from models.drift.psi import Stability

FOLDER = "references"
LIKENESS = ("middle", "scale", "directions", "origin", "neighbours", "covariance", "limit")
CALENDAR = ("day_sine", "day_cosine", "week_sine", "week_cosine")
"""Columns of the calendar: a window never has their full distribution, whatever the market."""


@dataclass(frozen=True, kw_only=True)
class Reference:
    """The training data of one features' definition: and the distance of new rows and windows from it.

    `names` are all columns of a row, `columns` those that are compared: not prices, amounts and sums over history,
    whose levels change, not the calendar, and none that was mostly unknown.
    """

    fingerprint: str
    names: tuple[str, ...]
    columns: tuple[str, ...]
    likeness: Dissimilarity
    stability: Stability

    @classmethod
    def fit(cls, frames: Sequence[FeatureFrame], names: Sequence[str], seed: int = 0) -> Self:
        """Fit to the training data, one frame a symbol, whose columns have these names.

        Raises ValueError with one line if there are too few rows, or no column can be compared.
        """
        known = np.mean([np.isfinite(frame.values).mean(axis=0) for frame in frames], axis=0)
        messages = [name for name, share in zip(names, known, strict=True) if share > 0.5 and _comparable(name)]
        if not messages:
            raise ValueError("no feature that is configured compares between times: a reference needs one that does")
        places = [list(names).index(name) for name in messages]
        values, times = [frame.values[:, places] for frame in frames], [frame.time for frame in frames]
        likeness, stability = Dissimilarity.fit(values, times, seed), Stability.fit(values, times)
        return cls(
            fingerprint=frames[0].fingerprint,
            names=tuple(names),
            columns=tuple(messages),
            likeness=likeness,
            stability=stability,
        )

    @cached_property
    def id(self) -> str:
        """Name this reference: equal content has an equal id."""
        return sha256(self._bytes)[:12]

    @cached_property
    def limits(self) -> dict[str, float]:
        """Each column's limit for the stability index."""
        return _by_column(self.columns, self.stability.limits)

    @property
    def window(self) -> int:
        """The length of a window for `psi`, in bars of every symbol."""
        return self.stability.window

    def dissimilarity(self, values: Floats) -> Floats:
        """Return the distance of rows [n, F] from the training data, in units of the upper whisker of its own
        distances: [n].

        Above 1 a row is out of distribution. NaN if more than half of it is unknown.
        """
        return self.likeness.of(values, self._places)

    def deviations(self, row: Floats) -> dict[str, float]:
        """Return how far each compared column of a row [F] is from the training data's median, in robust standard
        deviations.

        Unknown values are left out, and columns that never varied in the training data.
        """
        away = (row[self._places] - self.likeness.middle) / self.likeness.scale
        return _by_column(self.columns, np.where(np.isfinite(self.likeness.scale), away, np.nan))

    def psi(self, values: Floats) -> dict[str, float]:
        """Return each column's population stability index in the rows [n, F] of one window, of all symbols together."""
        return _by_column(self.columns, self.stability.of(values[:, self._places]))

    @cached_property
    def _places(self) -> Ints:
        return np.array([self.names.index(name) for name in self.columns])

    @cached_property
    def _bytes(self) -> bytes:
        fields = {**vars(self.likeness), **self.stability._asdict()}
        arrays = {name: np.ascontiguousarray(value) for name, value in fields.items() if isinstance(value, np.ndarray)}
        about = {
            "fingerprint": self.fingerprint,
            "names": self.names,
            "columns": self.columns,
            "limit": self.likeness.limit,
            "window": self.stability.window,
        }
        return save(arrays, {"reference": msgspec.json.encode(about).decode()})

    def save(self, folder: Path) -> Path:
        """Write ``references/<id>.safetensors`` below <home>/models, and return where it lies."""
        path = _path(folder, self.id)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.draft")
        draft.write_bytes(self._bytes)
        return draft.replace(path)

    @classmethod
    def load(cls, folder: Path, reference: str) -> Self:
        """Read the reference of that id below <home>/models.

        Raises ValueError with one line if it is missing or is not what was saved.
        """
        path = _path(folder, reference)
        try:
            text = sha256(path.read_bytes())[:12]
            if text != reference:
                raise ValueError(f"{path}: holds reference {text}: changed since; run foretick train")
            with safe_open(path, "np") as file:
                about = msgspec.json.decode(file.metadata()["reference"])
                arrays: dict[str, Any] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        except OSError as error:
            raise ValueError(f"{path}: the reference cannot be read ({error.strerror}); run foretick train") from error
        except SafetensorError as error:
            raise ValueError(f"{path}: not a reference ({error}); run foretick train") from error
        arrays |= {"limit": about["limit"], "window": about["window"]}
        likeness = Dissimilarity(**{field: arrays[field] for field in LIKENESS})
        stability = Stability(**{field: arrays[field] for field in Stability._fields})
        return cls(
            fingerprint=about["fingerprint"],
            names=tuple(about["names"]),
            columns=tuple(about["columns"]),
            likeness=likeness,
            stability=stability,
        )


def _path(folder: Path, reference: str) -> Path:
    return folder / FOLDER / f"{reference}.safetensors"


def _comparable(column: str) -> bool:
    return inputs.kind(column) in ("free", "movement") and column.partition("@")[0] not in CALENDAR


def _by_column(columns: tuple[str, ...], values: Floats) -> dict[str, float]:
    return {name: value for name, value in zip(columns, values.tolist(), strict=True) if value == value}  # noqa: PLR0124 - NaN
