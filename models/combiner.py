"""What makes one forecast of many: the interface of the combiners, and what all of them share.

A combiner sees the experts' forecasts, the market's states and prices, and learns from the stream alone. What it knows
of a symbol is in the state, by the experts' names, so that a model that was trained anew keeps its weight.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import ClassVar, Protocol, Self

import numpy as np

from features.frame import FeatureFrame, Floats, Ints
from models import artifact, volatility
from models.distribution import NORMAL, odds_up
from models.forecaster import JSON, Forecasts
from models.labels import waiting
from topics.records import HORIZONS

CLIP = 4.0
"""Labels and forecasts in units of the scale are clipped to +- this."""
VOLATILITY = ("har", "garch", "lightgbm_volatility", "lightgbm_har")
"""Models of the scale alone: their mean is zero by definition and counts for nothing."""
SCALES = ("har", "lightgbm_volatility", "lightgbm_har")
"""The scale of a combination is the geometric mean of these, or the EWMA where none is there."""
QUEUED = 3
"""The first columns of what waits for its label: time, price and sigma."""


class Combiner(Protocol):
    """Combines the forecasts of several models, row by row, from labels that have matured."""

    name: ClassVar[str]
    market: ClassVar[tuple[str, ...]]
    horizons: tuple[int, ...]
    fingerprint: str

    @property
    def version(self) -> str: ...

    def experts(self, forecasts: Iterable[str]) -> tuple[str, ...]:
        """Return which of the models have a weight, in the order of the weights."""
        ...

    def initial(self) -> JSON:
        """Return the state of a symbol that was not seen yet."""
        ...

    def step(
        self, state: JSON, frame: FeatureFrame, forecasts: Mapping[str, Forecasts]
    ) -> tuple[JSON, Forecasts, Floats]:
        """Return the forecasts of the frame's rows and what each expert counted in them: weights [n, H, K]."""
        ...

    def save(self, folder: Path) -> None:
        """Write the artifact."""
        ...

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. Raises ValueError with one line where it is no artifact of this combiner."""
        ...


class Combination(ABC):
    """The parts that every combiner has: queues of forecasts that wait for their label, the scale, the artifact.

    `played` is how many numbers of its own a combiner adds to a row that waits.
    """

    name: ClassVar[str]
    market: ClassVar[tuple[str, ...]] = ("volatility", "layout", "experts", "learnt", "pending")
    """All of the state: nothing of a combiner is fitted."""
    played: ClassVar[int] = 0

    def __init__(
        self, names: tuple[str, ...] = (), horizons: tuple[int, ...] = HORIZONS, fingerprint: str = ""
    ) -> None:
        self.names = names
        self.horizons = horizons
        self.fingerprint = fingerprint

    @property
    def contexts(self) -> tuple[str, ...]:
        """The features that are probabilities of a market state; none where the market's state plays no part."""
        return ()

    @property
    def version(self) -> str:
        """Return the hash of the definition."""
        return artifact.version(self._definition())

    def experts(self, forecasts: Iterable[str]) -> tuple[str, ...]:
        """Return which of the models have a weight: all but those of the scale alone."""
        return tuple(name for name in forecasts if name not in VOLATILITY)

    def initial(self) -> JSON:
        """Return the state of a symbol that was not seen yet."""
        return {
            "volatility": volatility.initial(),
            "layout": self._layout(),
            "experts": [],
            "learnt": [self._fresh(0) for _ in self.horizons],
            "pending": [[] for _ in self.horizons],
        }

    def step(
        self, state: JSON, frame: FeatureFrame, forecasts: Mapping[str, Forecasts]
    ) -> tuple[JSON, Forecasts, Floats]:
        """Return the forecasts of the frame's rows and what each expert counted in them: weights [n, H, K].

        A state of another layout of horizons and contexts begins anew. Raises ValueError where there is no expert.
        """
        experts = self.experts(forecasts)
        if not experts:
            raise ValueError(f"{self.name!r} has no model to combine: train one that forecasts a mean")
        if state["layout"] != self._layout():
            state = self.initial()
        scale_state, sigma = volatility.step(state["volatility"], frame)
        unit = sigma[:, None] * np.sqrt(self.horizons)
        x = np.stack([np.clip(forecasts[name].mean / unit, -CLIP, CLIP) for name in experts], axis=2)
        moved = [state["experts"].index(name) if name in state["experts"] else -1 for name in experts]
        said, weights = np.empty(unit.shape), np.empty(x.shape)
        learnt, pending = [], []
        for column, horizon in enumerate(self.horizons):
            extra = np.full((len(frame), self.played), np.nan)
            new = np.column_stack([frame.time, frame.close, sigma, self._posterior(frame), x[:, column], extra])
            before = self._carried(state["pending"][column], moved, new.shape[1])
            rows = np.concatenate([before, new])
            times, prices, sigmas = rows[:, 0].astype(np.int64), rows[:, 1].copy(), rows[:, 2]
            at, y = waiting(times, prices, sigmas, (horizon,), CLIP, frame)
            known = self._restored(state["learnt"][column], moved)
            found = self._advance(known, rows, len(before), at.ravel(), y.ravel(), horizon, experts)
            done, said[:, column], weights[:, column] = found
            learnt.append({name: values.tolist() for name, values in known.items()})
            pending.append(rows[done:].tolist())
        new_state = {
            "volatility": scale_state,
            "layout": self._layout(),
            "experts": list(experts),
            "learnt": learnt,
            "pending": pending,
        }
        return new_state, _forecasts(said * unit, _scale(forecasts, unit)), weights

    @abstractmethod
    def _fresh(self, experts: int) -> JSON:
        """Return what is known of one horizon before the first label."""

    @abstractmethod
    def _restored(self, learnt: JSON, moved: list[int]) -> dict[str, Floats]:
        """Return what was learnt as arrays, expert k being what was expert moved[k], or new where that is -1."""

    @abstractmethod
    def _advance(
        self,
        learnt: dict[str, Floats],
        rows: Floats,
        old: int,
        at: Ints,
        y: Floats,
        horizon: int,
        experts: tuple[str, ...],
    ) -> tuple[int, Floats, Floats]:
        """Return how many rows are done with, the new rows' forecasts [n] and weights [n, K]; learn in place."""

    def _posterior(self, frame: FeatureFrame) -> Floats:
        """Return the contexts' probabilities [n, R]: even where unknown, and one context where there are none."""
        if not self.contexts:
            return np.ones((len(frame), 1))
        posterior = frame.values[:, [self.names.index(name) for name in self.contexts]]
        unknown = np.isnan(posterior).any(axis=1, keepdims=True)
        return np.where(unknown, 1 / len(self.contexts), posterior)

    def _carried(self, pending: list[list[float]], moved: list[int], width: int) -> Floats:
        """Return the rows that wait, with the experts' forecasts in their places of now; a new one was asleep."""
        first = QUEUED + max(len(self.contexts), 1)
        if not pending:
            return np.empty((0, width))
        old = np.array(pending, dtype=np.float64)
        asleep = np.full((len(old), 1), np.nan)
        experts = np.concatenate([old[:, first : old.shape[1] - self.played], asleep], axis=1)[:, moved]
        return np.column_stack([old[:, :first], experts, old[:, old.shape[1] - self.played :]])

    def _layout(self) -> JSON:
        return {"horizons": list(self.horizons), "contexts": list(self.contexts)}

    def _constants(self) -> JSON:
        return {"clip": CLIP, "volatility": VOLATILITY, "scales": SCALES, "half_life": volatility.HALF_LIFE}

    def _definition(self) -> JSON:
        return {
            "model": self.name,
            "fingerprint": self.fingerprint,
            "names": self.names,
            "horizons": self.horizons,
            "constants": self._constants(),
        }

    def save(self, folder: Path) -> None:
        """Write model.json."""
        artifact.write(folder, self._definition())

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. Raises ValueError with one line where it is no artifact of this combiner."""
        definition = artifact.read(folder, cls.name)
        return cls(tuple(definition["names"]), tuple(definition["horizons"]), definition["fingerprint"])


def _scale(forecasts: Mapping[str, Forecasts], unit: Floats) -> Floats:
    """Return the geometric mean [n, H] of the models of the scale that speak, and the unit where none does."""
    logs, count = np.zeros(unit.shape), np.zeros(unit.shape)
    for name in SCALES:
        if name in forecasts:
            speaks = ~np.isnan(forecasts[name].scale)
            logs += np.where(speaks, np.log(np.where(speaks, forecasts[name].scale, 1.0)), 0.0)
            count += speaks
    return np.where(count > 0, np.exp(logs / np.maximum(count, 1)), unit)


def _forecasts(mean: Floats, scale: Floats) -> Forecasts:
    """Return normal distributions, NaN throughout where the mean or the scale is unknown."""
    unknown = np.isnan(mean) | np.isnan(scale)
    mean, scale = np.where(unknown, np.nan, mean), np.where(unknown, np.nan, scale)
    return Forecasts(mean, scale, mean[:, :, None] + scale[:, :, None] * NORMAL, odds_up(mean / scale))
