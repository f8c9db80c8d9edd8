"""What the features' numbers are made by, besides the table: what training fitted, and what is configured.

It is kept as `features.json` beside the models, which know it by its fingerprint.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import msgspec

from features import regimes, table
from features.regimes import RegimeParameters

FILE = "features.json"


@dataclass(frozen=True)
class Definition:
    """The features of one pipeline. Equal content has an equal fingerprint.

    `timeframes` are intervals, such as 5m, whose features are computed besides. `columns` are the ones wanted, all
    where it is empty; the regimes' are always there. Raises ValueError where one is not among `computed`.
    """

    regimes: RegimeParameters = regimes.DEFAULT
    timeframes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        computed = set(self.computed)
        unknown = [name for name in self.columns if name not in computed]
        if unknown:
            raise ValueError(
                f"no feature {unknown[0]!r}; docs/FEATURES.md lists them (rsi_14@5m with the timeframe 5m)"
            )

    @property
    def computed(self) -> tuple[str, ...]:
        """What the fold computes, in order: the table's columns, then those of each timeframe, such as rsi_14@5m."""
        return table.NAMES + tuple(f"{name}@{timeframe}" for timeframe in self.timeframes for name in table.NAMES)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of a feature frame, in order."""
        wanted = {*self.columns, *regimes.COLUMNS}
        return tuple(name for name in self.computed if name in wanted) if self.columns else self.computed

    @property
    def fingerprint(self) -> str:
        """Names this definition: two sides with the same fingerprint mean the same by each column."""
        return hashlib.sha256(table.FINGERPRINT.encode() + msgspec.json.encode(self)).hexdigest()[:12]

    def save(self, folder: Path) -> Path:
        """Write features.json into the folder, and return where it lies. A reader sees the old one or the new one."""
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f".{FILE}.draft"
        draft.write_bytes(msgspec.json.format(msgspec.json.encode(self)))
        return draft.replace(folder / FILE)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the definition in a folder's features.json, the default one where there is no such file.

        Raises ValueError with one line where it is not what `save` wrote.
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
"""Where nothing was fitted."""
