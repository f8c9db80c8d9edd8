"""The report of a lasting change by a monitor."""

from typing import Literal, NamedTuple

Kind = Literal["errors", "coverage", "features", "dissimilarity", "expiry"]


class Change(NamedTuple):
    """A change that has lasted until the bar at `time`: the fields of `topics.records.Drift` without the model's."""

    kind: Kind
    detector: str
    time: int
    statistic: float
    limit: float
    since: int
    detail: str
    horizon: int | None = None
