"""All monitors of one champion: reports each kind of change once."""

from collections.abc import Sequence
from typing import Protocol

from features.frame import Floats, Ints
from learning.monitoring.change import Change
from learning.monitoring.coverage_drift import CoverageDrift
from learning.monitoring.error_drift import ErrorDrift
from learning.monitoring.expiry import Expiry
from learning.monitoring.feature_drift import FeatureDrift
from learning.monitoring.ood import DissimilarityDrift
from models.drift.reference import Reference
from models.registry.provenance import Provenance


class Watcher(Protocol):
    """A monitor of one number per bar, at one horizon."""

    @property
    def raised(self) -> bool:
        """Return whether a change has begun and not ended."""

    def update(self, time: int, value: float, /) -> Change | None:
        """Add a bar's number; return the change if it has lasted."""


class DriftMonitor:
    """The monitors of one version. Without provenance or reference it is not compared with its training data."""

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
        self._ood = DissimilarityDrift(span)
        self._features = None if reference is None else FeatureDrift(reference, span)
        self._expiry = None if provenance is None else Expiry(provenance.last, expiry_days)

    def scored(self, time: Ints, gain: Floats, hits: Floats) -> list[Change]:
        """Add the gains over naive and the shares of covering intervals [n, H] of the bars at `time` [n]."""
        changes: list[Change] = []
        for moment, gains, lease in zip(time.tolist(), gain.tolist(), hits.tolist(), strict=True):
            changes += _changes(self._errors, moment, gains) + _changes(self._coverage, moment, lease)
        return changes

    def predicted(self, time: Ints, share: Floats) -> list[Change]:
        """Add the shares of the symbols whose bar is out of distribution [n], of the bars at `time` [n]."""
        changes: list[Change | None] = []
        for moment, value in zip(time.tolist(), share.tolist(), strict=True):
            changes.append(self._ood.update(moment, value))
            if self._expiry is not None:
                changes.append(self._expiry.update(moment))
        return [change for change in changes if change is not None]

    def computed(self, time: Ints, values: Floats) -> list[Change]:
        """Add the rows [n, F] of features of all symbols, of the bars at `time` [n]."""
        return self._features.update(time, values) if self._features is not None else []


def _changes(watchers: Sequence[Watcher], time: int, values: Sequence[float]) -> list[Change]:
    """Return the change that one of the horizons' monitors reports, unless another has reported it before."""
    before = any(watcher.raised for watcher in watchers)
    changes = [watcher.update(time, value) for watcher, value in zip(watchers, values, strict=True)]
    return [change for change in changes if change is not None and not before][:1]
