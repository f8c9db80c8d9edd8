"""Common base of models with a few fitted arrays: version, and reading and writing as JSON."""

from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from models import artifact, search_space
from models.forecaster import Forecaster
from models.json_type import JSON


class JSONModel(Forecaster):
    """A model whose fitted attributes `kept` are arrays or plain values, NaN nowhere, and fit into model.json.

    `settings` are the constants of its arithmetic: the version changes with them.
    """

    kept: ClassVar[tuple[str, ...]]
    settings: ClassVar[JSON] = {}

    def _definition(self) -> JSON:
        values = {field: getattr(self, field) for field in self.kept}
        return super()._definition() | {
            "settings": self.settings,
            **{field: value.tolist() if isinstance(value, np.ndarray) else value for field, value in values.items()},
            **search_space.noted(self.tuned),
        }

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the output of `save`. Raises ValueError with one line if it is no artifact of this model."""
        definition = artifact.read(folder, cls.name)
        model = cls(tuple(definition["names"]), tuple(definition["horizons"]), search_space.of(definition))
        model.fingerprint = definition["fingerprint"]
        for field in cls.kept:
            plain = definition[field]
            setattr(model, field, np.array(plain) if isinstance(getattr(model, field), np.ndarray) else plain)
        return model
