"""Decides whether what the inspector shows is what is stored."""

from pathlib import Path

from dashboard.inspector.catalogue import Catalogue
from dashboard.live.freshness import PageHealth
from dashboard.polled_reader import Reading

STALE_S = 15.0
"""A folder that was not read for this long has a reader that hangs, as on a disk that is away."""


def health(listed: Reading[Catalogue], database_error: str | None, folder: Path) -> PageHealth:
    """Return the page's state, judged by when the models' folder was read last."""
    if listed.error is not None:
        return PageHealth("unreachable", "no answer", listed.error)
    if listed.value is None or listed.age_s is None:
        return PageHealth("connecting", "reading", f"Reading {folder}.")
    if not listed.value.models:
        return PageHealth("empty", "no models", f"No model is stored in {folder} yet: train some, or run the pipeline.")
    if listed.age_s > STALE_S:
        detail = f"{folder} was last read {listed.age_s:.0f} s ago: what is shown is as old."
        return PageHealth("stale", "stale", detail)
    if database_error is not None:
        detail = f"{database_error} Explanations, and the weights of an ensemble, are of what is stored there."
        return PageHealth("stale", "database away", detail)
    versions = sum(map(len, listed.value.models.values()))
    return PageHealth("live", "up to date", f"{len(listed.value.models)} models, {versions} versions")
