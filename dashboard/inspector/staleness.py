"""Decides whether what the inspector shows is what is stored."""

from pathlib import Path

from dashboard.inspector.catalogue import Catalogue
from dashboard.inspector.weights_reader import Database
from dashboard.live.freshness import PageHealth
from dashboard.polled_reader import Reading
from dashboard.reader_health import STALE_S
from observability.lag import length

FROM_DATABASE = "Explanations, and the weights of an ensemble, are of what is stored there"


def health(listed: Reading[Catalogue], database: Reading[Database], folder: Path) -> PageHealth:
    """Return the page's state, judged by when the models' folder and the database were read last: a reader that hangs,
    as on a disk that is away, says nothing."""
    if listed.error is not None:
        return PageHealth("unreachable", "no answer", listed.error)
    if listed.value is None or listed.age_s is None:
        return PageHealth("connecting", "reading", f"Reading {folder}.")
    if not listed.value.models:
        return PageHealth("empty", "no models", f"No model is stored in {folder} yet: train some, or run the pipeline.")
    if listed.age_s > STALE_S:
        detail = f"{folder} was last read {listed.age_s:.0f} s ago: what is shown is as old."
        return PageHealth("stale", "stale", detail)
    silent = database.age_s is not None and database.age_s > STALE_S
    if database.error is not None or silent:
        said = database.error or f"Nothing was read for {length(database.age_s or 0)} from the database."
        old = "" if database.age_s is None else f": what is shown of it is {length(database.age_s)} old"
        return PageHealth("stale", "database away", f"{said} {FROM_DATABASE}{old}.")
    versions = sum(map(len, listed.value.models.values()))
    return PageHealth("live", "up to date", f"{len(listed.value.models)} models, {versions} versions")
