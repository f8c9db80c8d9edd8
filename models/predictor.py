"""The fold features -> predictions of one symbol: every version in service, its calibration, how far it has read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import cycle, repeat

import msgspec
import numpy as np

from features.frame import FeatureFrame, Floats
from models import calibration
from models.calibration import Calibration
from models.combiner import Combination, Combiner
from models.forecaster import JSON, Forecaster, Forecasts
from models.playing import Model, Playing, playing
from topics.limits import MOST_UNLIKE, MOST_WEIGHT
from topics.records import QUANTILES, Forecast, Prediction

REGIME = "regime_"
DIGITS = 4
"""Decimals of the weights that are published: they are for people to see, and ten models make a record long."""
UNLIKE_DIGITS = 3
Weights = tuple[tuple[str, ...], Floats] | None
"""What each expert counted: their names and [n, H, K]; None of a model that combines none."""


@dataclass(frozen=True)
class PredictorState:
    """What one symbol's fold knows: `models` and `calibrations` by "name version"; `last_time` -1 at first.

    `serving` tells which version of each model was the champion at that time, `numbers` by which decision.
    """

    symbol: str
    interval: str = ""
    last_time: int = -1
    models: dict[str, JSON] = field(default_factory=dict)
    calibrations: dict[str, Calibration] = field(default_factory=dict)
    serving: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)

    def dumps(self) -> bytes:
        """Return the state as bytes (MessagePack), exactly."""
        calibrations = {key: state.to_json() for key, state in self.calibrations.items()}
        parts = [self.symbol, self.interval, self.last_time, self.models, calibrations, self.serving, self.numbers]
        return msgspec.msgpack.encode(parts)

    @classmethod
    def loads(cls, value: bytes) -> "PredictorState":
        """Return what `dumps` wrote, or what it wrote before it told who was serving."""
        symbol, interval, last_time, models, calibrations, *serving = msgspec.msgpack.decode(value)
        restored = {key: Calibration.from_json(state) for key, state in calibrations.items()}
        return cls(symbol, interval, last_time, models, restored, *serving)

    def heir_of(self, model: str) -> str | None:
        """Return the key of the version that a new one of a model takes over from: the champion's, else any other's.

        What a combiner knew lay under its name alone, before a model could have several versions at a time.
        """
        champion = f"{model} {self.serving.get(model)}"
        keys = (key for key in self.calibrations if key == model or key.startswith(f"{model} "))
        return champion if champion in self.calibrations else next(keys, None)


class Predictor:
    """Forecasts of several models over one symbol's features, and of the combiners over all of the models' forecasts.

    `names` are the features' names in order, those that start with ``regime_`` being the posterior of each market
    state. Models are champions unless they are told to play otherwise; combiners hear champions alone. Raises
    ValueError where a combiner and a model have different horizons.
    """

    def __init__(
        self,
        forecasters: Sequence[Forecaster | Playing],
        names: Sequence[str] = (),
        combiners: Sequence[Combiner | Playing] = (),
    ) -> None:
        self.forecasters = tuple(map(playing, forecasters))
        self.combiners = tuple(map(playing, combiners))
        for combiner in self.combiners:
            for forecaster in self.forecasters:
                if forecaster.model.horizons != combiner.model.horizons:
                    raise ValueError(
                        f"{combiner.model.name!r} combines horizons {combiner.model.horizons}, but model "
                        f"{forecaster.model.name!r} has {forecaster.model.horizons}; run foretick train"
                    )
            if not combiner.combiner.experts(forecaster.model.name for forecaster in self.forecasters):
                raise ValueError(f"{combiner.model.name!r} has no model to combine: train one that forecasts a mean")
        every = (*self.forecasters, *self.combiners)
        self._champions = {version.model.name: version.version for version in every if version.role == "champion"}
        self._numbers = {version.model.name: version.number for version in every if version.role == "champion"}
        self._served = tuple(sorted(every, key=lambda version: version.role != "champion"))
        self._regimes = [name.removeprefix(REGIME) for name in names if name.startswith(REGIME)]
        self._regime_columns = [column for column, name in enumerate(names) if name.startswith(REGIME)]

    @classmethod
    def of(cls, served: Sequence[Model | Playing], names: Sequence[str]) -> "Predictor":
        """Return the predictor of models and combinations of them as `registry.load_all` gives them."""
        every = list(map(playing, served))
        combiners = [version for version in every if isinstance(version.model, Combination)]
        return cls([version for version in every if version not in combiners], names, combiners)

    @property
    def served(self) -> tuple[Playing, ...]:
        """Everything that predicts, in the order of a bar's predictions: the champions, then the others."""
        return self._served

    def initial(self, symbol: str) -> PredictorState:
        """Return the state of a symbol that was not seen yet."""
        return PredictorState(symbol)

    def step(self, state: PredictorState, frame: FeatureFrame) -> tuple[PredictorState, list[Prediction]]:
        """Return one prediction a version for each row later than the state, by time and then in the order of `served`.

        A version that the state does not know takes over what another of the same model knows of the market, and its
        calibration; one that is not served any more is forgotten. Raises ValueError where the features are not those
        that a model was fitted on, or of another symbol or interval.
        """
        frame = frame.after(state.last_time)
        if not len(frame):
            return state, []
        self._check(state, frame)
        models: dict[str, JSON] = {}
        calibrations: dict[str, Calibration] = {}
        said: dict[str, list[list[Forecast]]] = {}
        raw: dict[str, Forecasts] = {}

        def publish(version: Playing, forecasts: Forecasts, weights: Weights = None) -> None:
            before, horizons = _calibration(state, version), version.model.horizons
            calibrations[version.key], quantiles = calibration.step(before, frame, forecasts, horizons)
            said[version.key] = _records(forecasts, quantiles, horizons, weights)

        for version in self.forecasters:
            known = _known(state, version)
            models[version.key], forecasts = version.forecaster.step(known, frame)
            forecasts = forecasts.limited()
            publish(version, forecasts)
            if version.role == "champion":
                raw[version.model.name] = forecasts
        for version in self.combiners:
            known = _known(state, version)
            models[version.key], forecasts, weights = version.combiner.step(known, frame, raw)
            publish(version, forecasts.limited(), (version.combiner.experts(raw), weights))
        predictions = self._predictions(frame, [said[version.key] for version in self._served])
        last, serving = int(frame.time[-1]), (self._champions, self._numbers)
        return PredictorState(frame.symbol, frame.interval, last, models, calibrations, *serving), predictions

    def _check(self, state: PredictorState, frame: FeatureFrame) -> None:
        if frame.symbol != state.symbol or state.interval not in ("", frame.interval):
            was = f"{state.symbol} {state.interval}".strip()
            raise ValueError(f"features of {frame.symbol} {frame.interval} reached the predictor of {was}")
        for version in self._served:
            if version.model.fingerprint != frame.fingerprint:
                raise ValueError(
                    f"features {frame.fingerprint} of {frame.symbol} are not {version.model.fingerprint}, on which "
                    f"model {version.model.name!r} was fitted; run foretick train"
                )

    def _predictions(self, frame: FeatureFrame, columns: list[list[list[Forecast]]]) -> list[Prediction]:
        regimes = self._likeliest(frame)
        predictions = []
        served = list(zip(self._served, columns, self._dissimilarities(frame), strict=True))
        for row, (time, price) in enumerate(zip(frame.time.tolist(), frame.close.tolist(), strict=True)):
            for version, forecasts, unlike in served:
                predictions.append(
                    Prediction(
                        frame.symbol,
                        frame.interval,
                        time,
                        version.model.name,
                        version.version,
                        frame.fingerprint,
                        price,
                        forecasts[row],
                        regimes[row],
                        version.role,
                        unlike[row],
                        time > version.fresh_until,
                    )
                )
        return predictions

    def _dissimilarities(self, frame: FeatureFrame) -> list[list[float | None]]:
        """Return how unlike its training data each version finds each row; versions that share a reference ask once."""
        found: dict[int, list[float | None]] = {id(None): [None] * len(frame)}
        for version in self._served:
            if version.reference is not None and id(version.reference) not in found:
                far = np.minimum(version.reference.dissimilarity(frame.values), MOST_UNLIKE)
                told = np.round(far, UNLIKE_DIGITS).tolist()
                found[id(version.reference)] = [value if value == value else None for value in told]  # noqa: PLR0124 - NaN
        return [found[id(version.reference)] for version in self._served]

    def _likeliest(self, frame: FeatureFrame) -> list[str | None]:
        if not self._regimes:
            return [None] * len(frame)
        posterior = frame.values[:, self._regime_columns]
        unknown = np.isnan(posterior).any(axis=1)
        likeliest = np.where(unknown, -1, np.argmax(np.where(np.isnan(posterior), -1, posterior), axis=1))
        return [None if state < 0 else self._regimes[state] for state in likeliest.tolist()]


def _known(state: PredictorState, version: Playing) -> JSON:
    """Return what a version knows of the symbol: its own state, else a fresh one with the market as another saw it."""
    own = state.models.get(version.key)
    if own is not None:
        return own
    fresh, heir = version.model.initial(), state.heir_of(version.model.name)
    before = {} if heir is None else state.models[heir]
    return fresh | {part: before[part] for part in version.model.market if part in before}


def _calibration(state: PredictorState, version: Playing) -> Calibration:
    heir = version.key if version.key in state.calibrations else state.heir_of(version.model.name)
    horizons = len(version.model.horizons)
    before = None if heir is None else state.calibrations[heir]
    return before if before is not None and len(before.pending) == horizons else Calibration.initial(horizons)


def _records(
    forecasts: Forecasts, quantiles: Floats, horizons: tuple[int, ...], weights: Weights
) -> list[list[Forecast]]:
    """Return the forecasts of each row, one a horizon; one without a mean is None throughout."""
    columns = (
        forecasts.mean.ravel(),
        forecasts.scale.ravel(),
        quantiles.reshape(-1, len(QUANTILES)),
        forecasts.p_up.ravel(),
    )
    counted: Iterable[dict[str, float] | None] = repeat(None)
    if weights is not None:
        experts, shares = weights
        within = np.nan_to_num(shares, nan=0.0, posinf=MOST_WEIGHT, neginf=-MOST_WEIGHT).clip(-MOST_WEIGHT, MOST_WEIGHT)
        rounded = np.round(within, DIGITS).reshape(-1, len(experts)).tolist()
        counted = [dict(zip(experts, row, strict=True)) for row in rounded]
    numbers = zip(cycle(horizons), *(column.tolist() for column in columns), counted, strict=False)
    records = [
        Forecast(horizon, mean, scale, levels, up, shares) if mean == mean else Forecast(horizon)  # noqa: PLR0124 - NaN
        for horizon, mean, scale, levels, up, shares in numbers
    ]
    return [records[row : row + len(horizons)] for row in range(0, len(records), len(horizons))]
