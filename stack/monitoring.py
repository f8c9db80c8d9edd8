"""What Grafana shows and Prometheus warns of, in tables: `python -m stack.monitoring` writes the files in docker/.

A panel or a rule names its metrics in PromQL; a test asks a running stack for each of them.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from settings import ROOT

FOLDER = ROOT / "docker" / "monitoring"
DASHBOARD, RULES = FOLDER / "grafana" / "foretick.json", FOLDER / "rules.yml"
METRIC = re.compile(r"\b(?:foretick|process)_[a-z_]+")
SOURCE = {"type": "prometheus", "uid": "prometheus"}


@dataclass(frozen=True)
class Panel:
    """A picture: its title, its unit as Grafana calls it, and what each line shows, with its legend."""

    title: str
    unit: str
    lines: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Rule:
    """A warning: when it holds for so long, with what it says."""

    name: str
    when: str
    lasts: str
    severity: str
    says: str


def quantile(level: float, histogram: str, by: str) -> str:
    """Return the quantile of a histogram over five minutes."""
    return f"histogram_quantile({level}, sum by (le, {by}) (rate({histogram}_bucket[5m])))"


ROWS: dict[str, tuple[Panel, ...]] = {
    "The stream": (
        Panel("Records read", "rps", (("sum by (topic) (rate(foretick_records_in_total[1m]))", "{{topic}}"),)),
        Panel("Records published", "rps", (("sum by (topic) (rate(foretick_records_out_total[1m]))", "{{topic}}"),)),
        Panel("Behind", "short", (("sum by (job, topic) (foretick_consumer_lag)", "{{job}} {{topic}}"),)),
        Panel("Dead letters", "short", (("sum by (topic) (increase(foretick_dead_letters_total[5m]))", "{{topic}}"),)),
    ),
    "How long it takes": (
        Panel(
            "From a tick's arrival, 95 %",
            "s",
            ((quantile(0.95, "foretick_latency_seconds", "stage"), "until {{stage}} are published"),),
        ),
        Panel("One batch, 95 %", "s", ((quantile(0.95, "foretick_fold_seconds", "stage"), "{{stage}}"),)),
        Panel("One transaction, 95 %", "s", ((quantile(0.95, "foretick_store_seconds", "topic"), "{{topic}}"),)),
    ),
    "The models": (
        Panel("Skill", "percentunit", (("foretick_skill", "{{model}} {{interval}} +{{horizon}}"),)),
        Panel("Coverage of the 90 % interval", "percentunit", (("foretick_coverage", "{{model}} +{{horizon}}"),)),
        Panel("Outcomes counted", "short", (("foretick_scored_outcomes", "{{model}} +{{horizon}}"),)),
        Panel("Age of the champions", "s", (("foretick_model_age_seconds", "{{model}} {{version}}"),)),
    ),
    "The API": (
        Panel(
            "Requests",
            "reqps",
            (("sum by (path, status) (rate(foretick_api_requests_total[1m]))", "{{path}} {{status}}"),),
        ),
        Panel("Answers, 95 %", "s", ((quantile(0.95, "foretick_api_seconds", "path"), "{{path}}"),)),
        Panel("Streams", "short", (("sum by (topic) (foretick_api_streams)", "{{topic}}"),)),
        Panel("Streamed", "rps", (("sum by (topic) (rate(foretick_api_streamed_records_total[1m]))", "{{topic}}"),)),
    ),
    "The processes": (
        Panel("Up", "short", (("foretick_component", "{{component}}"),)),
        Panel("Memory", "bytes", (("process_resident_memory_bytes", "{{job}}"),)),
        Panel("Processors", "short", (("rate(process_cpu_seconds_total[1m])", "{{job}}"),)),
    ),
}

WARNINGS = (
    Rule("ForetickDown", "up == 0", "2m", "critical", "{{ $labels.job }} does not answer"),
    Rule("ForetickBehind", "sum by (job) (foretick_consumer_lag) > 1000", "10m", "warning", "{{ $labels.job }} lags"),
    Rule(
        "ForetickSlow",
        f"{quantile(0.95, 'foretick_latency_seconds', 'stage')} > 60",
        "10m",
        "warning",
        "{{ $labels.stage }} come more than a minute after their ticks",
    ),
    Rule(
        "ForetickDeadLetters",
        "sum by (topic) (increase(foretick_dead_letters_total[10m])) > 0",
        "0m",
        "warning",
        "what came on {{ $labels.topic }} could not be used: foretick topics tail dead-letters",
    ),
    Rule(
        "ForetickCoverage",
        "abs(foretick_coverage - 0.9) > 0.1 and foretick_scored_outcomes >= 1000",
        "1h",
        "warning",
        "the 90 % interval of {{ $labels.model }} +{{ $labels.horizon }} holds {{ $value }} off what it says",
    ),
    Rule(
        "ForetickModelOld",
        "foretick_model_age_seconds > 60 * 86400",
        "1h",
        "info",
        "{{ $labels.model }} has served one version for two months",
    ),
    Rule(
        "ForetickApiErrors",
        'sum(rate(foretick_api_requests_total{status=~"5.."}[5m])) > 0.1',
        "5m",
        "warning",
        "the API answers with errors of its own",
    ),
)


def metrics() -> set[str]:
    """Return every metric that a panel or a rule names."""
    texts = [text for panels in ROWS.values() for panel in panels for text, _ in panel.lines]
    return {name for text in (*texts, *(rule.when for rule in WARNINGS)) for name in METRIC.findall(text)}


def dashboard() -> dict[str, Any]:
    """Return the document that Grafana is provisioned with."""
    panels: list[dict[str, Any]] = []
    y = 0
    for title, row in ROWS.items():
        panels.append({"type": "row", "title": title, "gridPos": {"x": 0, "y": y, "w": 24, "h": 1}})
        y += 1
        width = 24 // len(row)
        for place, panel in enumerate(row):
            panels.append(_panel(panel, {"x": place * width, "y": y, "w": width, "h": 8}))
        y += 8
    numbered = [panel | {"id": number} for number, panel in enumerate(panels, 1)]
    return {
        "uid": "foretick",
        "title": "Foretick",
        "schemaVersion": 39,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "panels": numbered,
    }


def _panel(panel: Panel, place: dict[str, int]) -> dict[str, Any]:
    return {
        "type": "timeseries",
        "title": panel.title,
        "datasource": SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []},
        "targets": [
            {"refId": chr(ord("A") + number), "datasource": SOURCE, "expr": text, "legendFormat": legend}
            for number, (text, legend) in enumerate(panel.lines)
        ],
    }


def rules() -> str:
    """Return Prometheus' file of rules."""
    lines = ["# Written by `python -m stack.monitoring`.", "groups:", "  - name: foretick", "    rules:"]
    for rule in WARNINGS:
        lines += [
            f"      - alert: {rule.name}",
            f"        expr: {json.dumps(rule.when)}",
            f"        for: {rule.lasts}",
            f"        labels: {{severity: {rule.severity}}}",
            f"        annotations: {{summary: {json.dumps(rule.says, ensure_ascii=False)}}}",
        ]
    return "\n".join(lines) + "\n"


def files() -> dict[Path, str]:
    """Return what each file holds."""
    return {DASHBOARD: json.dumps(dashboard(), indent=1, ensure_ascii=False) + "\n", RULES: rules()}


if __name__ == "__main__":
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")
