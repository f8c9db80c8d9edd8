"""The one interface of every model."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

import numpy as np
import numpy.typing as npt

from features.frame import FeatureFrame
from topics.limits import LEAST_SCALE, MOST_RETURN, MOST_SCALE

Floats = npt.NDArray[np.float64]
JSON = dict[str, Any]


@dataclass(frozen=True)
class Forecasts:
    """Distributions of the log return for n rows and H horizons; NaN where the model cannot say yet.

    `mean` and `scale` [n, H] are in log return, `quantiles` [n, H, Q] at `topics.records.QUANTILES`, `p_up` [n, H].
    """

    mean: Floats
    scale: Floats
    quantiles: Floats
    p_up: Floats

    def limited(self) -> "Forecasts":
        """Return the forecasts that a record may carry; where a model says anything else, it says nothing."""
        quantiles = np.isfinite(self.quantiles).all(axis=-1)
        scale = (self.scale >= LEAST_SCALE) & (self.scale <= MOST_SCALE)
        fine = (np.abs(self.mean) <= MOST_RETURN) & (self.p_up >= 0) & (self.p_up <= 1) & quantiles & scale
        fine |= np.isnan(self.mean) & (scale | np.isnan(self.scale))
        if fine.all():
            return self
        silent = np.where(fine, 0.0, np.nan)
        spread = self.quantiles + silent[..., None]
        return Forecasts(self.mean + silent, self.scale + silent, spread, self.p_up + silent)


class Forecaster(Protocol):
    """A model: fitted once on history, then stepped over the rows of each symbol in time order.

    A forecaster has no memory of its own between calls: what it learns from the stream for one symbol is in the state,
    a JSON-able dict that `initial` makes and `step` replaces. Cutting the rows anywhere, with the state through JSON at
    the cut, gives bit-identical forecasts. `version` is a hash of the definition and of what was fitted.

    `market` names the parts of a state that tell of the market alone and nothing of what was fitted: a version that is
    put into service in mid-stream takes them over from another version of the model, and so speaks from its first bar.
    """

    name: ClassVar[str]
    market: ClassVar[tuple[str, ...]]
    horizons: tuple[int, ...]
    fingerprint: str

    @property
    def version(self) -> str: ...

    def fit(self, frames: list[FeatureFrame], seed: int) -> None:
        """Fit on one frame a symbol. Labels come from the frames' own `close` and `time`, and never leave them."""
        ...

    def initial(self) -> JSON:
        """Return the state of a symbol that was not seen yet."""
        ...

    def step(self, state: JSON, frame: FeatureFrame) -> tuple[JSON, Forecasts]:
        """Forecast each row from what was known at its close; learn from labels only once they have matured."""
        ...

    def save(self, folder: Path) -> None:
        """Write the artifact: JSON and the library's own format, never pickle."""
        ...

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. Raises ValueError with one line where it is no artifact of this model."""
        ...
