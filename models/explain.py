"""Why a model forecast what it did: the explanation of one forecast, of one model or of a combination of several."""

from collections.abc import Mapping, Sequence

import numpy as np

from features.frame import FeatureFrame
from models import volatility
from models.combiner import CLIP, Combination, Combiner
from models.contributions import WITHOUT_DRIFT, Parts, Row, parts_of
from models.explanation import Explanation, Quantity, largest_first
from models.forecaster import JSON, Forecaster, Forecasts
from models.lightgbm_volatility import LightGBMVolatility


def explain_served(
    served: Sequence[Forecaster | Combination], name: str, frame: FeatureFrame, horizon: int | None = None
) -> Explanation:
    """Return what made a model's forecast of the frame's last row, begun anew with its first; its shortest horizon's.

    `served` are the models in service, `name` one of them, maybe a combination of the others. Raises ValueError with
    one line where it is not there, knows other features, or as `explain` does.
    """
    model = next((model for model in served if model.name == name), None)
    if model is None:
        raise ValueError(f"model {name!r} is not in service; {', '.join(model.name for model in served)} are")
    if model.fingerprint != frame.fingerprint:
        raise ValueError(
            f"model {name!r} was fitted on features {model.fingerprint}, but {frame.fingerprint} are there; "
            "run foretick train"
        )
    wanted = model.horizons[0] if horizon is None else horizon
    if not isinstance(model, Combination):
        return explain(model, model.initial(), frame, wanted)
    experts = [one for one in served if not isinstance(one, Combination)]
    said = {one.name: one.step(one.initial(), frame)[1] for one in experts}
    return explain_combination(model, model.initial(), frame, said, wanted)


def explain(model: Forecaster, state: JSON, frame: FeatureFrame, horizon: int) -> Explanation:
    """Return what made the forecast of the frame's last row; the rows before it bring the state up to date.

    Raises ValueError with one line where the horizon is not the model's, or the model says nothing at that bar.
    """
    column = _column(model, frame, horizon)
    before = model.step(state, frame[:-1])[0] if len(frame) > 1 else state
    last = frame[len(frame) - 1 :]
    after, forecasts = model.step(before, last)
    _speaks(model.name, forecasts, column)
    mean, scale = float(forecasts.mean[0, column]), float(forecasts.scale[0, column])
    if isinstance(model, WITHOUT_DRIFT):
        note = f"{model.name} forecasts no drift: its mean is zero at every bar, and there is nothing to explain"
        return _explanation(model, last, horizon, (mean, scale), "mean", scale, 0.0, Parts(0.0, [], [], [], {}, note))
    sigma = float(volatility.step(before.get("volatility", before), last)[1][0])
    unit = sigma * float(np.sqrt(horizon))
    parts = parts_of(model, Row(before, after, last, sigma, column))
    if isinstance(model, LightGBMVolatility):
        factor = 2 * float(np.log(scale / unit))
        return _explanation(model, last, horizon, (mean, scale), "log variance", unit, factor, parts)
    return _explanation(model, last, horizon, (mean, scale), "mean", unit, mean / unit, parts)


def explain_combination(
    combiner: Combiner, state: JSON, frame: FeatureFrame, said: Mapping[str, Forecasts], horizon: int
) -> Explanation:
    """Return what each expert added to the combination's forecast of the frame's last row: its weight times its mean.

    `said` has each expert's forecasts of all of the frame's rows. Raises ValueError as `explain` does.
    """
    column = _column(combiner, frame, horizon)
    _, forecasts, weights = combiner.step(state, frame, said)
    end = slice(len(frame) - 1, None)
    last = Forecasts(forecasts.mean[end], forecasts.scale[end], forecasts.quantiles[end], forecasts.p_up[end])
    _speaks(combiner.name, last, column)
    sigma = float(volatility.step(state["volatility"], frame)[1][-1])
    unit = sigma * float(np.sqrt(horizon))
    experts = list(combiner.experts(said))
    seen = np.array([np.clip(said[name].mean[-1, column] / unit, -CLIP, CLIP) for name in experts])
    weighed = np.where(np.isnan(seen), 0.0, weights[-1, column] * np.nan_to_num(seen))
    mean, scale = float(last.mean[0, column]), float(last.scale[0, column])
    whole = float(weighed.sum())
    trust = mean / unit / whole if whole != 0 else 0.0  # what the sum was shrunk by
    shares = dict(zip(experts, weights[-1, column].tolist(), strict=True))
    names = [f"{name} (weight {shares[name]:.3f})" for name in experts]
    parts = Parts(0.0, names, seen.tolist(), (trust * weighed).tolist(), {})
    return _explanation(combiner, frame[end], horizon, (mean, scale), "mean", unit, mean / unit, parts)


def _column(model: Forecaster | Combiner, frame: FeatureFrame, horizon: int) -> int:
    if horizon not in model.horizons:
        known = ", ".join(map(str, model.horizons))
        raise ValueError(f"model {model.name!r} has no horizon {horizon}; it has {known}")
    if not len(frame):
        raise ValueError("no row to explain")
    return model.horizons.index(horizon)


def _speaks(name: str, forecasts: Forecasts, column: int) -> None:
    if np.isnan(forecasts.mean[0, column]):
        raise ValueError(
            f"model {name!r} says nothing at this bar: it has seen too few bars before it, or its features are unknown"
        )


def _explanation(
    model: Forecaster | Combiner,
    last: FeatureFrame,
    horizon: int,
    said: tuple[float, float],
    quantity: Quantity,
    unit: float,
    total: float,
    parts: Parts,
) -> Explanation:
    return Explanation(
        model.name,
        model.version,
        last.symbol,
        last.interval,
        int(last.time[0]),
        horizon,
        float(last.close[0]),
        *said,
        quantity,
        unit,
        parts.base,
        total,
        largest_first(parts.names, parts.values, parts.parts),
        parts.attention,
        parts.note,
    )
