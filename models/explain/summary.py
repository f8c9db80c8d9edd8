"""What each input added to many forecasts: the material of a summary and of dependence plots."""

from collections.abc import Iterator
from math import isfinite
from typing import Any

import msgspec
import numpy as np

from features.frame import FeatureFrame
from models.contributions import Parts, Quantity, Row
from models.explain.explanation import looked
from models.forecaster import Forecaster

KEPT = 30
"""Inputs, of those with the largest mean contribution."""


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """Contributions to a forecast's `quantity` (see `models.contributions.Parts`) at n explained rows.

    `times` [n] in epoch ms; by input, the largest first: `sizes` is the mean of the contributions' sizes, `values` and
    `parts` [inputs][n], a value None where it is unknown. `left_out` inputs have smaller ones. `attention` are the maps
    of the newest row, `looked` its shares by bars back. A `note` says why there is nothing to explain.
    """

    symbol: str
    interval: str
    horizon: int
    newest: int
    quantity: Quantity = "mean"
    times: list[int] = []
    inputs: list[str] = []
    sizes: list[float] = []
    values: list[list[float | None]] = []
    parts: list[list[float]] = []
    left_out: int = 0
    attention: dict[str, Any] = {}
    looked: list[tuple[str, float]] = []
    note: str = ""


def summarise(model: Forecaster, frame: FeatureFrame, horizon: int, rows: int) -> Summary:
    """Explain so many rows of the second half of the frame, evenly spread, the last among them.

    What comes before a row brings the model's state up to date. Raises ValueError with one line if the horizon is not
    the model's, or it has no forecast at any of the rows.
    """
    if horizon not in model.horizons:
        raise ValueError(f"model {model.name!r} has no horizon {horizon}; it has {', '.join(map(str, model.horizons))}")
    explained = list(_explained(model, frame, model.horizons.index(horizon), rows))
    if not explained:
        raise ValueError(f"model {model.name!r} has no forecast at the last bars: there are too few bars before them")
    newest = explained[-1][1]
    summary = Summary(
        symbol=frame.symbol,
        interval=frame.interval,
        horizon=horizon,
        newest=explained[-1][0],
        quantity=newest.quantity,
        attention=newest.attention,
        looked=looked(newest.attention),
        note=newest.note,
    )
    return summary if newest.note else msgspec.structs.replace(summary, **_largest(explained))


def _explained(model: Forecaster, frame: FeatureFrame, column: int, rows: int) -> Iterator[tuple[int, Parts]]:
    """Yield the time and the parts of each chosen row at which the model has a forecast."""
    first = len(frame) // 2
    chosen = np.unique(np.linspace(first, len(frame) - 1, min(rows, len(frame) - first)).astype(np.int64)).tolist()
    state, done = model.initial(), 0
    for place in chosen:
        if place > done:
            state = model.step(state, frame[done:place])[0]
        row, before, done = frame[place : place + 1], state, place + 1
        state, forecasts = model.step(before, row)
        if np.isfinite(forecasts.scale[0, column]) and np.isfinite(forecasts.mean[0, column]):
            yield int(row.time[0]), model.contributions(Row(before, state, row, column))


def _largest(explained: list[tuple[int, Parts]]) -> dict[str, Any]:
    """Return the fields by input, the largest inputs first."""
    names = explained[-1][1].names
    values = np.array([part.values for _, part in explained], dtype=np.float64)
    parts = np.array([part.parts for _, part in explained], dtype=np.float64)
    sizes = np.abs(parts).mean(axis=0)
    order = np.argsort(-sizes, kind="stable")[:KEPT].tolist()
    return {
        "times": [time for time, _ in explained],
        "inputs": [names[place] for place in order],
        "sizes": sizes[order].tolist(),
        "values": [[value if isfinite(value) else None for value in values[:, place].tolist()] for place in order],
        "parts": parts[:, order].T.tolist(),
        "left_out": len(names) - len(order),
    }
