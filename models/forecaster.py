"""The one interface of every model."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from features.frame import FeatureFrame
from models import artifact, search_space
from models.contributions import Parts, Row
from models.importance import Importance
from models.json_type import JSON
from models.search_space import NONE, Parameters, Space
from models.structure import Structure
from topics.limits import LEAST_SCALE, MOST_RETURN, MOST_SCALE
from topics.records import HORIZONS

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Forecasts:
    """Distributions of the log return for n rows and H horizons; NaN if the model has no forecast yet.

    `mean` and `scale` [n, H] are in log return, `quantiles` [n, H, Q] at `topics.records.QUANTILES`, `p_up` [n, H].
    """

    mean: Floats
    scale: Floats
    quantiles: Floats
    p_up: Floats

    def limited(self) -> "Forecasts":
        """Return the forecasts within a record's limits; others become unknown."""
        quantiles = np.isfinite(self.quantiles).all(axis=-1)
        scale = (self.scale >= LEAST_SCALE) & (self.scale <= MOST_SCALE)
        fine = (np.abs(self.mean) <= MOST_RETURN) & (self.p_up >= 0) & (self.p_up <= 1) & quantiles & scale
        fine |= np.isnan(self.mean) & (scale | np.isnan(self.scale))
        if fine.all():
            return self
        silent = np.where(fine, 0.0, np.nan)
        spread = self.quantiles + silent[..., None]
        return Forecasts(self.mean + silent, self.scale + silent, spread, self.p_up + silent)


class Forecaster(ABC):
    """A model: fitted once on history, then stepped over the rows of each symbol in time order.

    A forecaster is stateless between calls: what it learns from the stream for one symbol is in the state, a JSON-able
    dict that `initial` returns and `step` replaces. Cutting the rows anywhere, with the state through JSON at the cut,
    gives bit-identical forecasts. `version` is a hash of the definition and the fitted parameters.

    `carried_state` names the parts of a state that tell of the market alone and nothing of what was fitted: a version
    that is put into service in mid-stream takes them over from another version, and so speaks from its first bar.

    What only some can do has a default here: nothing to tune, no curve of the fit, no ranking of the inputs, no parts.
    """

    name: ClassVar[str]
    carried_state: ClassVar[tuple[str, ...]]
    SPACE: ClassVar[Space] = {}
    """What may be tuned; `tuned` is what was."""
    iterative: ClassVar[bool] = False
    """The fit goes in rounds or epochs: `progress` is told of each in the words of `told`."""
    resumable: ClassVar[bool] = False
    """The fit goes on from where it was: `checkpoint` is a file, written after each epoch."""
    progress: Callable[[str], None] | None = None
    checkpoint: Path | None = None
    explained_rows: ClassVar[int] = 200
    """Of how many rows a summary of explanations is made: fewer where one takes long."""
    thin: int = 1
    """Only every so many-th row is trained on, by a model whose fit is slow; what comes of it is in the artifact."""

    def __init__(
        self, names: tuple[str, ...] = (), horizons: tuple[int, ...] = HORIZONS, parameters: Parameters = NONE
    ) -> None:
        """Make an unfitted model on the features of these names.

        Raises ValueError with one line where it has no such parameter, or not that value.
        """
        self.names = names
        self.horizons = horizons
        self.tuned = search_space.tuned(self.name, self.SPACE, parameters)
        self.fingerprint = ""

    @property
    def version(self) -> str:
        """Return the hash of the definition and of what was fitted."""
        return artifact.version(self._definition())

    @abstractmethod
    def fit(self, frames: list[FeatureFrame], seed: int) -> None:
        """Fit on one frame a symbol. Labels come from the frames' own `close` and `time`, and never leave them."""

    @abstractmethod
    def initial(self) -> JSON:
        """Return the state of a symbol that was not seen yet."""

    @abstractmethod
    def step(self, state: JSON, frame: FeatureFrame) -> tuple[JSON, Forecasts]:
        """Forecast each row from what was known at its close; learn from labels only once they have matured."""

    @abstractmethod
    def contributions(self, row: Row) -> Parts:
        """Return what each input added to a forecast; `contributions.no_drift` where the mean is always zero."""

    def importance(self) -> Importance | None:
        """Return how much of what was fitted rests on each input; None before the fit, or where it cannot tell."""
        return None

    def structure(self) -> Structure:
        """Return what the fitted model consists of."""
        return Structure(note=f"{self.name} has no coefficients, trees or layers: it forecasts by a fixed rule.")

    def _definition(self) -> JSON:
        """Return all that the version depends on: a model adds its constants and what it fitted."""
        return {
            "model": self.name,
            "fingerprint": self.fingerprint,
            "names": self.names,
            "horizons": self.horizons,
        }

    def save(self, folder: Path) -> None:
        """Write the artifact: model.json, and what a model adds in its library's own format; never pickle."""
        artifact.write(folder, self._definition())

    @classmethod
    @abstractmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. Raises ValueError with one line where it is no artifact of this model."""


def told(unit: str, step: int, steps: int, loss: float, held_out: float, part: str = "") -> str:
    """Return the message about a round or epoch: its loss on training rows and on held-out rows, possibly of one
    part."""
    return f"{unit} {step} of {steps}{f', {part}' if part else ''}: loss {loss:.6f}, held out {held_out:.6f}"
