"""Explains one forecast, of one model or of a combination."""

from collections.abc import Mapping, Sequence

import numpy as np

from features.frame import FeatureFrame, Floats
from models import ewma_volatility
from models.combine.combiner import CLIP, Combination, Combiner
from models.contributions import Parts, Row
from models.explain.explanation import Explanation, largest_first
from models.forecaster import Forecaster, Forecasts
from models.json_type import JSON

WARM_UP = 2_880
"""The earlier bars with which a model's state is brought up to date before a stored forecast is explained."""


def explain_served(
    served: Sequence[Forecaster | Combination], name: str, frame: FeatureFrame, horizon: int | None = None
) -> Explanation:
    """Return the explanation of a model's forecast of the frame's last row, starting from its first.

    `served` are the models in service, `name` one of them, maybe a combination of the others. Without a horizon it is
    the shortest whose mean is not 0, and the shortest if all are. Raises ValueError with one line if the model is not
    in service, has other features, or as `explain` does.
    """
    model = next((model for model in served if model.name == name), None)
    if model is None:
        raise ValueError(f"model {name!r} is not in service; {', '.join(model.name for model in served)} are")
    if model.fingerprint != frame.fingerprint:
        raise ValueError(
            f"model {name!r} was fitted on features {model.fingerprint}, but {frame.fingerprint} are there; "
            "run foretick train"
        )
    if not isinstance(model, Combination):
        return explain(model, model.initial(), frame, horizon)
    experts = [one for one in served if not isinstance(one, Combination)]
    values = {one.name: one.step(one.initial(), frame)[1] for one in experts}
    return explain_combination(model, model.initial(), frame, values, horizon)


def explain(model: Forecaster, state: JSON, frame: FeatureFrame, horizon: int | None = None) -> Explanation:
    """Return the explanation of the forecast of the frame's last row; the rows before it bring the state up to date.

    Without a horizon it is chosen as by `explain_served`. Raises ValueError with one line if the horizon is not the
    model's, or the model has no forecast at that bar.
    """
    _checked(model, frame, horizon)
    before = model.step(state, frame[:-1])[0] if len(frame) > 1 else state
    last = frame[len(frame) - 1 :]
    after, forecasts = model.step(before, last)
    column = _column(model, forecasts.mean[0], horizon)
    _speaks(model.name, forecasts, column)
    horizon = model.horizons[column]
    mean, scale = float(forecasts.mean[0, column]), float(forecasts.scale[0, column])
    row = Row(before, after, last, column)
    parts = model.contributions(row)
    if parts.note:
        return _explanation(model, last, horizon, (mean, scale), scale, 0.0, parts)
    unit = row.sigma * float(np.sqrt(horizon))
    if parts.quantity == "log variance":
        return _explanation(model, last, horizon, (mean, scale), unit, 2 * float(np.log(scale / unit)), parts)
    parts = _or_silent(model, forecasts.mean[0], column, parts)
    return _explanation(model, last, horizon, (mean, scale), unit, mean / unit, parts)


def explain_combination(
    combiner: Combiner, state: JSON, frame: FeatureFrame, values: Mapping[str, Forecasts], horizon: int | None = None
) -> Explanation:
    """Return each expert's contribution to the combination's forecast of the frame's last row: its weight times its
    mean.

    `values` has each expert's forecasts of all of the frame's rows. Raises ValueError as `explain` does.
    """
    _checked(combiner, frame, horizon)
    _, forecasts, weights = combiner.step(state, frame, values)
    column = _column(combiner, forecasts.mean[-1], horizon)
    horizon = combiner.horizons[column]
    end = slice(len(frame) - 1, None)
    last = Forecasts(forecasts.mean[end], forecasts.scale[end], forecasts.quantiles[end], forecasts.p_up[end])
    _speaks(combiner.name, last, column)
    sigma = float(ewma_volatility.step(state["volatility"], frame)[1][-1])
    unit = sigma * float(np.sqrt(horizon))
    experts = list(combiner.experts(values))
    seen = np.array([np.clip(values[name].mean[-1, column] / unit, -CLIP, CLIP) for name in experts])
    weighed = np.where(np.isnan(seen), 0.0, weights[-1, column] * np.nan_to_num(seen))
    mean, scale = float(last.mean[0, column]), float(last.scale[0, column])
    whole = float(weighed.sum())
    trust = mean / unit / whole if whole != 0 else 0.0  # what the sum was shrunk by
    shares = dict(zip(experts, weights[-1, column].tolist(), strict=True))
    names = [f"{name} (weight {shares[name]:.3f})" for name in experts]
    parts = Parts(base=0.0, names=names, values=seen.tolist(), parts=(trust * weighed).tolist(), attention={})
    parts = _or_silent(combiner, last.mean[0], column, parts)
    return _explanation(combiner, frame[end], horizon, (mean, scale), unit, mean / unit, parts)


def _checked(model: Forecaster | Combiner, frame: FeatureFrame, horizon: int | None) -> None:
    if horizon is not None and horizon not in model.horizons:
        known = ", ".join(map(str, model.horizons))
        raise ValueError(f"model {model.name!r} has no horizon {horizon}; it has {known}")
    if not len(frame):
        raise ValueError("no row to explain")


def _column(model: Forecaster | Combiner, mean: Floats, horizon: int | None) -> int:
    """Return the place of the horizon, or of the shortest whose mean [H] is known and not 0."""
    if horizon is not None:
        return model.horizons.index(horizon)
    directed = np.flatnonzero(np.nan_to_num(mean))
    return int(directed[0]) if len(directed) else 0


def _or_silent(model: Forecaster | Combiner, mean: Floats, column: int, parts: Parts) -> Parts:
    """Return the parts; if the mean [H] is 0 because each of them is, a note instead of a row of zeros."""
    if mean[column] != 0 or any(parts.parts):
        return parts
    others = [str(model.horizons[place]) for place in np.flatnonzero(np.nan_to_num(mean))]
    rest = f"; it has one at --horizon {_listed(others)}" if others else ", and at its other horizons too"
    note = f"no directional forecast at this horizon: the mean of {model.name} is 0 there{rest}"
    return Parts(base=0.0, names=[], values=[], parts=[], attention=parts.attention, note=note)


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def _speaks(name: str, forecasts: Forecasts, column: int) -> None:
    if np.isnan(forecasts.mean[0, column]):
        raise ValueError(
            f"model {name!r} has no forecast at this bar: there are too few bars before it, or its features are unknown"
        )


def _explanation(
    model: Forecaster | Combiner,
    last: FeatureFrame,
    horizon: int,
    lines: tuple[float, float],
    unit: float,
    total: float,
    parts: Parts,
) -> Explanation:
    return Explanation(
        model=model.name,
        version=model.version,
        symbol=last.symbol,
        interval=last.interval,
        time=int(last.time[0]),
        horizon=horizon,
        price=float(last.close[0]),
        mean=lines[0],
        scale=lines[1],
        quantity=parts.quantity,
        unit=unit,
        base=parts.base,
        total=total,
        contributions=largest_first(parts),
        attention=parts.attention,
        note=parts.note,
    )
