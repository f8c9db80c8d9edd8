"""The page of the metrics for Prometheus: every one that the sources define, read from their syntax.

The syntax and not the registry: some are made at a scrape only, by collectors that need a database or a worker.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cli.reference.markdown import code, head, prose, table
from settings.places import PACKAGES, ROOT
from sources.live import metrics as live

TYPES = {
    "Counter": "counter",
    "CounterMetricFamily": "counter",
    "Gauge": "gauge",
    "GaugeMetricFamily": "gauge",
    "Histogram": "histogram",
}
PREFIX = "foretick_"
LIVE = "sources/live/metrics.py"
"""Where names are composed, of a table."""
HEAD = """
Each component answers `/metrics`; the addresses are in `foretick status --json`, and with Docker Prometheus finds them.
Beside these there are those of the process, `process_…` and `python_…`, of prometheus_client. A histogram is exposed as
`…_bucket`, `…_sum` and `…_count`.

"""


class Metric(NamedTuple):
    """A metric as Prometheus names it, its type, labels and help, and the modules that define it."""

    name: str
    kind: str
    labels: tuple[str, ...]
    text: str
    modules: tuple[str, ...]


def page() -> str:
    """Return the page."""
    rows = [
        (code(one.name), one.kind, ", ".join(map(code, one.labels)), prose(one.text), _modules(one))
        for one in metrics()
    ]
    return head("Metrics", "the sources") + HEAD + table(("metric", "type", "labels", "what it is", "in"), rows)


def _modules(metric: Metric) -> str:
    return ", ".join(map(code, metric.modules))


def metrics() -> list[Metric]:
    """Return every metric, by name; what several modules define has the labels and modules of all.

    Raises ValueError for a name that the syntax does not say.
    """
    paths = (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")))
    found: dict[str, Metric] = {}
    for one in (*_live(), *(one for path in paths for one in _defined(path))):
        before = found.get(one.name, one._replace(modules=()))
        labels = tuple(dict.fromkeys((*before.labels, *one.labels)))
        found[one.name] = before._replace(labels=labels, modules=(*before.modules, *one.modules))
    return [found[name] for name in sorted(found)]


def _live() -> Iterator[Metric]:
    for name, (text, _) in live.COUNTERS.items():
        yield Metric(f"foretick_live_{name}_total", "counter", tuple(live.OF_SYMBOL), text, (LIVE,))


def _defined(path: Path) -> Iterator[Metric]:
    """Yield the metrics that a module defines."""
    text = path.read_text(encoding="utf-8")
    if PREFIX not in text:
        return
    tree = ast.parse(text)
    module = path.relative_to(ROOT).as_posix()
    lists = {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in TYPES and node.args:
            one = _metric(node, node.func.id, lists, module)
            if one is not None:
                yield one


def _metric(node: ast.Call, made: str, lists: dict[str, ast.expr], module: str) -> Metric | None:
    """Return the metric that a call makes; None if it makes none of ours, or one of a table of names."""
    name, *more = node.args
    if isinstance(name, ast.JoinedStr) and module != LIVE and PREFIX in ast.unparse(name):
        raise ValueError(f"{module}:{node.lineno}: a metric's name is composed; say here what it can be")
    if not (isinstance(name, ast.Constant) and isinstance(name.value, str) and name.value.startswith(PREFIX)):
        return None
    given = [*more[1:2], *(one.value for one in node.keywords if one.arg in ("labels", "labelnames"))]
    labels = _texts(given[0], lists) if given else ()
    total = "_total" if TYPES[made] == "counter" else ""
    return Metric(f"{name.value}{total}", TYPES[made], labels, str(ast.literal_eval(more[0])), (module,))


def _texts(node: ast.expr, lists: dict[str, ast.expr]) -> tuple[str, ...]:
    value = lists[node.id] if isinstance(node, ast.Name) else node
    return tuple(ast.literal_eval(value))
