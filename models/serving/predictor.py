"""The fold features -> predictions of one symbol: every version in service, its calibration, its progress."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import cycle, repeat
from math import isnan

import msgspec
import numpy as np

from features.frame import FeatureFrame, Floats
from models.combine.combiner import Combiner
from models.forecaster import Forecaster, Forecasts
from models.intervals import calibration
from models.intervals.calibration import Calibration
from models.json_type import JSON
from models.serving.served_model import Model, ServedModel, as_served
from topics.limits import MAX_DISSIMILARITY, MOST_WEIGHT
from topics.records import QUANTILES, Forecast, Prediction

REGIME = "regime_"
DIGITS = 4
"""Decimals of the weights that are published: they are for people to see, and ten models make a record long."""
DISSIMILARITY_DIGITS = 3
Weights = tuple[tuple[str, ...], Floats] | None
"""The experts' weights: their names and [n, H, K]; None for a model that is no combination."""


@dataclass(frozen=True, kw_only=True)
class PredictorState:
    """The state of one symbol's fold: `models` and `calibrations` by "name version"; `last_time` -1 at first.

    `serving` has the champion of each model at that time, `numbers` the decision.
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
        """Read the output of `dumps`, or of a version without `serving`."""
        symbol, interval, last_time, models, calibrations, *serving = msgspec.msgpack.decode(value)
        restored = {key: Calibration.from_json(state) for key, state in calibrations.items()}
        told = dict(zip(("serving", "numbers"), serving, strict=False))
        return cls(symbol=symbol, interval=interval, last_time=last_time, models=models, calibrations=restored, **told)

    def state_donor(self, model: str) -> str | None:
        """Return the key of the version that a new one of a model takes over from: the champion's, else any other's.

        A combiner's state was stored under its name alone, before a model could have several versions at a time.
        """
        champion = f"{model} {self.serving.get(model)}"
        keys = (key for key in self.calibrations if key == model or key.startswith(f"{model} "))
        return champion if champion in self.calibrations else next(keys, None)


class Predictor:
    """Forecasts of several models over one symbol's features, and of the combiners over all of the models' forecasts.

    `names` are the features' names in order, those that start with ``regime_`` being the posterior of each market
    state. Models are champions unless given another role; combiners use champions only. Raises
    ValueError if a combiner and a model have different horizons.
    """

    def __init__(
        self,
        forecasters: Sequence[Forecaster | ServedModel],
        names: Sequence[str] = (),
        combiners: Sequence[Combiner | ServedModel] = (),
    ) -> None:
        self.forecasters = tuple(map(as_served, forecasters))
        self.combiners = tuple(map(as_served, combiners))
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
    def of(cls, served: Sequence[Model | ServedModel], names: Sequence[str]) -> "Predictor":
        """Return the predictor of models and combinations of them as `registry.load_all` gives them."""
        every = list(map(as_served, served))
        combiners = [version for version in every if version.combines]
        return cls([version for version in every if version not in combiners], names, combiners)

    @property
    def served(self) -> tuple[ServedModel, ...]:
        """Everything that predicts, in the order of a bar's predictions: the champions, then the others."""
        return self._served

    def initial(self, symbol: str) -> PredictorState:
        """Return the initial state of a symbol."""
        return PredictorState(symbol=symbol)

    def step(self, state: PredictorState, frame: FeatureFrame) -> tuple[PredictorState, list[Prediction]]:
        """Return one prediction a version for each row later than the state, by time and then in the order of `served`.

        A version that is not in the state takes over the carried state and the calibration of another version of the
        model; one that is no longer served is dropped. Raises ValueError if the features are not those that a model was
        fitted on, or of another symbol or interval.
        """
        frame = frame.after(state.last_time)
        if not len(frame):
            return state, []
        self._check(state, frame)
        models: dict[str, JSON] = {}
        calibrations: dict[str, Calibration] = {}
        values: dict[str, list[list[Forecast]]] = {}
        raw: dict[str, Forecasts] = {}

        def publish(version: ServedModel, forecasts: Forecasts, weights: Weights = None) -> None:
            before, horizons = _calibration(state, version), version.model.horizons
            calibrations[version.key], quantiles = calibration.step(before, frame, forecasts, horizons)
            values[version.key] = _records(forecasts, quantiles, horizons, weights)

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
        predictions = self._predictions(frame, [values[version.key] for version in self._served])
        state = PredictorState(
            symbol=frame.symbol,
            interval=frame.interval,
            last_time=int(frame.time[-1]),
            models=models,
            calibrations=calibrations,
            serving=self._champions,
            numbers=self._numbers,
        )
        return state, predictions

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
                        symbol=frame.symbol,
                        interval=frame.interval,
                        time=time,
                        model=version.model.name,
                        version=version.version,
                        fingerprint=frame.fingerprint,
                        price=price,
                        forecasts=forecasts[row],
                        regime=regimes[row],
                        role=version.role,
                        dissimilarity=unlike[row],
                        expired=time > version.fresh_until,
                    )
                )
        return predictions

    def _dissimilarities(self, frame: FeatureFrame) -> list[list[float | None]]:
        """Return each row's dissimilarity for each version; it is computed once for versions with the same
        reference."""
        values: dict[int, list[float | None]] = {id(None): [None] * len(frame)}
        for version in self._served:
            if version.reference is not None and id(version.reference) not in values:
                far = np.minimum(version.reference.dissimilarity(frame.values), MAX_DISSIMILARITY)
                reporter = np.round(far, DISSIMILARITY_DIGITS).tolist()
                values[id(version.reference)] = [value if value == value else None for value in reporter]  # noqa: PLR0124 - NaN
        return [values[id(version.reference)] for version in self._served]

    def _likeliest(self, frame: FeatureFrame) -> list[str | None]:
        if not self._regimes:
            return [None] * len(frame)
        posterior = frame.values[:, self._regime_columns]
        unknown = np.isnan(posterior).any(axis=1)
        likeliest = np.where(unknown, -1, np.argmax(np.where(np.isnan(posterior), -1, posterior), axis=1))
        return [None if state < 0 else self._regimes[state] for state in likeliest.tolist()]


def _known(state: PredictorState, version: ServedModel) -> JSON:
    """Return a version's state of the symbol: its own, else a new one with the carried state of another."""
    own = state.models.get(version.key)
    if own is not None:
        return own
    fresh, heir = version.model.initial(), state.state_donor(version.model.name)
    before = {} if heir is None else state.models[heir]
    return fresh | {part: before[part] for part in version.model.carried_state if part in before}


def _calibration(state: PredictorState, version: ServedModel) -> Calibration:
    heir = version.key if version.key in state.calibrations else state.state_donor(version.model.name)
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
        Forecast(horizon=horizon)
        if isnan(mean)
        else Forecast(horizon=horizon, mean=mean, scale=scale, quantiles=levels, p_up=up, weights=shares)
        for horizon, mean, scale, levels, up, shares in numbers
    ]
    return [records[row : row + len(horizons)] for row in range(0, len(records), len(horizons))]
