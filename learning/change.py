"""What a watcher of a model's stream reports once a change has lasted."""

from typing import Literal, NamedTuple

Kind = Literal["errors", "coverage", "features", "dissimilarity", "expiry"]


class Change(NamedTuple):
    """A change that has lasted until the bar at `time`: the fields of `topics.records.Drift` without whose it is."""

    kind: Kind
    detector: str
    time: int
    statistic: float
    limit: float
    since: int
    detail: str
    horizon: int | None = None
