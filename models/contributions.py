"""What each input of a row added to a forecast, for every kind of model.

Trees by exact SHAP values (Lundberg et al. 2020, "From local explanations to global understanding with explainable AI
for trees"), linear models by coefficient times input, networks by integrated gradients (Sundararajan, Taly and Yan
2017) of the mean over their passes. It only reads what a model was fitted to; no model knows of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import xgboost

from features.frame import FeatureFrame, Floats
from models import ar, linear, returns, reversal, rls
from models.ar import AR
from models.boosted import Boosted, Inputs
from models.forecaster import JSON
from models.garch import GARCH
from models.gbm import GBM
from models.har import HAR
from models.inputs import scale_free
from models.lightgbm_har import LightGBMHAR, beside
from models.lightgbm_volatility import LightGBMVolatility
from models.naive import Naive
from models.network import Network
from models.online import INPUTS, Online
from models.plain_lightgbm import lightgbm
from models.reversal import Reversal
from models.ridge import Ridge
from models.rls import RLS
from models.windows_of import CHANNELS, STATIC, WINDOW
from topics.records import QUANTILES

STEPS = 128
"""Into which the path from the baseline to a network's inputs is cut."""


@dataclass(frozen=True)
class Row:
    """The forecast in question: the state `before` and `after` its row, the row [1], its `sigma` and its horizon's
    place.
    """

    before: JSON
    after: JSON
    frame: FeatureFrame
    sigma: float
    column: int


@dataclass(frozen=True)
class Parts:
    """What made a forecast, in units of sigma sqrt(h): the base and what each input [F] added."""

    base: float
    names: list[str]
    values: list[float]
    parts: list[float]
    attention: JSON
    note: str = ""


def _seen(model: Any, row: Row, names: tuple[str, ...]) -> Floats:
    """Return the scale-free inputs [1, F] of these names."""
    places = [model.names.index(name) for name in names]
    return scale_free(row.frame, places, names, np.array([row.sigma]))


def _boosted(model: Boosted[Any], row: Row) -> Parts:
    x, names = _seen(model, row, model.inputs).astype(np.float32), list(model.inputs)
    if isinstance(model, LightGBMHAR):
        scale = model.har.step(row.before["har"], row.frame)[1].scale
        unit = row.sigma * np.sqrt([model.horizons])
        x = beside(x, scale, unit)
        names += [f"ln(har / sigma sqrt(h)), {horizon} bars" for horizon in model.horizons]
    found = sum((_shap(boosters[row.column], x) for boosters in model.boosters), np.zeros(x.shape[1] + 1))
    shrink = float(model.shrink[row.column])
    if isinstance(model, LightGBMVolatility):  # the factor is shrink * exp(what the trees say)
        base, parts = float(found[-1]) + float(np.log(shrink)), found[:-1]
    else:
        base, parts = shrink * float(found[-1]), shrink * found[:-1]
    values = x[0].tolist()
    if isinstance(model, LightGBMHAR):  # and the whole is HAR's variance times the factor
        ratio = float(scale[0, row.column] / unit[0, row.column])
        names, values, parts = [*names, "har"], [*values, ratio], np.append(parts, 2 * np.log(ratio))
    return Parts(base, names, values, parts.tolist(), {})


def _shap(booster: Any, x: Inputs) -> Floats:
    """Return the SHAP values of one row x [1, F] and the expected output: [F + 1]."""
    if isinstance(booster.booster, xgboost.Booster):
        found = booster.booster.predict(xgboost.DMatrix(x, nthread=1), pred_contribs=True)
    else:
        found = booster.booster.predict(x.astype(np.float64), pred_contrib=True, num_threads=1)
    return np.array(found[0], dtype=np.float64)


def _gbm(model: GBM, row: Row) -> Parts:
    x = _seen(model, row, model.inputs)
    booster = lightgbm.Booster(model_str=model.booster_text())
    found = np.asarray(booster.predict(x, pred_contrib=True, num_threads=1), dtype=np.float64)
    # One block of F + 1 an output: of each horizon first the mean, then the quantiles.
    of_mean = found.reshape(len(model.horizons), 1 + len(QUANTILES), -1)[row.column, 0]
    shrink, shift = float(model.shrink[row.column, 0]), float(model.shift[row.column, 0])
    base = shift + shrink * float(of_mean[-1])
    return Parts(base, list(model.inputs), x[0].tolist(), (shrink * of_mean[:-1]).tolist(), {})


def _ridge(model: Ridge, row: Row) -> Parts:
    z = linear.standardise(_seen(model, row, model.inputs), model.middle, model.inverse)[0]
    return _weighed(0.0, list(model.inputs), z, model.weights[row.column])


def _ar(model: AR, row: Row) -> Parts:
    x = np.clip(_returns(row, ar.SPANS), -ar.CLIP, ar.CLIP)
    return _weighed(0.0, _named(ar.SPANS), x, model.weights[row.column])


def _reversal(model: Reversal, row: Row) -> Parts:
    """The mean is a curve of one weighed sum: the integral of its slope gives each input its part of the sum."""
    x = _returns(row, reversal.SPANS)
    x = np.concatenate([np.clip(x, -reversal.CLIP, reversal.CLIP), np.sign(x)])
    names = _named(reversal.SPANS)
    weighed = model.weights[row.column] * x
    along = float(weighed.sum())
    mean = float(np.tanh(along / 2)) * float(model.size[row.column])  # 2 / (1 + exp(-s)) - 1 = tanh(s / 2)
    slope = mean / along if along != 0 else 0.0
    return Parts(0.0, names + [f"sign of {name}" for name in names], x.tolist(), (slope * weighed).tolist(), {})


def _returns(row: Row, spans: returns.Spans) -> Floats:
    _, x = returns.step(row.before["returns"], row.frame, np.array([row.sigma]), spans)
    found: Floats = x[0]
    return found


def _named(spans: returns.Spans) -> list[str]:
    return [f"log_return_{length}" + (f", {ago} bars ago" if ago else "") for ago, length in spans]


def _rls(model: RLS, row: Row) -> Parts:  # noqa: ARG001 - all is in the state
    learnt, names = row.after["learnt"], list(rls.INPUTS)
    z = np.array(row.after["queue"][-1][: len(names)])
    return _weighed(0.0, names, z, _trust(learnt, row.column) * np.array(learnt["weights"][row.column]))


def _online(model: Online, row: Row) -> Parts:  # noqa: ARG001 - all is in the state
    learnt, names = row.after["learnt"], list(INPUTS)
    z = np.array(row.after["queue"][-1][: len(names)])
    weights = _trust(learnt, row.column) * np.array(learnt["weights"][row.column])
    return _weighed(float(weights[-1]), names, z, weights[:-1])


def _trust(learnt: JSON, column: int) -> float:
    """Return the trailing slope of label on forecast, by which both online models shrink."""
    size, along = learnt["slope"][column]
    return float(min(max(along / size, 0.0), 1.0)) if size > 0 else 0.0


def _weighed(base: float, names: list[str], z: Floats, weights: Floats) -> Parts:
    return Parts(base, names, z.tolist(), (z * weights).tolist(), {})


def _network(model: Network, row: Row) -> Parts:
    """The mean is taken over the passes, and so is what is explained; the head is the one after the last day's step."""
    from models.nets import explain as gradients  # noqa: PLC0415 - torch takes seconds to import
    from models.nets.steady import one_thread  # noqa: PLC0415 - likewise

    window, static = model._last(row.before, row.frame)
    net, masks = model._net()
    weights = np.array(row.after["head"]["weights"])[row.column]
    with one_thread():
        of_window, of_static, _, base = gradients.integrated(net, weights, window, static, STEPS, masks[1:])
    names = [*STATIC, "share known"] + [f"{name} over {WINDOW} bars" for name in (*CHANNELS, "share known")]
    values = static.tolist() + [float("nan")] * of_window.shape[1]
    parts = of_static.tolist() + of_window.sum(axis=0).tolist()
    maps = {name: found.tolist() for name, found in model.attention(row.before, row.frame).items()}
    return Parts(base, names, values, parts, maps)


PARTS: tuple[tuple[type[Any], Callable[[Any, Row], Parts]], ...] = (
    (Boosted, _boosted),
    (GBM, _gbm),
    (Ridge, _ridge),
    (AR, _ar),
    (Reversal, _reversal),
    (RLS, _rls),
    (Online, _online),
    (Network, _network),
)
"""What explains each kind of model that has a mean, or a variance by inputs."""
WITHOUT_DRIFT = (Naive, HAR, GARCH)
"""Their mean is zero at every bar."""


def parts_of(model: Any, row: Row) -> Parts:
    """Return what made the forecast. Raises ValueError where nothing explains that kind of model."""
    for kind, function in PARTS:
        if isinstance(model, kind):
            return function(model, row)
    raise ValueError(f"model {model.name!r} has no explanation yet: add it to the table of models/contributions.py")
