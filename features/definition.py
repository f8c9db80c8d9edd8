"""What determines the features' values besides the table: fitted parameters and the configuration.

It is stored as `features.json` beside the models, which refer to it by its fingerprint.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import msgspec

from features import regimes, table
from features.regimes import RegimeParameters
from topics.suggestions import unknown

FILE = "features.json"


@dataclass(frozen=True)
class Definition:
    """The features of one pipeline. Equal content has an equal fingerprint.

    `timeframes` are intervals, such as 5m, whose features are computed too. `columns` are the selected ones, all if
    empty; the regimes' are always included. Raises ValueError if one is not among `computed`.
    """

    regimes: RegimeParameters = regimes.DEFAULT
    timeframes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        computed = set(self.computed)
        for name in self.columns:
            if name not in computed:
                base, at, timeframe = name.partition("@")
                if at and base in table.NAMES:
                    raise ValueError(f"there is no feature {name!r}: {timeframe!r} is none of the timeframes")
                raise ValueError(unknown("feature", name, self.computed, "docs/FEATURES.md"))

    @property
    def computed(self) -> tuple[str, ...]:
        """The columns that the fold computes, in order: the table's columns, then those of each timeframe, such as
        rsi_14@5m."""
        return table.NAMES + tuple(f"{name}@{timeframe}" for timeframe in self.timeframes for name in table.NAMES)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of a feature frame, in order."""
        wanted = {*self.columns, *regimes.COLUMNS}
        return tuple(name for name in self.computed if name in wanted) if self.columns else self.computed

    @property
    def fingerprint(self) -> str:
        """Identifies this definition: with equal fingerprints every column has the same meaning."""
        return hashlib.sha256(table.FINGERPRINT.encode() + msgspec.json.encode(self)).hexdigest()[:12]

    def save(self, folder: Path) -> Path:
        """Write features.json into the folder atomically, and return its path."""
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f".{FILE}.draft"
        draft.write_bytes(msgspec.json.format(msgspec.json.encode(self)))
        return draft.replace(folder / FILE)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the definition in a folder's features.json, the default one if there is no such file.

        Raises ValueError with one line if it was not written by `save`.
        """
        path = folder / FILE
        try:
            return msgspec.json.decode(path.read_bytes(), type=cls)
        except FileNotFoundError:
            return cls()
        except OSError as error:
            raise ValueError(f"{path}: cannot be read ({error.strerror}); run foretick train") from error
        except msgspec.DecodeError as error:
            raise ValueError(f"{path}: not a definition of the features ({error}); run foretick train") from error


DEFAULT = Definition()
"""The definition without fitted parameters."""
