"""Combines many forecasts to one: the interface of the combiners, and their common parts.

A combiner uses the experts' forecasts, the regimes and prices, and learns only from the stream. Its knowledge of a
symbol is in the state, by the experts' names, so that a retrained model keeps its weight.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import ClassVar, Protocol, Self

import numpy as np

from features.frame import FeatureFrame, Floats, Ints
from models import artifact, ewma_volatility
from models.forecaster import Forecasts
from models.importance import Importance
from models.intervals.distribution import NORMAL, prob_up
from models.json_type import JSON
from models.labels import waiting
from models.search_space import Space
from models.structure import Structure
from topics.records import HORIZONS

CLIP = 4.0
"""Labels and forecasts in units of the scale are clipped to +- this."""
VOLATILITY = (
    "har",
    "har_week",
    "harq",
    "har_semivariance",
    "har_jumps",
    "garch",
    "egarch",
    "lightgbm_volatility",
    "lightgbm_har",
)
"""Models of the scale alone: their mean is zero by definition and not used."""
SCALES = ("har", "lightgbm_volatility", "lightgbm_har")
"""The scale of a combination is the geometric mean of these, or the EWMA if there is none."""
QUEUED = 3
"""The first columns of a pending row: time, price and sigma."""


class Combiner(Protocol):
    """Combines the forecasts of several models, row by row, from labels that have matured."""

    name: ClassVar[str]
    carried_state: ClassVar[tuple[str, ...]]
    horizons: tuple[int, ...]
    fingerprint: str

    @property
    def version(self) -> str: ...

    def experts(self, forecasts: Iterable[str]) -> tuple[str, ...]:
        """Return which of the models have a weight, in the order of the weights."""
        ...

    def initial(self) -> JSON:
        """Return the initial state of a symbol."""
        ...

    def step(
        self, state: JSON, frame: FeatureFrame, forecasts: Mapping[str, Forecasts]
    ) -> tuple[JSON, Forecasts, Floats]:
        """Return the forecasts of the frame's rows and each expert's weight in them [n, H, K]."""
        ...

    def save(self, folder: Path) -> None:
        """Write the artifact."""
        ...

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the output of `save`. Raises ValueError with one line if it is no artifact of this combiner."""
        ...


class Combination(ABC):
    """The common parts of combiners: queues of pending forecasts, the scale, the artifact.

    `played` is the number of columns that a combiner adds to a pending row.
    """

    name: ClassVar[str]
    carried_state: ClassVar[tuple[str, ...]] = ("volatility", "layout", "experts", "learnt", "pending")
    """All of the state: nothing of a combiner is fitted."""
    SPACE: ClassVar[Space] = {}
    played: ClassVar[int] = 0

    def __init__(
        self, names: tuple[str, ...] = (), horizons: tuple[int, ...] = HORIZONS, fingerprint: str = ""
    ) -> None:
        self.names = names
        self.horizons = horizons
        self.fingerprint = fingerprint

    @property
    def contexts(self) -> tuple[str, ...]:
        """The features that are probabilities of a market state; none if regimes are not used."""
        return ()

    @property
    def version(self) -> str:
        """Return the hash of the definition."""
        return artifact.version(self._definition())

    def experts(self, forecasts: Iterable[str]) -> tuple[str, ...]:
        """Return which of the models have a weight: all but those of the scale alone."""
        return tuple(name for name in forecasts if name not in VOLATILITY)

    def initial(self) -> JSON:
        """Return the initial state of a symbol."""
        return {
            "volatility": ewma_volatility.initial(),
            "layout": self._layout(),
            "experts": [],
            "learnt": [self._fresh(0) for _ in self.horizons],
            "pending": [[] for _ in self.horizons],
        }

    def step(
        self, state: JSON, frame: FeatureFrame, forecasts: Mapping[str, Forecasts]
    ) -> tuple[JSON, Forecasts, Floats]:
        """Return the forecasts of the frame's rows and each expert's weight in them [n, H, K].

        A state with other horizons or contexts is reset. Raises ValueError if there is no expert.
        """
        experts = self.experts(forecasts)
        if not experts:
            raise ValueError(f"{self.name!r} has no model to combine: train one that forecasts a mean")
        if state["layout"] != self._layout():
            state = self.initial()
        scale_state, sigma = ewma_volatility.step(state["volatility"], frame)
        unit = sigma[:, None] * np.sqrt(self.horizons)
        x = np.stack([np.clip(forecasts[name].mean / unit, -CLIP, CLIP) for name in experts], axis=2)
        moved = [state["experts"].index(name) if name in state["experts"] else -1 for name in experts]
        output, weights = np.empty(unit.shape), np.empty(x.shape)
        learnt, pending = [], []
        for column, horizon in enumerate(self.horizons):
            extra = np.full((len(frame), self.played), np.nan)
            new = np.column_stack([frame.time, frame.close, sigma, self._posterior(frame), x[:, column], extra])
            before = self._carried(state["pending"][column], moved, new.shape[1])
            rows = np.concatenate([before, new])
            times, prices, sigmas = rows[:, 0].astype(np.int64), rows[:, 1].copy(), rows[:, 2]
            at, y = waiting(times, prices, sigmas, (horizon,), CLIP, frame)
            known = self._restored(state["learnt"][column], moved)
            results = self._advance(known, rows, len(before), at.ravel(), y.ravel(), horizon, experts)
            done, output[:, column], weights[:, column] = results
            learnt.append({name: values.tolist() for name, values in known.items()})
            pending.append(rows[done:].tolist())
        new_state = {
            "volatility": scale_state,
            "layout": self._layout(),
            "experts": list(experts),
            "learnt": learnt,
            "pending": pending,
        }
        return new_state, _forecasts(output * unit, _scale(forecasts, unit)), weights

    @abstractmethod
    def _fresh(self, experts: int) -> JSON:
        """Return one horizon's initial state."""

    @abstractmethod
    def _restored(self, learnt: JSON, moved: list[int]) -> dict[str, Floats]:
        """Return the learnt arrays, expert k being the former expert moved[k], or new if that is -1."""

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
        """Return the number of rows learnt, the new rows' forecasts [n] and weights [n, K]; learn in place."""

    def _posterior(self, frame: FeatureFrame) -> Floats:
        """Return the contexts' probabilities [n, R]: even if unknown, and one context if there are none."""
        if not self.contexts:
            return np.ones((len(frame), 1))
        posterior = frame.values[:, [self.names.index(name) for name in self.contexts]]
        unknown = np.isnan(posterior).any(axis=1, keepdims=True)
        return np.where(unknown, 1 / len(self.contexts), posterior)

    def _carried(self, pending: list[list[float]], moved: list[int], width: int) -> Floats:
        """Return the pending rows, with the experts' forecasts in their present columns; a new one was asleep."""
        first = QUEUED + max(len(self.contexts), 1)
        if not pending:
            return np.empty((0, width))
        old = np.array(pending, dtype=np.float64)
        asleep = np.full((len(old), 1), np.nan)
        experts = np.concatenate([old[:, first : old.shape[1] - self.played], asleep], axis=1)[:, moved]
        return np.column_stack([old[:, :first], experts, old[:, old.shape[1] - self.played :]])

    def importance(self) -> Importance | None:
        """Return None: a combination ranks no inputs."""
        return None

    def structure(self) -> Structure:
        """Return what the combination weighs by: nothing of it is fitted, its weights are learnt from the stream."""
        contexts = ", ".join(self.contexts) or "none: one set of weights for all"
        note = (
            "Nothing is fitted: the weights follow each model's recent errors, and are published with every forecast."
        )
        return Structure(note=note, facts={"weights by": contexts, "horizons": ", ".join(map(str, self.horizons))})

    def _layout(self) -> JSON:
        return {"horizons": list(self.horizons), "contexts": list(self.contexts)}

    def _constants(self) -> JSON:
        return {"clip": CLIP, "volatility": VOLATILITY, "scales": SCALES, "half_life": ewma_volatility.RULE}

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
        """Read the output of `save`. Raises ValueError with one line if it is no artifact of this combiner."""
        definition = artifact.read(folder, cls.name)
        return cls(tuple(definition["names"]), tuple(definition["horizons"]), definition["fingerprint"])


def _scale(forecasts: Mapping[str, Forecasts], unit: Floats) -> Floats:
    """Return the geometric mean [n, H] of the known forecasts of models of the scale, and the unit if there is none."""
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
    return Forecasts(mean, scale, mean[:, :, None] + scale[:, :, None] * NORMAL, prob_up(mean / scale))
