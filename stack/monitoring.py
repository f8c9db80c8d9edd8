"""Generates the files of Grafana and Prometheus from grafana_panels.py and prometheus_rules.py: `python -m
stack.monitoring`.

Tests query running components for each metric that a panel or a rule names.
"""

import json
import re
from pathlib import Path
from typing import Any

from settings import ROOT
from stack.grafana_panels import ROWS, Panel
from stack.prometheus_rules import WARNINGS

FOLDER = ROOT / "docker" / "monitoring"
DASHBOARD, RULES = FOLDER / "grafana" / "foretick.json", FOLDER / "rules.yml"
METRIC = re.compile(r"\b(?:foretick|process)_[a-z_]+")
SOURCE = {"type": "prometheus", "uid": "prometheus"}


def metrics() -> set[str]:
    """Return every metric that a panel or a rule names."""
    texts = [text for panels in ROWS.values() for panel in panels for text, _ in panel.lines]
    return {name for text in (*texts, *(rule.when for rule in WARNINGS)) for name in METRIC.findall(text)}


def dashboard() -> dict[str, Any]:
    """Return Grafana's dashboard."""
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
            | ({"exemplar": True} if panel.traces else {})
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
    """Return the content of each file."""
    return {DASHBOARD: json.dumps(dashboard(), indent=1, ensure_ascii=False) + "\n", RULES: rules()}


if __name__ == "__main__":
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")
