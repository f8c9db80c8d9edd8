"""What models share whose fit ends in a few arrays: their version, and reading and writing them as JSON."""

from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from models import artifact, space
from models.forecaster import JSON
from models.space import NONE, Parameters, Space
from topics.records import HORIZONS


class Fitted:
    """A model whose fitted attributes `kept` are arrays or plain values, NaN nowhere, and fit into model.json.

    `settings` are the constants of its arithmetic: the version changes with them. `SPACE` is what may be tuned of it,
    and `tuned` what was.
    """

    name: ClassVar[str]
    market: ClassVar[tuple[str, ...]]
    kept: ClassVar[tuple[str, ...]]
    settings: ClassVar[JSON] = {}
    SPACE: ClassVar[Space] = {}

    def __init__(
        self, names: tuple[str, ...] = (), horizons: tuple[int, ...] = HORIZONS, parameters: Parameters = NONE
    ) -> None:
        self.names = names
        self.horizons = horizons
        self.tuned = space.tuned(self.name, self.SPACE, parameters)
        self.fingerprint = ""

    @property
    def version(self) -> str:
        """Return the hash of the definition and of what was fitted."""
        return artifact.version(self._definition())

    def _definition(self) -> JSON:
        values = {field: getattr(self, field) for field in self.kept}
        return {
            "model": self.name,
            "fingerprint": self.fingerprint,
            "names": self.names,
            "horizons": self.horizons,
            "settings": self.settings,
            **{field: value.tolist() if isinstance(value, np.ndarray) else value for field, value in values.items()},
            **space.noted(self.tuned),
        }

    def save(self, folder: Path) -> None:
        """Write model.json."""
        artifact.write(folder, self._definition())

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. Raises ValueError with one line where it is no artifact of this model."""
        definition = artifact.read(folder, cls.name)
        tuned = {"parameters": space.of(definition)} if cls.SPACE else {}
        model = cls(tuple(definition["names"]), tuple(definition["horizons"]), **tuned)
        model.fingerprint = definition["fingerprint"]
        for field in cls.kept:
            plain = definition[field]
            setattr(model, field, np.array(plain) if isinstance(getattr(model, field), np.ndarray) else plain)
        return model
