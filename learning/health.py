"""All that is watched of one champion: what changed, once for each kind of change."""

from collections.abc import Sequence
from typing import Protocol

from features.frame import Floats, Ints
from learning.change import Change
from learning.coverage_drift import CoverageDrift
from learning.error_drift import ErrorDrift
from learning.expiry import Expiry
from learning.feature_drift import FeatureDrift
from learning.unlike import DissimilarityDrift
from models.provenance import Provenance
from models.reference import Reference


class Watcher(Protocol):
    """What watches one number of a bar, and one horizon."""

    @property
    def raised(self) -> bool:
        """Tell whether a change has begun and not ended."""

    def update(self, time: int, value: float, /) -> Change | None:
        """Take a bar's number; return the change that has lasted with it."""


class Health:
    """The watchers of one version. Without a provenance or a reference it is not compared with its training data."""

    def __init__(
        self,
        horizons: tuple[int, ...],
        span: int,
        provenance: Provenance | None = None,
        reference: Reference | None = None,
        expiry_days: float = 45.0,
    ) -> None:
        self._errors = [ErrorDrift(horizon, span) for horizon in horizons]
        self._coverage = [CoverageDrift(horizon, span) for horizon in horizons]
        self._unlike = DissimilarityDrift(span)
        self._features = None if reference is None else FeatureDrift(reference, span)
        self._expiry = None if provenance is None else Expiry(provenance.last, expiry_days)

    def scored(self, time: Ints, gain: Floats, hits: Floats) -> list[Change]:
        """Take the gains over naive and the shares of intervals that held [n, H] of the bars at `time` [n]."""
        found: list[Change] = []
        for moment, gains, held in zip(time.tolist(), gain.tolist(), hits.tolist(), strict=True):
            found += _told(self._errors, moment, gains) + _told(self._coverage, moment, held)
        return found

    def predicted(self, time: Ints, share: Floats) -> list[Change]:
        """Take the shares of the symbols whose bar is unlike the training data [n], of the bars at `time` [n]."""
        found: list[Change | None] = []
        for moment, value in zip(time.tolist(), share.tolist(), strict=True):
            found.append(self._unlike.update(moment, value))
            if self._expiry is not None:
                found.append(self._expiry.update(moment))
        return [change for change in found if change is not None]

    def computed(self, time: Ints, values: Floats) -> list[Change]:
        """Take the rows [n, F] of features of all symbols, of the bars at `time` [n]."""
        return self._features.update(time, values) if self._features is not None else []


def _told(watchers: Sequence[Watcher], time: int, values: Sequence[float]) -> list[Change]:
    """Return the change that one of the horizons' watchers reports, unless another has told of it before."""
    before = any(watcher.raised for watcher in watchers)
    changes = [watcher.update(time, value) for watcher, value in zip(watchers, values, strict=True)]
    return [change for change in changes if change is not None and not before][:1]
