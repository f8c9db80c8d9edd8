"""The fold features -> predictions of one symbol: every model, its calibration, and how far it has read."""

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
from topics.records import QUANTILES, Forecast, Prediction

REGIME = "regime_"
DIGITS = 4
"""Decimals of the weights that are published: they are for people to see, and ten models make a record long."""
Weights = tuple[tuple[str, ...], Floats] | None
"""What each expert counted: their names and [n, H, K]; None of a model that combines none."""


@dataclass(frozen=True)
class PredictorState:
    """What one symbol's fold knows: `models` and `calibrations` by "name version"; `last_time` -1 at first.

    A combiner's are by its name alone: what each expert was worth outlives a training.
    """

    symbol: str
    interval: str = ""
    last_time: int = -1
    models: dict[str, JSON] = field(default_factory=dict)
    calibrations: dict[str, Calibration] = field(default_factory=dict)

    def dumps(self) -> bytes:
        """Return the state as bytes (MessagePack), exactly."""
        calibrations = {key: state.to_json() for key, state in self.calibrations.items()}
        return msgspec.msgpack.encode([self.symbol, self.interval, self.last_time, self.models, calibrations])

    @classmethod
    def loads(cls, value: bytes) -> "PredictorState":
        """Return what `dumps` wrote."""
        symbol, interval, last_time, models, calibrations = msgspec.msgpack.decode(value)
        restored = {key: Calibration.from_json(state) for key, state in calibrations.items()}
        return cls(symbol, interval, last_time, models, restored)


class Predictor:
    """Forecasts of several models over one symbol's features, and of the combiners over all of the models' forecasts.

    `names` are the features' names in order, those that start with ``regime_`` being the posterior of each market
    state. Raises ValueError where a combiner and a model have different horizons.
    """

    def __init__(
        self, forecasters: Sequence[Forecaster], names: Sequence[str] = (), combiners: Sequence[Combiner] = ()
    ) -> None:
        self.forecasters = tuple(forecasters)
        self.combiners = tuple(combiners)
        for combiner in combiners:
            for forecaster in forecasters:
                if forecaster.horizons != combiner.horizons:
                    raise ValueError(
                        f"{combiner.name!r} combines horizons {combiner.horizons}, but model {forecaster.name!r} has "
                        f"{forecaster.horizons}; run foretick train"
                    )
        self._served: tuple[Forecaster | Combiner, ...] = (*self.forecasters, *self.combiners)
        # A version is a hash over the whole artifact: taken once, not once a frame.
        self._versions = tuple(model.version for model in self._served)
        self._regimes = [name.removeprefix(REGIME) for name in names if name.startswith(REGIME)]
        self._regime_columns = [column for column, name in enumerate(names) if name.startswith(REGIME)]

    @classmethod
    def of(cls, served: Sequence[Forecaster | Combination], names: Sequence[str]) -> "Predictor":
        """Return the predictor of models and combinations of them as `registry.load_all` gives them."""
        combiners = [model for model in served if isinstance(model, Combination)]
        return cls([model for model in served if not isinstance(model, Combination)], names, combiners)

    @property
    def served(self) -> "tuple[Forecaster | Combiner, ...]":
        """Everything that predicts, in the order of a bar's predictions."""
        return self._served

    def initial(self, symbol: str) -> PredictorState:
        """Return the state of a symbol that was not seen yet."""
        return PredictorState(symbol)

    def step(self, state: PredictorState, frame: FeatureFrame) -> tuple[PredictorState, list[Prediction]]:
        """Return one prediction a model for each row later than the state, by time and then in the models' order.

        A model version that the state does not know begins anew; one that is not served any more is forgotten.
        Raises ValueError where the features are not those that a model was fitted on, or of another symbol or interval.
        """
        frame = frame.after(state.last_time)
        if not len(frame):
            return state, []
        self._check(state, frame)
        models: dict[str, JSON] = {}
        calibrations: dict[str, Calibration] = {}
        columns: list[list[list[Forecast]]] = []
        raw: dict[str, Forecasts] = {}

        def publish(key: str, model: Forecaster | Combiner, forecasts: Forecasts, weights: Weights = None) -> None:
            before = state.calibrations.get(key) or Calibration.initial(len(model.horizons))
            calibrations[key], quantiles = calibration.step(before, frame, forecasts, model.horizons)
            columns.append(_records(forecasts, quantiles, model.horizons, weights))

        for forecaster, version in zip(self.forecasters, self._versions, strict=False):
            key = f"{forecaster.name} {version}"
            known = state.models.get(key)
            models[key], raw[forecaster.name] = forecaster.step(forecaster.initial() if known is None else known, frame)
            publish(key, forecaster, raw[forecaster.name])
        for combiner in self.combiners:
            key = combiner.name
            known = state.models.get(key)
            models[key], forecasts, weights = combiner.step(combiner.initial() if known is None else known, frame, raw)
            publish(key, combiner, forecasts, (combiner.experts(raw), weights))
        predictions = self._predictions(frame, columns)
        return PredictorState(frame.symbol, frame.interval, int(frame.time[-1]), models, calibrations), predictions

    def _check(self, state: PredictorState, frame: FeatureFrame) -> None:
        if frame.symbol != state.symbol or state.interval not in ("", frame.interval):
            was = f"{state.symbol} {state.interval}".strip()
            raise ValueError(f"features of {frame.symbol} {frame.interval} reached the predictor of {was}")
        for forecaster in self._served:
            if forecaster.fingerprint != frame.fingerprint:
                raise ValueError(
                    f"features {frame.fingerprint} of {frame.symbol} are not {forecaster.fingerprint}, on which model "
                    f"{forecaster.name!r} was fitted; run foretick train"
                )

    def _predictions(self, frame: FeatureFrame, columns: list[list[list[Forecast]]]) -> list[Prediction]:
        regimes = self._likeliest(frame)
        predictions = []
        served = list(zip(self._served, self._versions, columns, strict=True))
        for row, (time, price) in enumerate(zip(frame.time.tolist(), frame.close.tolist(), strict=True)):
            for forecaster, version, forecasts in served:
                predictions.append(
                    Prediction(
                        frame.symbol,
                        frame.interval,
                        time,
                        forecaster.name,
                        version,
                        frame.fingerprint,
                        price,
                        forecasts[row],
                        regimes[row],
                    )
                )
        return predictions

    def _likeliest(self, frame: FeatureFrame) -> list[str | None]:
        if not self._regimes:
            return [None] * len(frame)
        posterior = frame.values[:, self._regime_columns]
        unknown = np.isnan(posterior).any(axis=1)
        likeliest = np.where(unknown, -1, np.argmax(np.where(np.isnan(posterior), -1, posterior), axis=1))
        return [None if state < 0 else self._regimes[state] for state in likeliest.tolist()]


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
        rounded = np.round(shares, DIGITS).reshape(-1, len(experts)).tolist()
        counted = [dict(zip(experts, row, strict=True)) for row in rounded]
    numbers = zip(cycle(horizons), *(column.tolist() for column in columns), counted, strict=False)
    records = [
        Forecast(horizon, mean, scale, levels, up, shares) if mean == mean else Forecast(horizon)  # noqa: PLR0124 - NaN
        for horizon, mean, scale, levels, up, shares in numbers
    ]
    return [records[row : row + len(horizons)] for row in range(0, len(records), len(horizons))]
