"""Errors of the learning loop."""


class TrackingError(Exception):
    """A request to MLflow failed: one line with where and why."""
