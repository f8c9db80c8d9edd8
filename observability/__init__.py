"""Observability: logs, the metrics and probe of a component, its condition, and the lag of a reader."""
