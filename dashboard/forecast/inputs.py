"""The features of one bar, and how unusual each is for the data that a version was trained on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from pathlib import Path

import numpy as np

from features.definition import Definition
from features.frame import Floats
from models.drift.reference import Reference
from models.registry import model_registry

KEPT = 4
"""References that are kept in memory: each is some megabytes."""


@dataclass(frozen=True)
class Input:
    """A feature's value, None if it is unknown, and its robust deviation from the training data, None if not known."""

    name: str
    value: float | None
    deviation: float | None


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """The features of a bar, the most unusual first; `fingerprint` is their definition's.

    `note` says why there are no deviations, or no names.
    """

    fingerprint: str
    values: tuple[Input, ...]
    note: str = ""


@lru_cache(KEPT)
def _loaded(folder: Path, reference: str) -> Reference:
    return Reference.load(folder, reference)


def build(
    folder: Path,
    said: tuple[str, str] | None,
    fingerprint: str,
    names: Sequence[str] | None,
    stored: Sequence[float | None],
) -> Inputs:
    """Return the inputs of a stored row below <home>/models for a model and version, None if none forecast there.

    `names` are those of the row's columns, None if the database has none for the definition.
    """
    names = names or _names(folder, fingerprint)
    if names is None or len(names) != len(stored):
        note = f"The names of definition {fingerprint}, of which the stored features are, are not known here."
        return Inputs(fingerprint=fingerprint, values=(), note=note)
    row = np.array(stored, dtype=np.float64)  # None becomes NaN
    deviations, note = _deviations(folder, said, fingerprint, row)
    values = [
        Input(name, value if isfinite(value) else None, deviations.get(name))
        for name, value in zip(names, row.tolist(), strict=True)
    ]
    values.sort(key=lambda one: -abs(one.deviation) if one.deviation is not None else 1.0)
    return Inputs(fingerprint=fingerprint, values=tuple(values), note=note)


def _names(folder: Path, fingerprint: str) -> Sequence[str] | None:
    try:
        definition = Definition.load(folder)
    except ValueError:
        return None
    return definition.names if definition.fingerprint == fingerprint else None


def _deviations(
    folder: Path, said: tuple[str, str] | None, fingerprint: str, row: Floats
) -> tuple[Mapping[str, float], str]:
    """Return the deviations by column, and why there are none."""
    if said is None:
        return {}, "No version forecast at this bar: there is no training data to compare with."
    model, version = said
    try:
        provenance = model_registry.provenance(folder, model, version)
        if provenance is None or provenance.reference is None:
            why = "its origin" if provenance is None else "a reference of its training data"
            return {}, f"How unusual each value is, is not known: {why} is not stored for version {version}."
        reference = _loaded(folder, provenance.reference)
    except ValueError as error:
        return {}, f"How unusual each value is, is not known: {error}."
    if reference.fingerprint != fingerprint:
        return {}, f"The stored features are of definition {fingerprint}, the training data of {reference.fingerprint}."
    return reference.deviations(row), ""
