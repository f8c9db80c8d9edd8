"""Reads a component's metrics over HTTP, and what counters and histograms say between two readings."""

import http.client
from collections.abc import Collection, Mapping, Sequence
from math import inf

from prometheus_client.parser import text_string_to_metric_families

from observability.probe import ASK_S, HOST

Labels = frozenset[tuple[str, str]]
Reading = Mapping[tuple[str, Labels], float]
"""The value of each sample, by its name and labels."""


def scrape(port: int, families: Collection[str], timeout_s: float = ASK_S) -> Reading | None:
    """Return the samples of these families of the component at a port of this machine; None if it does not answer."""
    connection = http.client.HTTPConnection(HOST, port, timeout=timeout_s)
    try:
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(_only(text, families))
            for sample in family.samples
        }
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()


def _only(text: str, families: Collection[str]) -> str:
    """Return the lines of some families: most of an answer is not asked for, and parsing is the slow part."""
    starts = tuple(f"{kind} {name}" for kind in ("# HELP", "# TYPE") for name in families) + tuple(families)
    return "".join(f"{line}\n" for line in text.splitlines() if line.startswith(starts))


def increase(new: Reading, old: Reading) -> Reading:
    """Return how much each counter grew; one that is smaller than before was begun anew with its process.

    >>> sample = ("records", frozenset())
    >>> increase({sample: 7.0}, {sample: 5.0})[sample], increase({sample: 2.0}, {sample: 5.0})[sample]
    (2.0, 2.0)
    """
    return {key: value - old.get(key, 0.0) if value >= old.get(key, 0.0) else value for key, value in new.items()}


def by_label(reading: Reading, name: str, label: str) -> dict[str, float]:
    """Return the sums of a sample by one of its labels."""
    sums: dict[str, float] = {}
    for (sample, labels), value in reading.items():
        if sample == name:
            of = dict(labels).get(label, "")
            sums[of] = sums.get(of, 0.0) + value
    return sums


def buckets(reading: Reading, name: str, label: str) -> dict[str, list[tuple[float, float]]]:
    """Return a histogram's cumulative buckets (upper bound, count), ascending, by one of its labels."""
    found: dict[str, dict[float, float]] = {}
    for (sample, labels), value in reading.items():
        if sample == f"{name}_bucket":
            fields = dict(labels)
            bounds = found.setdefault(fields.get(label, ""), {})
            bound = float(fields["le"])
            bounds[bound] = bounds.get(bound, 0.0) + value
    return {of: sorted(bounds.items()) for of, bounds in found.items()}


def quantile(level: float, cumulative: Sequence[tuple[float, float]]) -> float | None:
    """Return a quantile of a histogram, None if nothing was observed, inf if it is above the last finite bound.

    Linear within a bucket, as PromQL's `histogram_quantile`
    (https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile), which returns that bound
    where this returns inf.

    >>> quantile(0.5, [(1.0, 2.0), (2.0, 4.0), (inf, 4.0)]), quantile(0.75, [(1.0, 2.0), (2.0, 4.0), (inf, 4.0)])
    (1.0, 1.5)
    >>> quantile(0.9, [(1.0, 2.0), (inf, 4.0)]), quantile(0.9, [(1.0, 0.0), (inf, 0.0)])
    (inf, None)
    """
    if not cumulative or cumulative[-1][1] <= 0:
        return None
    rank = level * cumulative[-1][1]
    lower, below = 0.0, 0.0
    for bound, count in cumulative:
        if count >= rank and count > below:
            return inf if bound == inf else lower + (bound - lower) * (rank - below) / (count - below)
        lower, below = bound, count
    return inf
