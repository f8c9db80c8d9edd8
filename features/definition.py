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

    `timeframes` are intervals, such as 5m, whose features are computed besides.
    """

    regimes: RegimeParameters = regimes.DEFAULT
    timeframes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of a feature frame, in order: the table's, then those of each timeframe, such as rsi_14@5m."""
        return table.NAMES + tuple(f"{name}@{timeframe}" for timeframe in self.timeframes for name in table.NAMES)

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
