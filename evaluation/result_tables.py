"""Results as files: Parquet tables and about.json, and back."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from evaluation.results import Cell, Reliability, Results
from evaluation.significance import Comparison, Membership, Superiority
from models.forecaster import Floats

RECORDS: dict[str, type[Any]] = {
    "cells": Cell,
    "comparisons": Comparison,
    "memberships": Membership,
    "superiority": Superiority,
    "reliability": Reliability,
}
"""The tables whose rows are records; the sixth, daily.parquet, is made of arrays."""
ABOUT = ("models", "horizons", "symbols", "seed", "rows", "start", "end")
PLAIN: dict[type, Any] = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}


def save(results: Results, folder: Path) -> None:
    """Write one Parquet file a table, and the run's description, into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, record in RECORDS.items():
        schema = pa.schema([(field, PLAIN[kind]) for field, kind in record.__annotations__.items()])
        rows = getattr(results, name)
        columns = [pa.array([row[place] for row in rows], type=field.type) for place, field in enumerate(schema)]
        pq.write_table(pa.Table.from_arrays(columns, schema=schema), folder / f"{name}.parquet")
    pq.write_table(_daily(results), folder / "daily.parquet")
    about = {name: getattr(results, name) for name in ABOUT}
    (folder / "about.json").write_text(json.dumps(about, indent=2) + "\n")


def load(folder: Path) -> Results:
    """Read the output of `save`. Raises ValueError with one line if the folder holds no results."""
    try:
        about: dict[str, Any] = json.loads((folder / "about.json").read_text())
        values: dict[str, Any] = {
            name: [record(*row.values()) for row in pq.read_table(folder / f"{name}.parquet").to_pylist()]
            for name, record in RECORDS.items()
        }
        daily = pq.read_table(folder / "daily.parquet")
    except (OSError, ValueError, pa.ArrowInvalid) as error:
        raise ValueError(f"{folder}: no results of an evaluation ({error})") from error
    about |= {name: tuple(about[name]) for name in ("models", "horizons", "symbols")}
    shape = len(about["models"]), len(about["horizons"]), -1
    days, differences, baseline = _arrays(daily, shape)
    return Results(**about, **values, days=days, differences=differences, baseline=baseline)


def _daily(results: Results) -> pa.Table:
    """Return a row a loss, model, horizon and day: the daily sums of the difference and of the baseline's loss."""
    names = np.array(results.models), np.array(results.horizons), results.days
    model, horizon, day = (axis.ravel() for axis in np.meshgrid(*names, indexing="ij"))
    tables = []
    for loss, difference in results.differences.items():
        baseline = np.broadcast_to(results.baseline[loss], difference.shape)
        columns = {
            "loss": pa.array([loss] * len(model)),
            "model": pa.array(model),
            "horizon": pa.array(horizon),
            "day": pa.array(day.astype(np.int32), type=pa.date32()),
            "difference": pa.array(difference.ravel()),
            "baseline": pa.array(baseline.ravel()),
        }
        tables.append(pa.table(columns))
    return pa.concat_tables(tables)


def _arrays(daily: pa.Table, shape: tuple[int, int, int]) -> tuple[Any, dict[str, Floats], dict[str, Floats]]:
    """Return the days and the two arrays of each loss from the table that `_daily` made."""
    losses = np.array(daily["loss"].to_pylist())
    differences, baseline = {}, {}
    for loss in dict.fromkeys(losses.tolist()):
        own = losses == loss
        differences[loss] = daily["difference"].to_numpy()[own].reshape(shape)
        baseline[loss] = daily["baseline"].to_numpy()[own].reshape(shape)[0]
    days = np.unique(daily["day"].cast(pa.int32()).to_numpy()).astype(np.int64)
    return days, differences, baseline
